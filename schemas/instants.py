"""Instants on the wire: Unix milliseconds, or RFC 3339 strings that are floored to milliseconds.

What RFC 3339 leaves open, or is easy to get wrong, and how it is read here:

```
1970-01-01T00:00:00.0009Z     0          any number of digits; what is below a millisecond is cut off
2026-01-01t00:00:00z          accepted   the grammar's T and Z may be lower case (section 5.6)
2026-01-01 00:00:00Z          refused    the grammar has no blank, the note below it is about other syntaxes
2026-01-01T00:00:00-00:00     accepted   UTC, the local offset unknown (section 4.3)
2026-01-01T00:00:00           refused    the offset is needed; it is 23:59 at most
2016-12-31T23:59:60Z          accepted   as the second after it, as Unix time has no room for leap seconds;
2017-01-01T05:29:60+05:30     accepted   only at 23:59 UTC on June 30 or December 31 (section 5.7)
2026-01-01T24:00:00Z          refused    hours end at 23
2026-02-30T00:00:00Z          refused    the day has to exist
0000-01-01T00:00:00Z          refused    like everything before 1970
9999-12-31T23:59:59.9999Z     accepted   the last millisecond that is
```
"""

import re
from datetime import date

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]"
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_S = 86_400


def instant_ms(value: object) -> int | None:
    """Unix ms of an integer or an RFC 3339 string within 0 to `LAST_MS`; ``None`` for anything else."""
    if type(value) is str:
        return _parse(value)
    if type(value) is int and 0 <= value <= LAST_MS:
        return value
    return None


def _parse(text: str) -> int | None:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError:
        return None
    seconds = days * _DAY_S + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign is not None:
        offset = int(offset_hour) * 3600 + int(offset_minute) * 60
        seconds += -offset if sign == "+" else offset
    ms = seconds * 1000 + (int(fraction[:3].ljust(3, "0")) if fraction else 0)
    if not 0 <= ms <= LAST_MS or (second == "60" and not _follows_leap_second(seconds)):
        return None
    return ms


def _follows_leap_second(seconds: int) -> bool:
    """Whether a Unix second is the first of a January or July, UTC: the only ones a leap second may precede."""
    days, rest = divmod(seconds, _DAY_S)
    following = date.fromordinal(days + _EPOCH)
    return rest == 0 and following.day == 1 and following.month in (1, 7)
