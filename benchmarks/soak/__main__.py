"""Whether a worker stays within its bounds: more subjects than memory may hold, a viral creator, days of event time.

    python -m benchmarks.soak                                  # a million subjects, some five minutes
    python -m benchmarks.soak --subjects 10000000 --minutes 20 --json soak.json --svg docs/img

One partition, the real worker, real Kafka and Redis. The crowd (``crowd``) comes and goes within ``--hours`` of
event time, which pass in ``--minutes``, or in as many more as the worker needs. A sample is taken every second; at
the end a backtest over the same logs says what had to be paid, and the checks (``verdict``) are printed. Exit code 1
where one does not hold.
"""

import json as json_format
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from redis import Redis
from rich.console import Console

from benchmarks import command, cores, worker
from benchmarks.load import Record
from benchmarks.servers import Ground, ground, servers
from benchmarks.soak import drawing
from benchmarks.soak.crowd import Crowd
from benchmarks.soak.feed import Feed, Stalled
from benchmarks.soak.verdict import Check, Expected, checks
from benchmarks.soak.watch import Sample, watching
from stream.store.layout import Layout

PROGRAMS = Path(__file__).parent / "programs"
AFTERGLOW_MS = 34 * 3_600_000
"""Longer than the longest window, lateness, and the grain of what is due together."""

EVERY_S, LEAST_SAMPLES = 1.0, 60
_HOUR_MS = 3_600_000
_START_S, _SWEPT_S = 60.0, 900.0
_SWEPT_S_A_SUBJECT = 0.0005
_A_PLAY, _PLAY_S = 20, 0.2
_NOT_YET_DUE_MS = 2 * _HOUR_MS
"""Lateness, and some minutes in which nothing is looked for."""


def main(
    subjects: Annotated[int, typer.Option(min=1_000, help="Creators and videos, over all.")] = 1_000_000,
    minutes: Annotated[float, typer.Option(min=0.1, help="Wall time in which the crowd comes.")] = 3.0,
    hours: Annotated[int, typer.Option(min=1, help="Event time in which it comes.")] = 96,
    after: Annotated[float, typer.Option(min=0.1, help="Wall minutes for the time after it.")] = 1.0,
    max_subjects: Annotated[int, typer.Option(min=1_000, help="The worker's bound on memory.")] = 50_000,
    seed: Annotated[int, typer.Option(help="Another seed is another crowd.")] = 1,
    pin: Annotated[bool, typer.Option(help="Give the worker a core of its own.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write samples and checks to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the samples into this folder.")] = None,
) -> None:
    """Whether a worker stays within its bounds."""
    console = Console(soft_wrap=True, highlight=False)
    crowd = Crowd(subjects, hours * _HOUR_MS, AFTERGLOW_MS, seed)
    worker_core, other_cores = cores.split(pin)
    with TemporaryDirectory(prefix="bonus-soak-") as folder, cores.on(other_cores), servers() as on:
        programs = copytree(PROGRAMS, Path(folder) / "programs")
        with ground(on, partitions=1) as place:
            console.print(f"{crowd.span_events:,} events in {minutes:g} minutes, seed {seed} …")
            samples = run(place, programs, worker_core, crowd, max_subjects, minutes * 60, after * 60)
            console.print("Backtest over the same logs …")
            due = backtest(place, programs, Path(folder) / "due.ndjson")
            paid = [bonus.bonus_id for bonus in place.bonuses()]
    found = checks(samples, crowd, max_subjects, paid, due)
    for check in found:
        console.print(f"{'holds ' if check.holds else 'FAILED'}  {check.name}: {check.found}")
    if json is not None:
        json.write_text(document(crowd, max_subjects, samples, found))
    if svg is not None:
        drawing.draw(svg, samples, Expected.of(crowd, max_subjects))
    if not all(check.holds for check in found):
        sys.exit(1)


def run(
    place: Ground,
    programs: Path,
    core: frozenset[int],
    crowd: Crowd,
    max_subjects: int,
    span_s: float,
    afterglow_s: float,
) -> list[Sample]:
    """Have the crowd come and go before a worker's eyes; the samples."""
    # Event time is short: so are the times after which it is looked for what has expired.
    options = ("--max-subjects-in-memory", str(max_subjects), "--checkpoint-interval", "250ms")
    with worker.running(place, programs, core, *options) as it:
        it.wait_until_taken(place.partitions)
        feed = Feed(place.servers.kafka, place.prefix, lambda: it.look().events)
        with watching(it, feed, place.servers.redis, min(EVERY_S, span_s / LEAST_SAMPLES)) as watch:
            feed.play(_told(crowd.span(), crowd.span_events), crowd.span_events / span_s)
            watch.phase = "afterglow"
            feed.play(crowd.afterglow(), crowd.afterglow_events / afterglow_s)
            watch.phase = "rest"
            sweep(place, feed, crowd)
            feed.drain()
            watch.look()
        it.wait_until(lambda look: place.committed() >= feed.produced, _START_S)
    return watch.samples


def sweep(place: Ground, feed: Feed, crowd: Crowd) -> None:
    """Keep the worker at work until nothing is due in Redis any more. Raises ``Stalled``."""
    due, before_ms = Layout(place.group, 0).due, crowd.end_ms - _NOT_YET_DUE_MS
    within_s = _SWEPT_S + crowd.subjects * _SWEPT_S_A_SUBJECT
    records, deadline = crowd.rest(), time.monotonic() + within_s
    with Redis.from_url(place.servers.redis) as client:
        left = client.zcount(due, "-inf", before_ms)
        _tell(f"{left:,} entries to be swept from Redis …")
        while left:
            if time.monotonic() > deadline:
                raise Stalled(f"{left:,} entries are still due in Redis after {within_s:g} s")
            feed.play(islice(records, _A_PLAY), _A_PLAY / _PLAY_S)
            left = client.zcount(due, "-inf", before_ms)


def _told(records: Iterator[Record], total: int) -> Iterator[Record]:
    """The records, with a line for each tenth of them."""
    for number, record in enumerate(records):
        if number % max(1, total // 10) == 0:
            _tell(f"{number:,} of {total:,} records …")
        yield record


def _tell(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {what}", flush=True)


def backtest(place: Ground, programs: Path, out: Path) -> set[str]:
    """The ids of the bonuses that ``bonus backtest`` finds due over the logs."""
    run_it = [
        *(
            sys.executable,
            "-m",
            "stream.cli.main",
            "backtest",
            "--programs",
            str(programs),
            "--out",
            str(out),
        ),
        *("--kafka", place.servers.kafka, "--topic-prefix", place.prefix),
    ]
    done = subprocess.run(run_it, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise worker.WorkerFailed(f"the backtest ended with {done.returncode}: {done.stderr}")
    return {json_format.loads(line)["bonus_id"] for line in out.read_text().splitlines()}


def document(crowd: Crowd, max_subjects: int, samples: list[Sample], found: list[Check]) -> str:
    """A soak as JSON."""
    told = {
        "crowd": asdict(crowd),
        "max_subjects": max_subjects,
        "formula": asdict(Expected.of(crowd, max_subjects)),
        "checks": [asdict(check) for check in found],
        "samples": [asdict(sample) for sample in samples],
    }
    return json_format.dumps(told) + "\n"


if __name__ == "__main__":
    command.run(main)
