"""Panes: how event time is cut. A window is a number of consecutive panes that end with one of them.

```
Fixed(60s)          |0     |1     |2     |3     |     pane k is [k*step, (k+1)*step), from the epoch
Local(day, NY)      |     d     |    d+1   |  d+2     cut at the first instant of each local day
Span(from, until)   ----- 0 ----|---- 1 ----|         0 lies before `from`, 1 in [from, until)
```
All three answer the same three questions: which pane holds an instant, where a pane starts, where it ends.
A rolling window is many Fixed panes, a tumbling or calendar window is one pane, a lifetime window is a Span's
panes 0 and 1 together. Instants are Unix ms, non-negative; spans are half-open; None is unbounded.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from stream.core.rules import Period

FOREVER_MS: Final = (1 << 62) - 1
"""An instant after all others: an absent ``until``. Compiled code holds no larger integer without
an object."""

_DAY_MS = 86_400_000
_LAST_ORDINAL = date.max.toordinal()


class Panes(Protocol):
    """A cut of event time into numbered panes, ascending with time."""

    def pane_of(self, at_ms: int) -> int:
        """The pane that holds ``at_ms``."""
        ...

    def start(self, pane: int) -> int | None:
        """The pane's first instant; None where it has none."""
        ...

    def end(self, pane: int) -> int | None:
        """The first instant after the pane; None where it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Panes of ``step_ms`` from the epoch."""

    step_ms: int

    def pane_of(self, at_ms: int) -> int:
        return at_ms // self.step_ms

    def start(self, pane: int) -> int:
        return pane * self.step_ms

    def end(self, pane: int) -> int:
        return (pane + 1) * self.step_ms


@dataclass(frozen=True, slots=True)
class Span:
    """Pane 1 is ``[from_ms, until_ms)``; pane 0 is all before it, pane 2 all after."""

    from_ms: int | None
    until_ms: int | None

    def pane_of(self, at_ms: int) -> int:
        if self.from_ms is not None and at_ms < self.from_ms:
            return 0
        return 2 if self.until_ms is not None and at_ms >= self.until_ms else 1

    def start(self, pane: int) -> int | None:
        return (None, self.from_ms, self.until_ms)[pane]

    def end(self, pane: int) -> int | None:
        return (self.from_ms, self.until_ms, None)[pane]


class Local:
    """Local days, weeks (from Monday) or months of a time zone.

    A period starts at the first instant of its first local day: usually midnight, later where the clock skips
    midnight, and the earlier of two where it strikes twice. So a day has 23, 24 or 25 hours, or whatever its
    zone makes of it, and every instant is in exactly one period.

    Panes are numbered by day ordinal, by week since 0001-01-01 (a Monday), or by month as ``year*12 + month-1``.
    """

    __slots__ = ("_end", "_number", "_start", "period")

    def __init__(self, period: Period) -> None:
        self.period = period
        # The period of the last question: neighbours in a log almost always share it.
        self._number, self._start, self._end = -1, 0, 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and other.period == self.period

    def __hash__(self) -> int:
        return hash(self.period)

    def pane_of(self, at_ms: int) -> int:
        if not self._start <= at_ms < self._end:
            self._number = number = self._find(at_ms)
            self._start, self._end = self.start(number), self.end(number)
        return self._number

    def start(self, pane: int) -> int:
        return _first_instant(_first_day(self.period.unit, pane), self.period.timezone)

    def end(self, pane: int) -> int:
        return self.start(pane + 1)

    def _find(self, at_ms: int) -> int:
        number = self._number_of(_local_day(at_ms, self.period.timezone))
        # A clock that is put back over midnight shows the old date again: the new period has begun all the same.
        return number + 1 if self.end(number) <= at_ms else number

    def _number_of(self, day: int) -> int:
        if self.period.unit == "day":
            return day
        if self.period.unit == "week":
            return (day - 1) // 7
        there = date.fromordinal(min(day, _LAST_ORDINAL))
        return there.year * 12 + there.month - 1 + (day > _LAST_ORDINAL)


def _first_day(unit: str, number: int) -> int:
    """The ordinal of a period's first day; it may lie past the calendar's last."""
    if unit == "day":
        return number
    if unit == "week":
        return number * 7 + 1
    year, month = divmod(number, 12)
    if year > 9999:  # where local time is ahead January begins, and February ends it
        return _LAST_ORDINAL + 1 + 31 * month
    return date(year, month + 1, 1).toordinal()


def _local_day(at_ms: int, timezone: str) -> int:
    """The ordinal of the local date at an instant."""
    try:
        return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(timezone)).toordinal()
    except (OverflowError, ValueError):  # local time lies beyond year 9999
        return _LAST_ORDINAL + 1


@lru_cache(maxsize=65_536)
def _first_instant(day: int, timezone: str) -> int:
    """Unix ms of the first instant at which the local date is ``day`` or later."""
    zone = ZoneInfo(timezone)
    if day > _LAST_ORDINAL:  # Python's calendar ends with the day before
        return _first_instant(_LAST_ORDINAL, timezone) + (day - _LAST_ORDINAL) * _DAY_MS
    midnight = datetime.combine(date.fromordinal(day), datetime.min.time())
    at_s = int(midnight.replace(tzinfo=zone).timestamp())
    if datetime.fromtimestamp(at_s, zone).replace(tzinfo=None) == midnight:
        return at_s * 1000
    # Midnight is skipped: find the second at which the clock jumps over it.
    before, after = at_s - 2 * 86_400, at_s
    while after - before > 1:
        middle = (before + after) // 2
        reached = (datetime.fromtimestamp(middle, UTC).astimezone(zone)).toordinal() >= day
        before, after = (before, middle) if reached else (middle, after)
    return after * 1000
