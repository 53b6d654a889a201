"""Expiry: from when on something of an entry can go although nobody touches it any more, and what goes then.

```
horizon    what is accepted from now on occurs at it or later: the least arrival of the topics, less the lateness
due        the horizon from which on something of an entry can go; rounded up, so that it seldom changes
```
A series goes with the last window that could still read its newest cell: what is judged from now on is judged at a
pane that ends after the horizon, and no window reaches back further than the longest. A lifetime count goes some time
after its version has ended. Places go with their period: from then on nothing looks for them (``Partition.apply``).

A latch goes when its award can't be reached any more. A tier is judged at the pane of an accepted add, so that pane
ends after the horizon h, and starts after h less the longest pane.
- ``once_per_window``: the latch holds the start S of a window. The pane is the window; if it started at S too, it
  would be longer than h - S. So with h - S at least the longest window there is, that can't be.
- ``once_per``: the latch holds the start S of a period that ends at E. The pane starts after h less the longest step;
  with h - S at least that step and the longest period together it starts after E, in another period.
- ``once`` has no period: it stays for ever, and so does a latch of a programme that is gone, which may come back.

The windows are those of all versions of the programme, and at least as long as any calendar month: also a version
that is loaded later, and begins before the horizon, pays nothing twice unless its windows are longer than that.
"""

from collections.abc import Callable, Iterable
from typing import Final

from stream.core.awards import is_for_good
from stream.core.conditions import metrics_of
from stream.core.entry import Entry
from stream.core.panes import FOREVER_MS, Span
from stream.core.places import Places
from stream.core.plan import Counter, Plan
from stream.core.rules import (
    TOPICS,
    Calendar,
    OncePer,
    Program,
    Rolling,
    Topic,
    Tumbling,
    Unit,
    Window,
    topic_of,
)
from stream.core.series import Series
from stream.core.subject import Subject, latch_field

Horizon = Callable[[Iterable[Topic]], int]
"""For topics, the instant at or after which occurs whatever they still bring; negative where nothing is known."""

UNKNOWN: Final = -1
"""The due of an entry that was swept: the next cut says what it is, or that there is none."""

DAY_MS: Final = 86_400_000
GRAIN_MS: Final = 3_600_000
"""What dues are rounded up to; for a longer window than 16 h to a sixteenth of it."""

LATE_RULES_MS: Final = 35 * DAY_MS
"""What has ended is kept for so long: rules that are loaded late may still look back on it."""

_LONGEST_MS: dict[Unit, int] = {"day": 2 * DAY_MS, "week": 9 * DAY_MS, "month": 33 * DAY_MS}
"""No local period is longer, whatever its zone does to its clocks."""


class Expiry:
    """Dues under one plan. ``topics`` are those that its programmes name, all where they name none."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rhythms: dict[str, _Rhythm] = {}
        self._latch_life_ms = {
            program.name: _latch_life_ms(program)
            for program in plan.programs
            if not is_for_good(program.award)
        }
        named: frozenset[Topic] = frozenset(
            topic_of(metric)
            for program in plan.programs
            for version in program.versions
            for tier in version.tiers
            for metric in metrics_of(tier.when)
        )
        self.topics = named or frozenset(TOPICS)

    def due(self, entry: Entry) -> int:
        """The horizon after which something of ``entry`` can go, in ms; ``FOREVER_MS`` where nothing ever can."""
        if isinstance(entry, Subject):
            return min(FOREVER_MS, self._subject_due(entry))
        assert isinstance(entry, Places)
        return self._places_due(entry)

    def forget(self, entry: Entry, horizon: Horizon) -> list[str]:
        """Drop what nothing can read any more; the fields that it was checkpointed under."""
        if isinstance(entry, Places):
            return self._forget_places(entry, horizon)
        assert isinstance(entry, Subject)
        gone: list[str] = []
        for name, series in list(entry.each()):
            counter = self._plan.counter(name)
            if counter is not None:
                gone += [f"{name}:{pane}" for pane in forget_cells(counter, series, horizon(counter.topics))]
                if series.head < 0:
                    entry.drop(name)
        return gone + self._forget_latches(entry, horizon(self.topics))

    # Subjects

    def _subject_due(self, subject: Subject) -> int:
        """Asked of each subject that is new, and seldom again: plain on purpose, see ``benchmarks/core.py``."""
        if subject.latch_due_ms == 0:
            subject.latch_due_ms = self._latch_due(subject.latches) if subject.latches else FOREVER_MS
        least = subject.latch_due_ms
        if subject.first is not None:
            least = min(least, self._series_due(subject.first_name, subject.first))
        for name, series in subject.others.items():
            least = min(least, self._series_due(name, series))
        return least

    def _series_due(self, name: str, series: Series) -> int:
        head = series.head
        if head > series.due_to:
            rhythm = self._rhythms.get(name)
            if rhythm is None:
                rhythm = self._rhythms[name] = self._rhythm(name)
            step_ms, longest, grain_ms, counter = rhythm
            if counter is None:
                series.due_ms = _rounded_up((head + longest) * step_ms, grain_ms)
                series.due_to = series.due_ms // step_ms - longest
            else:
                series.due_ms, series.due_to = _rounded_up(_end_ms(counter, head), grain_ms), head
        return series.due_ms

    def _rhythm(self, name: str) -> "_Rhythm":
        """How a series of the plan comes due: by its step and longest window, or by the panes of its counter."""
        counter = self._plan.counter(name)
        if counter is None:
            raise LookupError(f"{name!r} is no counter of the plan")
        longest_ms = counter.step_ms * counter.lengths[-1]
        grain_ms = max(GRAIN_MS, longest_ms // 16)
        return (counter.step_ms, counter.lengths[-1], grain_ms, None if counter.step_ms else counter)

    def _latch_due(self, latches: Iterable[str]) -> int:
        return _rounded_up(min(map(self._latch_end_ms, latches)), DAY_MS)

    def _forget_latches(self, subject: Subject, horizon_ms: int) -> list[str]:
        gone = {latch for latch in subject.latches if self._latch_end_ms(latch) <= horizon_ms}
        if gone:
            for latch in gone:
                del subject.latches[latch]
            subject.fresh_latches = [latch for latch in subject.fresh_latches if latch not in gone]
            subject.latch_due_ms = 0
        return [latch_field(latch) for latch in gone]

    def _latch_end_ms(self, latch: str) -> int:
        """The horizon from which on the award can't be reached."""
        program, _, rest = latch.partition("/")
        start, life_ms = rest.rpartition("/")[2], self._latch_life_ms.get(program)
        return FOREVER_MS if life_ms is None or start == "-" else int(start) + life_ms

    # Places

    def _places_due(self, places: Places) -> int:
        found = self._plan.gate(places.gate)
        if found is None or not any(places.taken.values()):
            return FOREVER_MS
        return _rounded_up(found[1].local.end(places.period), GRAIN_MS)

    def _forget_places(self, places: Places, horizon: Horizon) -> list[str]:
        found = self._plan.gate(places.gate)
        if found is not None and found[1].local.end(places.period) >= horizon([found[0]]):
            return []
        gone = list(places.taken)
        places.taken.clear()
        places.touched.clear()
        return gone


def forget_cells(counter: Counter, series: Series, horizon_ms: int) -> list[int]:
    """Drop the cells that no window can read any more; the panes dropped."""
    if horizon_ms < 0:
        return []
    if isinstance(counter.panes, Span):
        has_ended = counter.end_ms + LATE_RULES_MS <= horizon_ms
        return series.forget_before(series.head + 1) if has_ended else []
    return series.forget_before(counter.panes.pane_of(horizon_ms) - counter.lengths[-1] + 1)


_Rhythm = tuple[int, int, int, Counter | None]


def _end_ms(counter: Counter, pane: int) -> int:
    """The horizon from which on no window can read a pane of a calendar window or a lifetime."""
    if isinstance(counter.panes, Span):
        return counter.end_ms + LATE_RULES_MS
    end = counter.panes.end(pane)
    assert end is not None
    return end


def _rounded_up(at_ms: int, grain_ms: int) -> int:
    """So that what is active is seldom due at another time."""
    return (at_ms + grain_ms - 1) // grain_ms * grain_ms


def _latch_life_ms(program: Program) -> int:
    """How far beyond its period's start the horizon must be for a latch to go."""
    longest_ms = max(LATE_RULES_MS, *(_pane_ms(version.window) for version in program.versions))
    period_ms = _LONGEST_MS[program.award.period.unit] if isinstance(program.award, OncePer) else 0
    return longest_ms + period_ms


def _pane_ms(window: Window) -> int:
    """How long the panes are that a window is judged at."""
    match window:
        case Rolling(step_ms=step_ms):
            return step_ms
        case Tumbling(length_ms=length_ms):
            return length_ms
        case Calendar(period=period):
            return _LONGEST_MS[period.unit]
    return 0
