"""What an event costs as everything around it grows, and what a given rate would take.

    python -m benchmarks.scale                                   # everything, up to a million subjects
    python -m benchmarks.scale --only subjects --most-subjects 10000000
    python -m benchmarks.scale --keep                            # and keep the figures in benchmarks/measured.json
    python -m benchmarks.scale --page                            # renew the tables of docs/scaling.md from those
    python -m benchmarks.scale --plan 1000000                    # partitions, workers, Redis servers, bytes a second

``scale_core`` measures the core along five axes, ``scale_lookups`` what a dict costs, ``scale_worker`` checks the
whole worker at some points, ``memory`` how much state takes. Each point of the core is the best of ``--rounds``, all
points in turn.
"""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from benchmarks import command, cores, markdown, memory, scale_core, scale_lookups, scale_worker
from benchmarks.reference import reference_us
from benchmarks.scale_core import Axis, Cost
from benchmarks.scale_page import (
    MEASURED,
    PAGE,
    PLANNED_SUBJECTS,
    Figures,
    constants,
    plan_table,
    renewed,
    tables,
)
from benchmarks.scale_worker import WorkerCost
from benchmarks.servers import servers
from tests.kafka.broker import kafka_version

CELLS = 400_000


Part = Literal[Axis, "lookups", "workers", "memory"]
"""What can be measured alone."""


def main(
    only: Annotated[Part | None, typer.Option(help="Only this.")] = None,
    events: Annotated[int, typer.Option(min=10_000, help="Events a point of the core.")] = 200_000,
    worker_events: Annotated[int, typer.Option(min=50_000, help="Events a run of a worker.")] = 600_000,
    most_subjects: Annotated[
        int, typer.Option(min=1_000, help="Subjects at most; ten million take 16 GB.")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of the core, of which the best counts.")] = 2,
    seed: Annotated[int, typer.Option(help="Another seed is another load.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help=f"Put the figures into {MEASURED.name}.")] = False,
    page: Annotated[
        bool, typer.Option("--page", help=f"Only renew {PAGE.name} from {MEASURED.name}.")
    ] = False,
    plan: Annotated[int, typer.Option(min=0, help="Only plan for so many events a second.")] = 0,
    subjects: Annotated[int, typer.Option(min=1, help="Subjects to plan for.")] = PLANNED_SUBJECTS,
) -> None:
    """What an event costs as everything around it grows, and what a given rate would take."""
    if plan:
        markdown.show(plan_table(constants(Figures.read(MEASURED)), plan, subjects))
        return
    if page:
        PAGE.write_text(renewed(PAGE.read_text(), Figures.read(MEASURED)))
        return
    figures = Figures(machine())
    for part in (only,) if only else get_args(Part):
        print(f"Measuring {part} …", flush=True)
        match part:
            case "workers":
                figures.workers = list(_workers(worker_events, seed))
            case "lookups":
                figures.lookups = scale_lookups.measure(most_subjects, rounds, seed)
            case "memory":
                with servers() as on:
                    figures.state = memory.measure(on.redis, CELLS)
            case axis:
                figures.core += core_costs(axis, most_subjects, events, rounds, seed)
        markdown.show("\n\n".join(tables(figures, [part])))
    if keep:
        figures.over(Figures.read(MEASURED) if MEASURED.exists() else figures).write(MEASURED)


def core_costs(axis: Axis, most_subjects: int, events: int, rounds: int, seed: int) -> list[Cost]:
    """The points of an axis, each the best of several rounds in turn."""
    points = scale_core.points(axis, most_subjects)
    taken = [[scale_core.measure(point, events, seed) for point in points] for _ in range(rounds)]
    return [min(costs, key=lambda cost: cost.iterations) for costs in zip(*taken, strict=True)]


def _workers(events: int, seed: int) -> Iterator[WorkerCost]:
    with servers() as on:
        for spot in scale_worker.SPOTS:
            yield scale_worker.measure(on, spot, events, seed)


def machine() -> str:
    """Where and when, in a sentence."""
    described = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = described[0] if described else platform.machine()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(cores.split(pin=False)[0])} cores of an {model}, Python "
        f"{platform.python_version()}, Kafka {kafka_version()}, reference loop {reference_us():.3f} µs an iteration."
    )


if __name__ == "__main__":
    command.run(main)
