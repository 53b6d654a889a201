"""How many events a second one worker takes, and what each costs it.

    python -m benchmarks.throughput
    python -m benchmarks.throughput --events 200000 --programs 9 --json run.json --profile profile.txt

Fills topics of its own with a seeded load, starts ``bonus worker`` with a fresh group, and watches it from its first
records until all of them are checkpointed. Then the stages are measured one by one in this process on the same
topics, and the worker's bonuses are compared with the core's: a fast worker that pays wrong is none.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import command, cores, profile, report, rewards, stages, worker
from benchmarks.load import Load, fill
from benchmarks.reference import reference_us
from benchmarks.servers import Ground, ground, servers
from benchmarks.worker import LEAST_EVENTS_A_SECOND, TAKE_S
from stream.settings import in_ms, parse_duration


@dataclass(frozen=True, slots=True)
class Run:
    """A worker's run from its first records to the last checkpoint.

    ``wall_s`` is from the first look with records counted to the one with all counted, over ``events`` records.
    ``cpu_s`` goes on until all of them are checkpointed. ``waited`` is the share of the wall time in which the worker
    could have run and had no core: much of it, and the wall time says little.
    """

    events: int
    wall_s: float
    cpu_s: float
    checkpoints: int
    transactions: int
    bonuses: int
    max_rss_mib: float
    waited: float

    @property
    def us_an_event(self) -> float:
        """CPU µs an event."""
        return self.cpu_s * 1e6 / self.events


def main(
    events: Annotated[int, typer.Option(min=10_000, help="Events in the topics.")] = 1_000_000,
    creators: Annotated[int, typer.Option(min=1, help="Creators, by Zipf's law.")] = 10_000,
    videos: Annotated[int, typer.Option(min=1, max=99, help="Videos a creator, by Zipf's law.")] = 5,
    viewers: Annotated[int, typer.Option(min=1, help="Viewers, all alike.")] = 200_000,
    programs: Annotated[int, typer.Option(min=1, max=100, help="Programmes of three tiers each.")] = 3,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    span: Annotated[str, typer.Option(help="Event time that the load covers: 90s, 1h, 2d.")] = "1h",
    seed: Annotated[int, typer.Option(help="Another seed is another load.")] = 1,
    pin: Annotated[bool, typer.Option(help="Give the worker a core of its own.")] = True,
    with_stages: Annotated[bool, typer.Option("--stages/--no-stages", help="Measure the stages too.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    profile_to: Annotated[
        Path | None,
        typer.Option("--profile", help="Sample the worker with py-spy; CPU by function goes here."),
    ] = None,
) -> None:
    """How many events a second one worker takes, and what each costs it."""
    load = Load(events, creators, videos, viewers, in_ms(parse_duration(span)), seed)
    console = Console()
    worker_core, other_cores = cores.split(pin)
    with TemporaryDirectory(prefix="bonus-benchmark-") as folder, cores.on(other_cores), servers() as on:
        rules = Path(folder)
        rewards.write(rules, programs)
        with ground(on, partitions) as place:
            console.print(f"Filling {events:,} events …")
            fill(on.kafka, place.prefix, load)
            console.print("Running the worker …")
            run = measure(place, rules, events, worker_core, profile_to)
            paid = [bonus.bonus_id for bonus in place.bonuses()]
            found = None
            with cores.on(worker_core):
                reference = reference_us()
                if with_stages:
                    console.print("Measuring the stages …")
                    found = stages.measure(place, rules, run.checkpoints)
    figures = report.throughput(run, found, reference, load, programs, partitions)
    console.print(report.throughput_table(figures))
    if json is not None:
        report.write(json, figures)
    if len(paid) != len(set(paid)) or (found is not None and found.bonus_ids != set(paid)):
        sys.exit("The worker's bonuses are not those of the core: these figures mean nothing.")


def measure(
    place: Ground, programs: Path, events: int, core: frozenset[int], profile_to: Path | None = None
) -> Run:
    """Run a worker over everything that the topics hold."""
    patience_s = TAKE_S + events / LEAST_EVENTS_A_SECOND
    with worker.running(place, programs, core) as it:
        first = it.wait_until_counted(1, TAKE_S)
        with profile.sampling(it.pid, profile_to) as samples:
            last = it.wait_until_counted(events, patience_s)
            durable = it.wait_until(lambda look: place.committed() >= events, TAKE_S)
        told = it.look().metrics
        run = Run(
            events=events - first.events,
            wall_s=last.at_s - first.at_s,
            cpu_s=durable.cpu_s - first.cpu_s,
            checkpoints=int(told["bonus_checkpoint_seconds_count"]),
            transactions=int(told.get("bonus_transactions_total", 0)),
            bonuses=int(told.get("bonus_bonuses_total", 0)),
            max_rss_mib=it.max_rss_mib(),
            waited=(last.waited_s - first.waited_s) / (last.at_s - first.at_s),
        )
    if profile_to is not None and samples is not None:
        profile_to.write_text(profile.by_function(samples.read_text(), run.us_an_event))
        samples.unlink()
    return run


if __name__ == "__main__":
    command.run(main)
