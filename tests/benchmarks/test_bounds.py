"""The formula of the memory bounds, and what a soak makes of its samples."""

from dataclasses import replace

import pytest

from benchmarks.bounds import IN_WORKER, MIB, Held, worker_bytes
from benchmarks.sizes import KINDS, Kind, measure
from benchmarks.soak.crowd import VIRAL, Crowd
from benchmarks.soak.verdict import Check, Expected, checks
from benchmarks.soak.watch import Sample
from schemas.decode import decode
from stream.core.outcome import Rejection

HOUR_MS = 3_600_000
CROWD = Crowd(subjects=12_000, span_ms=48 * HOUR_MS, afterglow_ms=34 * HOUR_MS, seed=7)
MAX_SUBJECTS = 1_000
MANY = 100_000


@pytest.mark.parametrize("kind", [each for each in KINDS if each.many >= MANY], ids=lambda kind: kind.name)
def test_formula(kind: Kind, redis_session: str) -> None:
    """Nothing that is kept takes more than the formula says, in the worker and in Redis, nor much less."""
    size = measure(kind, kind.many // 5, redis_session)
    assert size.worker_formula / 2 < size.worker <= size.worker_formula
    assert size.redis_formula / 3 < size.redis <= size.redis_formula


def test_formula_adds_up() -> None:
    """A worker's memory grows by each partition and by each thing in it."""
    one = Held(entries=1_000, series=1_000, cells=2_000, places=0, ids=10_000)
    assert one.bytes(IN_WORKER) * 2 == (one + one).bytes(IN_WORKER)
    assert worker_bytes(one) < worker_bytes(one + one) < worker_bytes(one, partitions=2)


def test_crowd() -> None:
    """Half of the events are the viral creator's, three in ten bring somebody new, and afterwards he is alone."""
    events = [decode(record.value, record.topic, 0, 1) for record in CROWD.span()]
    assert list(CROWD.span()) == list(CROWD.span())
    creators = [event.creator_id for event in events if not isinstance(event, Rejection)]
    assert len(creators) == len(events)
    assert 0.48 < creators.count(VIRAL) / len(creators) < 0.52
    assert 0.95 < 2 * len(set(creators)) / CROWD.subjects < 1.05
    assert {VIRAL.encode()} == {record.key for record in CROWD.afterglow()}


def soaked() -> list[Sample]:
    """The samples of a soak in which all is well."""
    first = Sample(
        at_s=0.0,
        phase="span",
        event_time_ms=0,
        produced=0,
        counted=0,
        rss_bytes=100 * MIB,
        cpu_s=0.0,
        entries=MAX_SUBJECTS,
        read_back=0,
        lag=0,
        checkpoints=0,
        checkpoint_s=0.0,
        changes=0,
        bonuses=0,
        redis_bytes=1 * MIB,
        redis_keys=0,
        sent_bytes=0,
    )
    span = [
        replace(
            first,
            read_back=second,
            checkpoints=second,
            checkpoint_s=second * 0.01,
            changes=second * 1_000,
            redis_bytes=(1 + second) * MIB,
        )
        for second in range(40)
    ]
    return [*span, replace(span[-1], phase="afterglow", redis_bytes=2 * MIB)]


def failed(samples: list[Sample], paid: list[str]) -> list[str]:
    """The names of the checks that do not hold, where two bonuses were due."""
    found: list[Check] = checks(samples, CROWD, MAX_SUBJECTS, paid, {"one", "two"})
    return [check.name for check in found if not check.holds]


def test_all_is_well() -> None:
    """A worker that stays within its bounds and pays what is due passes."""
    assert [] == failed(soaked(), ["one", "two"])


@pytest.mark.parametrize("paid", [["one"], ["one", "two", "three"], ["one", "two", "two"]])
def test_wrong_bonuses(paid: list[str]) -> None:
    """A missing, a false and a doubled bonus are found."""
    assert ["bonuses are those of the backtest"] == failed(soaked(), paid)


def test_leaks() -> None:
    """Memory beyond the formula or still growing, and a Redis that keeps everything, are found."""
    expected = Expected.of(CROWD, MAX_SUBJECTS)
    samples = soaked()
    samples[3] = replace(samples[3], rss_bytes=expected.rss_bytes + 1)
    assert ["resident memory is under the formula"] == failed(samples, ["one", "two"])
    samples = [replace(each, rss_bytes=(100 + nth) * MIB) for nth, each in enumerate(soaked())]
    assert [] == failed(samples, ["one", "two"]), "a tenth is the load's own"
    samples = [replace(each, rss_bytes=(10 + 2 * nth) * MIB) for nth, each in enumerate(soaked())]
    assert ["resident memory stays level"] == failed(samples, ["one", "two"])
    samples = [*soaked(), replace(soaked()[-1], redis_bytes=25 * MIB)]
    assert ["Redis lets go of what no window holds"] == failed(samples, ["one", "two"])


def test_slow_checkpoints() -> None:
    """Checkpoints that take ever longer for what they write are found."""
    samples = [replace(each, checkpoint_s=0.001 * nth**3) for nth, each in enumerate(soaked())]
    assert ["checkpoints stay as quick"] == failed(samples, ["one", "two"])


def test_soak_that_met_no_bound() -> None:
    """A soak in which memory held everything shows nothing, and says so."""
    samples = [replace(each, entries=MAX_SUBJECTS - 1) for each in soaked()]
    assert ["the bound on entries was met"] == failed(samples, ["one", "two"])
