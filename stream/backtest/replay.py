"""Lines through the core, in the order of the log: bonuses and what was turned away come back in that order.

The log of a partition is its four topics; partitions don't meet. Nothing says here that a topic has been read to its
end, because its lines may stand in the next file: state is pruned by what was read of all topics that a tier names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.decode import Line, decode_line
from schemas.faults import MAX_BYTES
from stream.backtest.lane import Lane
from stream.backtest.lines import RawLine
from stream.backtest.summary import Summary
from stream.backtest.tally import Tally
from stream.core.outcome import Bonus, Event, Rejection
from stream.core.plan import Plan
from stream.core.rules import Limits, Topic

RUN_LINES = 2_000
"""The most lines applied at once; so bonuses appear, and memory for lines is bounded."""
RUN_BYTES = 4 << 20


class TurnedAway(NamedTuple):
    """A line that could not be accepted, and why."""

    line: RawLine
    rejection: Rejection


@dataclass(slots=True)
class _Run:
    """Consecutive lines of one topic-partition, as the columns that the core takes."""

    topic: Topic
    partition: int
    lines: list[RawLine] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    decoded: list[Event | Rejection] = field(default_factory=list)
    size: int = 0


class Replay:
    """A log on its way through the core. ``summary`` counts what went through.

    With two plans both are applied to every line, and ``tallies`` counts what each awards; the results are those of
    the first.
    """

    def __init__(self, plans: Sequence[Plan], limits: Limits) -> None:
        self.summary = Summary()
        self._plans = plans
        self.tallies = tuple(Tally() for _ in plans) if len(plans) > 1 else ()
        self._limits = limits
        self._partitions: dict[int, tuple[Lane, ...]] = {}

    def results(self, lines: Iterable[RawLine]) -> Iterator[Bonus | TurnedAway]:
        """Apply all of ``lines``, which follow what was applied before, and give what each came to."""
        run: _Run | None = None
        for raw in lines:
            offset = self.summary.lines
            self.summary.lines += 1
            line = _decoded(raw)
            if run is not None and (isinstance(line, Rejection) or not _belongs(line, run)):
                yield from self._apply(run)
                run = None
            if isinstance(line, Rejection):
                yield self._turned_away(raw, line)
                continue
            if run is None:
                run = _Run(line.topic, line.partition)
            run.lines.append(raw)
            run.offsets.append(offset if line.offset is None else line.offset)
            run.timestamps.append(line.timestamp)
            run.decoded.append(line.event)
            run.size += len(raw.value)
        if run is not None:
            yield from self._apply(run)

    def _apply(self, run: _Run) -> Iterator[Bonus | TurnedAway]:
        lanes = self._partitions.get(run.partition)
        if lanes is None:
            lanes = self._partitions[run.partition] = self._lanes(run.partition)
        # Only bonuses can differ: what is accepted is decided by the log and the limits.
        outcome, *_ = [lane.apply(run.topic, run.offsets, run.timestamps, run.decoded) for lane in lanes]
        self.summary.count(outcome, run.timestamps)
        yield from outcome.bonuses
        for index, rejection in outcome.turned_away:
            yield TurnedAway(run.lines[index], rejection)

    def _lanes(self, number: int) -> tuple[Lane, ...]:
        tallies = self.tallies or (None,)
        return tuple(
            Lane(number, plan, self._limits, tally) for plan, tally in zip(self._plans, tallies, strict=True)
        )

    def _turned_away(self, line: RawLine, rejection: Rejection) -> TurnedAway:
        self.summary.turn_away(rejection.code)
        return TurnedAway(line, rejection)


def _belongs(line: Line, run: _Run) -> bool:
    return (
        line.topic == run.topic
        and line.partition == run.partition
        and len(run.lines) < RUN_LINES
        and run.size < RUN_BYTES
    )


def _decoded(line: RawLine) -> Line | Rejection:
    if line.length > len(line.value):
        return Rejection("too_large", f"The line has {line.length} bytes; {MAX_BYTES} are accepted.")
    return decode_line(line.value)
