"""The tables of docs/scaling.md, made of the figures of a run, so that page and figures can't drift apart.

A table stands between ``<!-- NAME -->`` and ``<!-- end -->``; everything else of the page is written by hand.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import msgspec

from benchmarks import markdown, memory, scale_plan
from benchmarks.load import Load
from benchmarks.scale_core import VIDEOS, Cost
from benchmarks.scale_lookups import Lookup
from benchmarks.scale_plan import Constants
from benchmarks.scale_worker import WorkerCost
from schemas.decode import decode
from stream.core.outcome import Rejection

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
MEASURED = Path(__file__).with_name("measured.json")
PLANNED_RATE, PLANNED_SUBJECTS, PLANNED_PANES = 1_000_000, 10_000_000, 10

_TABLE = re.compile(r"<!-- (?!end)(?P<name>[a-z]+) -->\n.*?<!-- end -->", re.DOTALL)
_SAMPLE = 10_000
_RECORD_OVERHEAD_BYTES = 10  # a record's own lengths, offset and time within a batch


@dataclass(slots=True)
class Figures:
    """What a run measured, as far as it did; ``machine`` says where and when. Kept as JSON."""

    machine: str
    core: list[Cost] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)
    workers: list[WorkerCost] = field(default_factory=list)
    state: memory.Figures | None = None

    @classmethod
    def read(cls, path: Path) -> "Figures":
        """The figures that ``write`` wrote."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def write(self, path: Path) -> None:
        """Keep the figures."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    def over(self, older: "Figures") -> "Figures":
        """These figures, and of the older ones what was not measured anew."""
        axes = {cost.axis for cost in self.core}
        return Figures(
            self.machine,
            self.core + [cost for cost in older.core if cost.axis not in axes],
            self.lookups or older.lookups,
            self.workers or older.workers,
            self.state or older.state,
        )


def constants(figures: Figures) -> Constants:
    """What a plan is reckoned from. Raises ValueError where workers or memory were not measured."""
    if figures.state is None or not figures.workers:
        raise ValueError("a plan needs the figures of workers and memory")
    usual = figures.workers[0]
    held = next(row for row in figures.state.held if row.panes == PLANNED_PANES)
    sample = list(Load(_SAMPLE, 1_000, VIDEOS, 1_000, 3_600_000, seed=1).records())
    event = decode(sample[0].value, sample[0].topic, 0, 1)
    assert not isinstance(event, Rejection)
    return Constants(
        worker_us=usual.cpu_us,
        redis_us=usual.redis_cpu_us,
        redis_in_bytes=usual.redis_in_bytes,
        id_characters=len(event.event_id),
        record_bytes=mean(len(each.key) + len(each.value) for each in sample) + _RECORD_OVERHEAD_BYTES,
        worker_base_bytes=min(spot.rss_mib for spot in figures.workers) * 2**20,
        worker_id_bytes=figures.state.ids.worker_bytes,
        redis_id_bytes=figures.state.ids.redis_bytes,
        worker_subject_bytes=held.worker_bytes,
        redis_subject_bytes=held.redis_bytes,
    )


def renewed(page: str, figures: Figures) -> str:
    """The page with the tables of these figures. Raises KeyError for a table that nobody knows."""
    made = {name: "\n\n".join(tables(figures, [name])) for name in _TABLE.findall(page)}
    return _TABLE.sub(lambda found: f"<!-- {found['name']} -->\n{made[found['name']]}\n<!-- end -->", page)


def tables(figures: Figures, names: Iterable[str]) -> Iterator[str]:
    """Tables by name, in Markdown."""
    for name in names:
        match name:
            case "subjects" | "programs" | "windows" | "tiers" | "processes":
                yield _axis(figures.core, name)
            case "lookups":
                yield _lookups(figures.lookups)
            case "workers":
                yield _workers(figures.workers)
            case "memory":
                assert figures.state is not None
                yield from memory.tables(figures.state)
            case "plan":
                yield plan_table(constants(figures), PLANNED_RATE, PLANNED_SUBJECTS)
            case "machine":
                yield figures.machine
            case _:
                raise KeyError(name)


def plan_table(known: Constants, events_a_second: int, subjects: int) -> str:
    """The plan for a rate."""
    rows = scale_plan.plan(known, events_a_second, subjects)
    return markdown.table(["", "reckoned from", ""], rows, left=2)


def _axis(costs: Iterable[Cost], axis: str) -> str:
    points = [cost for cost in costs if cost.axis == axis]
    rows = [
        (
            cost.label,
            f"{cost.apply_us:.2f}",
            f"{cost.cut_us:.2f}",
            f"{cost.iterations:.1f}",
            f"{cost.iterations / points[0].iterations:.2f}",
            f"{cost.fields_an_event:.2f}",
            f"{cost.bonuses_an_event * 1_000:.1f}",
        )
        for cost in points
    ]
    heads = [
        axis,
        "apply, µs",
        "cut, µs",
        "× reference",
        "to the first",
        "fields an event",
        "bonuses of 1,000",
    ]
    return markdown.table(heads, rows)


def _lookups(costs: Sequence[Lookup]) -> str:
    rows = [
        (f"{cost.keys:,}", f"{cost.lookup_us:.2f}", f"{cost.lookup_us - costs[0].lookup_us:.2f}")
        for cost in costs
    ]
    return markdown.table(["keys", "CPU µs a lookup", "more than among the fewest"], rows, left=0)


def _workers(costs: Iterable[WorkerCost]) -> str:
    rows = [
        (
            cost.label,
            f"{cost.cpu_us:.2f}",
            f"{cost.events_a_second:,.0f}",
            f"{cost.waited:.0%}",
            f"{cost.rss_mib:,.0f}",
            f"{cost.redis_cpu_us:.2f}",
            f"{cost.redis_in_bytes:.0f}",
        )
        for cost in costs
    ]
    heads = [
        "",
        "CPU µs an event",
        "events a second",
        "waited for a core",
        "most MiB",
        "Redis CPU µs an event",
    ]
    return markdown.table([*heads, "bytes to Redis an event"], rows)
