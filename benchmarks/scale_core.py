"""What an event costs the core as one thing grows and all others stay: subjects, programmes, windows, processes.

Before the measurement every subject has been met once, so that what is measured is traffic among subjects that exist,
and not their making; and the same traffic has gone on for so long that an id is forgotten for each that comes, and
along the axis of windows a cell for each that is written.
"""

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from benchmarks import cores
from benchmarks.apart import side_by_side
from benchmarks.load import SPAN_START_MS
from benchmarks.reference import reference_us
from benchmarks.scale_crowd import Chunk, Crowd, Spread
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.programs.load import load
from stream.settings import in_ms, parse_duration
from stream.worker.run import gc_thresholds

Axis = Literal["subjects", "programs", "windows", "tiers", "processes"]

EVENTS_A_CUT = 20_000
CREATORS, VIDEOS = 10_000, 5
_HOUR_MS = 3_600_000

_PROGRAM = """\
program: {subject}-{n:03}
version: 1
regions: all
subject: {subject}
window: {window}
tiers:
{tiers}
award: {award}
"""
_TIER = '  - {{name: tier-{n}, when: {{{metric}: {least}}}, reward: {{amount: "1.00", currency: USD}}}}'
_OUT_OF_REACH = 1_000_000_000
_MEETING_MS = 12 * _HOUR_MS
"""The event time over which all subjects are met."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement: ``label`` names it on its axis, everything else is what was set up.

    So many programmes are ``paying``: their tiers come within reach. The others count, and have nothing to judge.
    ``span`` is the event time that the measured events cover. ``processes`` do the same at once.
    """

    axis: Axis
    label: str
    creators: int = CREATORS
    spread: Spread = "zipf"
    programs: int = 2
    tiers: int = 3
    window: str = "{rolling: 24h, step: 1m}"
    award: str = "once"
    paying: int = 0
    span: str = "1h"
    processes: int = 1
    limits: Limits = field(default_factory=Limits)


class Cost(NamedTuple):
    """CPU µs an event, and iterations of the reference loop; what was there, and what came of it."""

    axis: str
    label: str
    apply_us: float
    cut_us: float
    reference_us: float
    subjects: int
    fields_an_event: float
    bonuses_an_event: float

    @property
    def iterations(self) -> float:
        """The whole cost in iterations of the reference loop."""
        return (self.apply_us + self.cut_us) / self.reference_us


def points(axis: Axis, most_subjects: int) -> list[Point]:
    """The points of an axis, the usual one first."""
    base = Point(axis, "")
    match axis:
        case "subjects":
            sizes = [10**power for power in range(3, 8) if 10**power <= most_subjects]
            return [
                replace(base, label=f"{size:,}, {spread}", creators=size // (1 + VIDEOS), spread=spread)
                for spread in ("zipf", "even", "few")
                for size in sizes
            ]
        case "programs":
            return [
                replace(base, label=f"{count}, {label}", programs=count, award=award, paying=min(count, most))
                for label, award, most in (
                    ("two pay, once", "once", 2),
                    ("two pay, once a day", "{once_per: day}", 2),
                    ("all pay, once", "once", 100),
                    ("all pay, once a day", "{once_per: day}", 100),
                )
                for count in (2, 4, 10, 30, 100)
            ]
        case "windows":
            return [_window(base, long) for long in ("24h", "1h", "6h", "7d", "30d")]
        case "tiers":
            return [replace(base, label=str(count), tiers=count, paying=2) for count in (1, 2, 3, 4)]
        case "processes":
            most = len(cores.split(pin=False)[0])
            return [
                replace(base, label=str(count), processes=count, paying=2) for count in range(1, most + 1)
            ]


def _window(base: Point, long: str) -> Point:
    """Two of these windows of traffic, in steps of a hundredth; limits are to them what the usual are to a day."""
    window_ms = in_ms(parse_duration(long))

    def share(of_a_day_ms: int) -> int:
        return window_ms * of_a_day_ms // (24 * _HOUR_MS)

    usual = Limits()
    return replace(
        base,
        label=long,
        window=f"{{rolling: {long}, step: {window_ms // 100_000}s}}",
        span=f"{2 * window_ms // 1_000}s",
        limits=Limits(
            allowed_lateness_ms=share(usual.allowed_lateness_ms),
            allowed_skew_ms=share(usual.allowed_skew_ms),
            dedupe_window_ms=share(usual.dedupe_window_ms),
        ),
        paying=2,
    )


def measure(point: Point, events: int, seed: int) -> Cost:
    """Measure a point, in processes of its own; where they are several, on average."""
    costs = side_by_side(point.processes, measure_here, point, events, seed)
    figures = [(each.apply_us, each.cut_us, each.reference_us) for each in costs]
    apply_us, cut_us, reference = (mean(column) for column in zip(*figures, strict=True))
    return costs[0]._replace(apply_us=apply_us, cut_us=cut_us, reference_us=reference)


def measure_here(point: Point, events: int, seed: int) -> Cost:
    """Measure a point in this process."""
    gc.set_threshold(*gc_thresholds())
    with TemporaryDirectory() as folder:
        write_programs(Path(folder), point)
        state = Partition(0, Plan(load(Path(folder)).programs), point.limits)
    crowd = Crowd(point.creators, VIDEOS, point.spread, seed)
    offset, at_ms = crowd.creators * crowd.videos, SPAN_START_MS + _MEETING_MS
    _apply(state, crowd.everybody(SPAN_START_MS, _MEETING_MS))
    span_ms = in_ms(parse_duration(point.span))
    warm_ms = max(point.limits.dedupe_window_ms, span_ms // 2)
    warming = events * warm_ms // span_ms
    offset += _apply(state, crowd.traffic(warming, at_ms, warm_ms, offset)).events
    state.cut()
    traffic = crowd.traffic(events, at_ms + warm_ms, span_ms, offset)
    before_us = reference_us()
    spent = _apply(state, traffic)
    reference = min(before_us, reference_us())
    scale = 1e6 / spent.events
    return Cost(
        point.axis,
        point.label,
        spent.apply_s * scale,
        spent.cut_s * scale,
        reference,
        len(state.memory),
        spent.fields / spent.events,
        spent.bonuses / spent.events,
    )


def write_programs(folder: Path, point: Point) -> None:
    """Programmes of creators and of videos in turn, a file each. Those of one kind share their counter."""
    for number in range(point.programs):
        subject = ("creator", "video")[number % 2]
        lowest = (100 if subject == "creator" else 20) if number < point.paying else _OUT_OF_REACH
        tiers = [
            _TIER.format(n=tier, metric="views", least=(lowest + number) * 3**tier)
            for tier in range(point.tiers)
        ]
        text = _PROGRAM.format(
            n=number, subject=subject, window=point.window, tiers="\n".join(tiers), award=point.award
        )
        (folder / f"{number:03}.yaml").write_text(text)


@dataclass(slots=True)
class _Spent:
    events: int = 0
    apply_s: float = 0.0
    cut_s: float = 0.0
    fields: int = 0
    bonuses: int = 0


def _apply(state: Partition, chunks: Iterator[Chunk]) -> _Spent:
    spent, since_cut = _Spent(), 0
    for chunk in chunks:
        began_s = time.thread_time()
        outcome = state.apply(*chunk)
        applied_s = time.thread_time()
        spent.apply_s += applied_s - began_s
        spent.events += len(chunk.offsets)
        spent.bonuses += len(outcome.bonuses)
        since_cut += len(chunk.offsets)
        if since_cut >= EVENTS_A_CUT:
            since_cut = 0
            changes = state.cut()
            spent.cut_s += time.thread_time() - applied_s
            spent.fields += sum(map(len, changes.subjects.values()))
    return spent
