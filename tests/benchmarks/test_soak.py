"""A small soak runs on the real servers: beyond its bound on memory, through days of event time, and pays right."""

from pathlib import Path
from shutil import copytree

from benchmarks import cores
from benchmarks.servers import Servers, ground
from benchmarks.soak.__main__ import AFTERGLOW_MS, PROGRAMS, backtest, run
from benchmarks.soak.crowd import Crowd
from benchmarks.soak.verdict import checks

MAX_SUBJECTS = 1_000
TIMED = {"checkpoints stay as quick", "resident memory stays level"}
"""What needs a longer run, on a machine that has nothing else to do."""


def test_soak(kafka_bootstrap: str, redis_session: str, tmp_path: Path) -> None:
    """A worker that holds a fraction of its subjects in memory stays under the formula and pays what is due."""
    crowd = Crowd(subjects=6_000, span_ms=48 * 3_600_000, afterglow_ms=AFTERGLOW_MS, seed=1)
    programs = copytree(PROGRAMS, tmp_path / "programs")
    with ground(Servers(kafka_bootstrap, redis_session), partitions=1) as place:
        samples = run(place, programs, cores.split(pin=False)[0], crowd, MAX_SUBJECTS, 6.0, 6.0)
        due = backtest(place, programs, tmp_path / "due.ndjson")
        paid = [bonus.bonus_id for bonus in place.bonuses()]
    found = checks(samples, crowd, MAX_SUBJECTS, paid, due)
    assert [] == [check for check in found if not check.holds and check.name not in TIMED]
