"""What the pure core costs an event: no Kafka, no Redis, no event loop.

    python -m benchmarks.core
    python -m benchmarks.core --events 1000000 --json core.json

The load of ``benchmarks.throughput``, decoded beforehand, is applied to one partition in chunks as the worker gets
them, and cut as often as the worker would. A row a situation: few programmes or many, a load that stays within the
window or one that rolls through it, many subjects or few.
"""

import gc
import json as json_format
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command, cores, rewards
from benchmarks.load import Load
from benchmarks.reference import reference_us
from schemas.decode import decode
from stream.core.outcome import Event, Rejection
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits, Topic
from stream.programs.load import load as load_programs
from stream.transport.fetching import RUN
from stream.worker.run import gc_thresholds

EVENTS_A_CUT = 20_000
_HOUR_MS = 3_600_000
_TABLE_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Situation:
    """What is run: ``span_ms`` of event time, ``programs`` programmes of three tiers each."""

    name: str
    programs: int = 3
    creators: int = 10_000
    span_ms: int = _HOUR_MS


SITUATIONS = (
    Situation("as benchmarks.throughput"),
    Situation("one programme", programs=1),
    Situation("nine programmes", programs=9),
    Situation("a hundred creators", creators=100),
    Situation("two days: windows roll", span_ms=48 * _HOUR_MS),
)


class Chunk(NamedTuple):
    """Records of one topic as parallel columns."""

    topic: Topic
    offsets: list[int]
    timestamps: list[int]
    decoded: list[Event | Rejection]


class Cost(NamedTuple):
    """CPU µs an event, and what came of it."""

    situation: str
    apply_us: float
    cut_us: float
    subjects: int
    bonuses: int


def main(
    events: Annotated[int, typer.Option(min=10_000, help="Events a situation.")] = 300_000,
    seed: Annotated[int, typer.Option(help="Another seed is another load.")] = 1,
    only: Annotated[str, typer.Option(help="Only situations whose name holds this.")] = "",
    pin: Annotated[bool, typer.Option(help="Stay on one core.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """What the pure core costs an event."""
    gc.set_threshold(*gc_thresholds())
    with cores.on(cores.split(pin)[0]):
        reference = reference_us()
        costs = [measure(each, events, seed) for each in SITUATIONS if only in each.name]
    table = Table(title=f"the core, {events:,} events, CPU µs an event", title_justify="left")
    table.add_column("situation", no_wrap=True)
    for column in ("apply", "cut", "× reference", "events a second", "subjects", "bonuses"):
        table.add_column(column, justify="right")
    for cost in costs:
        whole = cost.apply_us + cost.cut_us
        table.add_row(
            *(cost.situation, f"{cost.apply_us:.2f}", f"{cost.cut_us:.2f}", f"{whole / reference:.1f}"),
            *(f"{1e6 / whole:,.0f}", f"{cost.subjects:,}", f"{cost.bonuses:,}"),
        )
    Console(width=max(Console().width, _TABLE_WIDTH)).print(table)
    if json is not None:
        figures = {"events": events, "reference_us": reference, "costs": [cost._asdict() for cost in costs]}
        json.write_text(json_format.dumps(figures, indent=2) + "\n")


def measure(situation: Situation, events: int, seed: int) -> Cost:
    """Apply a load to an empty partition."""
    return applied(situation, list(chunks_of(situation, events, seed)))


def applied(situation: Situation, chunks: list[Chunk]) -> Cost:
    """Apply these chunks, and cut as often as a worker would."""
    with TemporaryDirectory() as folder:
        rewards.write(Path(folder), situation.programs)
        plan = Plan(load_programs(Path(folder)).programs)
    state = Partition(0, plan, Limits())
    apply_s = cut_s = 0.0
    bonuses = since_cut = 0
    for chunk in chunks:
        began_s = time.thread_time()
        outcome = state.apply(*chunk)
        applied_s = time.thread_time()
        apply_s += applied_s - began_s
        bonuses += len(outcome.bonuses)
        since_cut += len(chunk.offsets)
        if since_cut >= EVENTS_A_CUT:
            since_cut = 0
            state.cut()
            cut_s += time.thread_time() - applied_s
    scale = 1e6 / sum(len(chunk.offsets) for chunk in chunks)
    return Cost(situation.name, apply_s * scale, cut_s * scale, len(state.memory), bonuses)


def chunks_of(situation: Situation, events: int, seed: int) -> Iterator[Chunk]:
    """The load, decoded, a topic's records together once there are as many as the transport hands on at a time."""
    records = Load(events, situation.creators, 5, 200_000, situation.span_ms, seed).records()
    waiting: dict[Topic, Chunk] = {}
    offsets: dict[Topic, int] = {}
    for record in records:
        topic = record.topic
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        chunk = waiting.setdefault(topic, Chunk(topic, [], [], []))
        chunk.offsets.append(offset)
        chunk.timestamps.append(record.timestamp)
        chunk.decoded.append(decode(record.value, topic, 0, 1))
        if len(chunk.offsets) == RUN:
            yield waiting.pop(topic)
    yield from waiting.values()


if __name__ == "__main__":
    command.run(main)
