"""How long a bonus takes: from the record that reaches a tier to the bonus in a consumer's hands.

    python -m benchmarks.latency
    python -m benchmarks.latency --seconds 60 --json run.json --svg latency.svg
    python -m benchmarks.latency --share 0                       # only at the steady rate, not near the maximum
    python -m benchmarks.latency --no-pin                        # all of them on all cores

A generator sends at a steady rate, and one record in a hundred reaches a tier. Measured is from the moment that Kafka
has acknowledged that record to the generator, to the moment that a read_committed consumer holds its bonus. Between
them lie the worker's fetch, the count, one Kafka transaction, and the consumer's fetch. The same again at a share of
the most that this machine keeps up with, generator and broker included: found by trying.

The worker has a core of its own; generator, broker, Redis and consumer share the others. What each takes is printed.
"""

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command, cores, histogram, latency_plot, rewards, worker
from benchmarks.core_use import CoreUse
from benchmarks.latency_sender import Sender, Traffic
from benchmarks.latency_watch import Watch
from benchmarks.servers import Ground, Servers, ground, servers

WARM_UP_S = 60.0
"""A broker that has just started compiles itself for so long, and takes a core for it."""

ARRIVE_S = 60.0
EVENTS_A_BONUS = 100
FULL_EVENTS = 400_000
"""Events of a burst: once to warm up, and once to be timed."""

LOOK_S, BEHIND_S, LOWER = 10.0, 1.0, 0.93
"""A rate is tried for as long as a run takes: as state grows, an event costs more. Every so many seconds it is looked
whether the worker is further behind than by what comes in so many; then a lower rate is tried."""

KEPT = 0.98
"""The least share of a rate that the generator must come to."""

PROGRAMS = 3
"""Programmes beside the one that is timed: those of the throughput benchmark."""

PROGRAM = "latency"
_RULES = """\
program: {program}
version: 1
regions: all
subject: video
window: {{rolling: 24h, step: 1m}}
tiers:
  - {{name: views, when: {{views: {least}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: likes, when: {{likes: {least}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: shares, when: {{shares: {least}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: comments, when: {{comments: {least}}}, reward: {{amount: "1.00", currency: USD}}}}
award: once
"""


class Times(NamedTuple):
    """Of one bonus, monotonic s: its record handed to the producer, acknowledged, and the bonus held."""

    sent_s: float
    acknowledged_s: float
    held_s: float


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is measured: servers, partitions of each topic, and the cores that the worker runs on."""

    servers: Servers
    partitions: int
    core: frozenset[int]


@dataclass(frozen=True, slots=True)
class Setup:
    """What one run has to itself: topics, a folder for its programmes, and the cores of its worker."""

    place: Ground
    folder: Path
    core: frozenset[int]


@dataclass(frozen=True, slots=True)
class Run:
    """The times of every bonus after the warm-up. ``rate`` was asked for and ``sent_rate`` kept, events a second.

    ``cores`` is the share of one core that each took, ``waited`` the share of the time in which the worker had none.
    """

    rate: int
    sent_rate: float
    times: list[Times]
    cores: dict[str, float]
    waited: float

    def from_acknowledged_ms(self) -> list[float]:
        """What it took from the acknowledgement on, ascending."""
        return sorted((each.held_s - each.acknowledged_s) * 1e3 for each in self.times)

    def from_sent_ms(self) -> list[float]:
        """What it took from the send on, ascending."""
        return sorted((each.held_s - each.sent_s) * 1e3 for each in self.times)


def main(
    rate: Annotated[int, typer.Option(min=100, max=50_000, help="Events a second.")] = 2_000,
    seconds: Annotated[float, typer.Option(min=1, help="How long each rate is measured.")] = 60,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Also at this share of the maximum; 0: not.")
    ] = 0.8,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    pin: Annotated[bool, typer.Option(help="Give the worker a core of its own.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the distribution to this file.")] = None,
) -> None:
    """How long a bonus takes, from its record acknowledged to the bonus held."""
    worker_core, other_cores = cores.split(pin)
    with cores.on(other_cores), servers() as on:
        site = Site(on, partitions, worker_core)
        runs = [_at(site, rate, seconds)]
        show(runs[0])
        if share:
            most = maximum(site, WARM_UP_S + seconds)
            print(f"It keeps up with {most:,.0f} events a second at most.\n")
            runs.append(_at(site, int(share * most), seconds))
            show(runs[1])
            if not _keeps_up(site, round(most), WARM_UP_S + seconds):
                print(f"By now it does not keep up with {most:,.0f} any more: the machine has become slower.")
    if svg is not None:
        curves = [
            latency_plot.Curve(f"{run.rate:,} events a second", run.from_acknowledged_ms()) for run in runs
        ]
        latency_plot.draw(curves, svg)
    if json is not None:
        json.write_text(json_format.dumps([_figures(run) for run in runs], indent=2) + "\n")


_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def percentiles(ascending: list[float]) -> dict[str, float]:
    """The value at or below which each share of the values lies."""
    last = len(ascending) - 1
    return {name: ascending[min(last, int(share * len(ascending)))] for name, share in _PERCENTILES.items()}


def show(run: Run) -> None:
    """Print a run."""
    table = Table(title=f"{run.rate:,} events a second, {len(run.times):,} bonuses, ms", title_justify="left")
    table.add_column("from")
    for name in _PERCENTILES:
        table.add_column(name, justify="right")
    for start, values in (
        ("record acknowledged", run.from_acknowledged_ms()),
        ("record sent", run.from_sent_ms()),
    ):
        table.add_row(start, *(f"{value:.1f}" for value in percentiles(values).values()))
    Console().print(table)
    taken = ", ".join(f"{name} {share:.0%}" for name, share in run.cores.items())
    print(f"Of a core: {taken}. The worker waited for one {run.waited:.0%} of the time.")
    if run.sent_rate < KEPT * run.rate:
        print(f"The generator kept no more than {run.sent_rate:,.0f} events a second.")
    print(histogram.text(run.from_acknowledged_ms()), "\n", flush=True)


def maximum(site: Site, seconds: float) -> float:
    """Events a second that are kept up with for so long, sent steadily: the first of ever lower rates that are.

    What is counted of a burst is too much: by then the generator has done its share.
    """
    rate = LOWER * _of_a_burst(site)
    while not _keeps_up(site, round(rate), seconds):
        rate *= LOWER
    return rate


def _of_a_burst(site: Site) -> float:
    with _setup(site) as setup, _both(setup, FULL_EVENTS, 2.0) as (sender, it):
        for end in (FULL_EVENTS, 2 * FULL_EVENTS):
            sent = sender.run(FULL_EVENTS, paced=False)
            counted = it.wait_until_counted(end, FULL_EVENTS / worker.LEAST_EVENTS_A_SECOND)
        return FULL_EVENTS / (counted.at_s - sent.began_s)


def _keeps_up(site: Site, rate: int, seconds: float) -> bool:
    """Whether what is sent at this rate, and not a slower one, is counted soon after, for so long."""
    print(f"Trying {rate:,} events a second …", flush=True)
    with _setup(site) as setup, _both(setup, rate, seconds) as (sender, it):
        for looks in range(1, int(seconds / LOOK_S) + 1):
            sent = sender.run(round(LOOK_S * rate))
            behind = looks * sent.events - it.progress().events
            if sent.rate < KEPT * rate or behind > BEHIND_S * rate:
                return False
    return True


@contextmanager
def _setup(site: Site) -> Iterator[Setup]:
    with (
        TemporaryDirectory(prefix="bonus-benchmark-") as folder,
        ground(site.servers, site.partitions) as place,
    ):
        yield Setup(place, Path(folder), site.core)


@contextmanager
def _both(
    setup: Setup, rate: int, seconds: float, events_a_bonus: int = EVENTS_A_BONUS
) -> Iterator[tuple[Sender, worker.Worker]]:
    """A generator with events for so long at ``rate``, and a worker that has taken its partitions."""
    place = setup.place
    _write_rules(setup.folder, events_a_bonus)
    traffic = Traffic(place.servers.kafka, place.prefix, rate, events_a_bonus)
    with Sender(traffic, seconds) as sender, worker.running(place, setup.folder, setup.core) as it:
        it.wait_until_taken(place.partitions)
        yield sender, it


def _at(site: Site, rate: int, seconds: float) -> Run:
    print(f"Sending {rate:,} events a second for {WARM_UP_S + seconds:g} s …", flush=True)
    with _setup(site) as setup:
        return measure(setup, rate, seconds)


def measure(
    setup: Setup,
    rate: int,
    seconds: float,
    events_a_bonus: int = EVENTS_A_BONUS,
    warm_up_s: float = WARM_UP_S,
) -> Run:
    """Send at ``rate`` while a worker runs, until every bonus has come."""
    place = setup.place
    with (
        _both(setup, rate, warm_up_s + seconds, events_a_bonus) as (sender, it),
        Watch(place, PROGRAM) as watch,
    ):
        # A broker that has just started is slow at first: what piles up then is not to be measured.
        warm_up = sender.run(round(warm_up_s * rate))
        watch.wait_for(set(warm_up.sent_s), ARRIVE_S)
        before, use = it.look(), CoreUse.now(place.servers.redis)
        sent = sender.run(round(seconds * rate))
        after, used = it.look(), CoreUse.now(place.servers.redis).since(use)
        watch.wait_for(set(warm_up.sent_s) | set(sent.sent_s), ARRIVE_S)
    times = [
        Times(sent_s, sent.acknowledged_s[event_id], watch.held_s[event_id])
        for event_id, sent_s in sent.sent_s.items()
    ]
    passed_s = after.at_s - before.at_s
    shares = used.shares(passed_s, worker=after.cpu_s - before.cpu_s, generator=sent.cpu_s)
    return Run(rate, sent.rate, times, shares, (after.waited_s - before.waited_s) / passed_s)


def _write_rules(folder: Path, events_a_bonus: int) -> None:
    rewards.write(folder, PROGRAMS)
    (folder / "latency.yaml").write_text(_RULES.format(program=PROGRAM, least=events_a_bonus))


def _figures(run: Run) -> dict[str, object]:
    return {
        "rate": run.rate,
        "sent_rate": run.sent_rate,
        "bonuses": len(run.times),
        "from_acknowledged_ms": percentiles(run.from_acknowledged_ms()),
        "from_sent_ms": percentiles(run.from_sent_ms()),
        "cores": run.cores,
        "waited": run.waited,
    }


if __name__ == "__main__":
    command.run(main)
