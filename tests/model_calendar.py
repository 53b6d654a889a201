"""Local calendar periods by brute force: the model's own reading of a time zone's clock.

A period begins at the first instant whose local date has reached its first day::

    local clock   23:58 23:59 | 00:00 | 23:01 …      (a clock set back at 00:01)
    periods       ------------)[------------------

so the minutes that are lived through twice belong to the new day, and a day whose midnight is skipped begins
with the first minute it has.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from stream.core.rules import Period, Unit

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def period_of(period: Period, at: int) -> tuple[int, int]:
    """The local period that holds ``at``: its first instant and the first instant after it, in Unix ms."""
    local = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(period.timezone)).date()
    first = _first_day(period.unit, local)
    # A clock set back across midnight shows the old date in the new period: so look at both neighbours.
    days = [_before(period.unit, first), first]
    while len(days) < 4:
        days.append(_after(period.unit, days[-1]))
    cuts = [first_instant(day, period.timezone) for day in days]
    return max(cut for cut in cuts if cut <= at), min(cut for cut in cuts if cut > at)


@cache
def first_instant(day: date, timezone: str) -> int:
    """The first instant, in Unix ms, at which the local date is ``day`` or later."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    # Since 1970 clocks have been set by whole minutes, but an offset may have seconds.
    minute = _scan(start, timedelta(minutes=1), day, ZoneInfo(timezone))
    second = _scan(minute - timedelta(minutes=1), timedelta(seconds=1), day, ZoneInfo(timezone))
    return (second - _EPOCH) // timedelta(milliseconds=1)


def _scan(instant: datetime, step: timedelta, day: date, zone: ZoneInfo) -> datetime:
    """The first instant from ``instant`` on, by steps, whose local date is ``day`` or later."""
    while instant.astimezone(zone).date() < day:
        instant += step
    return instant


def _first_day(unit: Unit, day: date) -> date:
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def _before(unit: Unit, first: date) -> date:
    return _first_day(unit, first - _DAY)


def _after(unit: Unit, first: date) -> date:
    return _first_day(unit, first + {"day": 1, "week": 7, "month": 31}[unit] * _DAY)
