"""The scalars of a programme document: what each may look like, what was expected, and what it means.

A scalar keeps its text (``24h`` stays ``24h``), so that a document can be stored and restored word for word; the
functions give the meaning, in milliseconds. Decimals arrive as ``decimal.Decimal`` or text and never pass through
a binary float.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from schemas import instants

MAX_INTEGER = 2**63 - 1
MAX_DURATION_MS = instants.LAST_MS
MAX_HOURS = 10**12
MAX_DECIMALS = 18
MS_PER_HOUR = 3_600_000
MS_PER_UNIT = {"s": 1_000, "m": 60_000, "h": MS_PER_HOUR, "d": 86_400_000}

EXPECTED = "expected"
"""The error type of every scalar: its context ``what`` completes the sentence "expected …"."""

DURATION = re.compile(r"(0|[1-9][0-9]{0,14})([smhd])")
HOURS = re.compile(r"[0-9]{1,13}(\.[0-9]{1,18})?")


def duration_ms(text: str) -> int:
    """Milliseconds of a duration such as ``10s``, ``5m``, ``24h`` or ``30d``; a day is 24 h; else ``ValueError``."""
    match = DURATION.fullmatch(text)
    length_ms = int(match[1]) * MS_PER_UNIT[match[2]] if match else MAX_DURATION_MS + 1
    if length_ms > MAX_DURATION_MS:
        raise ValueError(f"{text!r} is no duration")
    return length_ms


def some_duration_ms(text: str) -> int:
    """Like ``duration_ms``, and above 0."""
    length_ms = duration_ms(text)
    if length_ms == 0:
        raise ValueError(f"{text!r} is no length")
    return length_ms


def instant_ms(text: str) -> int:
    """Unix milliseconds, floored, of an RFC 3339 time with its offset, 1970 to 9999; else ``ValueError``."""
    unix_ms = instants.instant_ms(text)
    if unix_ms is None:
        raise ValueError(f"{text!r} is no time with an offset")
    return unix_ms


def instant_text(unix_ms: int) -> str:
    """The time in UTC of Unix milliseconds, for people to read."""
    moment = datetime.fromtimestamp(unix_ms // 1000, UTC) + timedelta(milliseconds=unix_ms % 1000)
    return moment.isoformat(timespec="milliseconds" if unix_ms % 1000 else "seconds").replace("+00:00", "Z")


def hours_ms(hours: int | Decimal | str) -> int:
    """The least whole milliseconds of watch time that make up ``hours``, exactly."""
    return math.ceil(Fraction(hours) * MS_PER_HOUR)


@cache
def timezones() -> frozenset[str]:
    """Every IANA time zone name of the installed database, in its exact spelling."""
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


@dataclass(frozen=True, slots=True)
class Told:
    """Whatever is wrong with a scalar, says once and in words what was expected of it.

    ``what`` completes "expected …"; ``unit`` is what the scalar is measured in, empty where that means nothing.
    """

    what: str
    unit: str = ""

    def __call__(self, value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise PydanticCustomError(EXPECTED, "expected {what}", {"what": self.what}) from None


def told(what: str, unit: str = "") -> WrapValidator:
    """What is expected of a scalar, for whoever wrote something else and for the reference."""
    return WrapValidator(Told(what, unit))


def understood(parse: Callable[[str], int]) -> AfterValidator:
    """Keep the text as written, once ``parse`` has understood it."""

    def validate(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(validate)


def _known_timezone(name: str) -> str:
    if name not in timezones():
        raise ValueError(f"{name!r} is no time zone")
    return name


def _hours(value: object) -> int | Decimal | str:
    is_text = isinstance(value, str) and HOURS.fullmatch(value) is not None
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if isinstance(value, int | Decimal | str) and (is_text or is_number):
        hours = Decimal(value)
        exponent = hours.as_tuple().exponent  # a letter for what is not finite
        if isinstance(exponent, int) and exponent >= -MAX_DECIMALS and 0 < hours <= MAX_HOURS:
            return value
    raise ValueError(f"{value!r} is no number of hours")


def _true(value: object) -> bool:
    if value is not True:  # a plain Literal[True] would take 1 as well
        raise ValueError(f"{value!r} is not true")
    return value


ProgramName = Annotated[
    str,
    StringConstraints(pattern="^[a-z0-9-]{1,64}$"),
    told("1 to 64 of a-z, 0-9 and -, in quotes if all are digits"),
]
TierName = Annotated[
    str,
    StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$"),
    told("1 to 64 of A-Z, a-z, 0-9, _ and -, in quotes if all are digits"),
]
Natural = Annotated[int, Field(ge=1, le=MAX_INTEGER), told("an integer of at least 1, below 2⁶³")]
Count = Annotated[
    int, Field(ge=1, le=MAX_INTEGER), told("an integer of at least 1, below 2⁶³", unit="events")
]
Hours = Annotated[
    Decimal | int | str,
    PlainValidator(_hours),
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "maximum": MAX_HOURS,
            "pattern": f"^{HOURS.pattern}$",
        }
    ),
    told(
        f"hours as a decimal above 0, such as 12.5, up to 10¹² with at most {MAX_DECIMALS} decimal places",
        unit="hours",
    ),
]
Region = Annotated[
    str, StringConstraints(pattern="^[A-Z]{2}$"), told("a region of two letters A-Z, such as US")
]
CampaignId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"),
    told("a campaign id: a string of 1 to 128 characters, none of them a control character"),
]
Source = Annotated[
    str, StringConstraints(min_length=1, max_length=64), told("a source: a string of 1 to 64 characters")
]
Duration = Annotated[
    str,
    understood(some_duration_ms),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,14}[smhd]$"}),
    told("a duration such as 10s, 5m, 24h or 30d", unit="s, m, h or d, of 24 h"),
]
LeastWatch = Annotated[
    str,
    understood(duration_ms),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION.pattern}$"}),
    told("a duration such as 5s", unit="s, m, h or d, of 24 h"),
]
Instant = Annotated[
    str,
    StringConstraints(max_length=64),
    understood(instant_ms),
    WithJsonSchema({"type": "string", "format": "date-time"}),
    told("a time from 1970 on with its offset, such as 2026-01-01T00:00:00Z", unit="RFC 3339, cut to ms"),
]
Timezone = Annotated[
    str,
    AfterValidator(_known_timezone),
    told("an IANA time zone in its exact spelling, such as America/New_York"),
]
Unit = Annotated[Literal["day", "week", "month"], told("day, week or month")]
Subject = Annotated[Literal["creator", "video"], told("creator or video")]
Flag = Annotated[bool, told("true or false")]
Yes = Annotated[Literal[True], PlainValidator(_true), WithJsonSchema({"const": True}), told("true")]
Amount = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$"),
    told(
        'a decimal of at least 0 in quotes, such as "5.00", with at most 18 digits and 9 decimal places',
        unit="of the currency",
    ),
]
Currency = Annotated[
    str, StringConstraints(pattern="^[A-Z]{3}$"), told("a currency of three letters A-Z, such as USD")
]
