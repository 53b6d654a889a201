"""Figures as JSON, for comparing runs, and as tables, for people."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from rich.table import Table

from benchmarks.load import Load
from benchmarks.stages import Stages

if TYPE_CHECKING:
    from benchmarks.throughput import Run


class Throughput(TypedDict):
    """What a throughput run is remembered by. Times are as their names say, ``reference_us`` is of one iteration."""

    events: int
    creators: int
    programs: int
    partitions: int
    span_ms: int
    seed: int
    wall_s: float
    cpu_s: float
    events_a_second: float
    events_a_second_a_core: float
    cpu_us_an_event: float
    stages_us_an_event: dict[str, float]
    reference_us: float
    bonuses: int
    transactions: int
    checkpoints: int
    max_rss_mib: float
    waited: float


def throughput(
    run: "Run", found: Stages | None, reference_us: float, load: Load, programs: int, partitions: int
) -> Throughput:
    """The figures of a run."""
    by_stage = {} if found is None else found.us_an_event()
    if by_stage:
        by_stage["rest of the worker"] = run.us_an_event - sum(by_stage.values())
    return Throughput(
        events=load.events,
        creators=load.creators,
        programs=programs,
        partitions=partitions,
        span_ms=load.span_ms,
        seed=load.seed,
        wall_s=run.wall_s,
        cpu_s=run.cpu_s,
        events_a_second=run.events / run.wall_s,
        events_a_second_a_core=1e6 / run.us_an_event,
        cpu_us_an_event=run.us_an_event,
        stages_us_an_event=by_stage,
        reference_us=reference_us,
        bonuses=run.bonuses,
        transactions=run.transactions,
        checkpoints=run.checkpoints,
        max_rss_mib=run.max_rss_mib,
        waited=run.waited,
    )


def throughput_table(figures: Throughput) -> Table:
    """The figures of a run, what each event costs last."""
    title = (
        f"{figures['events']:,} events, {figures['creators']:,} creators, {figures['programs']} programmes, "
        f"{figures['partitions']} partitions, one worker"
    )
    table = Table(title=title, title_justify="left")
    for name in ("", "", "of all", "× reference"):
        table.add_column(name, justify="right" if name or table.columns else "left")
    table.add_row("events a second, wall", f"{figures['events_a_second']:,.0f}")
    table.add_row("events a second a core", f"{figures['events_a_second_a_core']:,.0f}")
    table.add_row("waited for a core", f"{figures['waited']:.0%} of the time")
    table.add_row("bonuses", f"{figures['bonuses']:,}")
    table.add_row("transactions", f"{figures['transactions']:,}")
    table.add_row("checkpoints", f"{figures['checkpoints']:,}")
    table.add_row("most memory, MiB", f"{figures['max_rss_mib']:,.0f}", end_section=True)
    whole, unit = figures["cpu_us_an_event"], figures["reference_us"]
    for stage, us in figures["stages_us_an_event"].items():
        table.add_row(f"CPU µs an event: {stage}", f"{us:.2f}", f"{us / whole:.0%}", f"{us / unit:.1f}")
    table.add_row("CPU µs an event: the worker", f"{whole:.2f}", "100%", f"{whole / unit:.1f}")
    return table


def write(path: Path, figures: Throughput) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n")
