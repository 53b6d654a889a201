"""Engagement events as producers send them: a view, like, share or comment of one video.

`EngagementEvent` is the truth: the JSON Schema and the docs are made from it, and it judges whatever looks unusual.
`Event` is the same in msgspec's terms: what the fast path decodes, and what the core gets in either case;
`SpelledEvent` is what it decodes of the less usual ones. The tests hold them together.

Where docs/events.md leaves a choice: every field of the table is checked wherever it appears, so a like with a
``watch_ms`` of "a" is refused, although only views are watched. ``added_at`` means something on a ``remove`` only:
on an ``add`` it must be an instant too, but may be any, and is not handed on. `EngagementLine` adds what a line of a
backtest file may say about its place in the log.
"""

from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from schemas.instants import LAST_MS, instant_ms
from stream.core.rules import TOPICS, Topic

MAX_WATCH_MS = 2**31 - 1
MAX_PARTITION = 2**31 - 1
MAX_OFFSET = 2**63 - 1
TOPIC_OF_TYPE: dict[str, Topic] = dict(zip(("view", "like", "share", "comment"), TOPICS, strict=True))

_ID = "a string of 1 to 128 characters without control characters"
_INSTANT = f"an integer of Unix milliseconds from 0 to {LAST_MS}, or an RFC 3339 string with an offset"
EXPECTED: dict[str, str] = {
    "event_id": _ID,
    "creator_id": _ID,
    "video_id": _ID,
    "viewer_id": _ID,
    "occurred_at": _INSTANT,
    "region": "a string of two letters A to Z",
    "campaign_id": f"{_ID}, or null",
    "watch_ms": f"an integer from 0 to {MAX_WATCH_MS}",
    "source": "a string of 1 to 64 characters",
    "paid": "true or false",
    "action": '"add" or "remove"',
    "added_at": f"{_INSTANT}, or null",
    "type": '"view", "like", "share" or "comment"',
    "partition": f"an integer from 0 to {MAX_PARTITION}",
    "offset": f"an integer from 0 to {MAX_OFFSET}",
    "timestamp": f"an integer of Unix milliseconds from -1 to {MAX_OFFSET}",
}
"""What each field must be, for the sentence in a rejection."""


def _instant(value: object) -> int:
    if type(value) is not int and type(value) is not str:
        raise PydanticCustomError("wrong_type", "neither an integer nor a string")
    ms = instant_ms(value)
    if ms is None:
        raise PydanticCustomError("bad_value", "not an instant")
    return ms


def _string(value: object) -> object:
    if type(value) is not str:
        raise PydanticCustomError("wrong_type", "not a string")
    return value


def _given(value: object) -> object:
    if value is None:
        raise PydanticCustomError("wrong_type", "null")
    return value


def _no_default(schema: JsonDict) -> None:
    """Left out means something, null is refused: so null must not show as the default."""
    schema.pop("default", None)


_INSTANT_SCHEMA: JsonDict = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": LAST_MS},
        {"type": "string", "format": "date-time"},
    ]
}
# U+0000 to U+001F, U+007F to U+009F: the category Cc of Unicode.
_NO_CONTROLS = r"^[^\x00-\x1F\x7F-\x9F]+$"

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=_NO_CONTROLS)]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_INSTANT_SCHEMA)]
Action = Annotated[Literal["add", "remove"], BeforeValidator(_string)]
_Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]
_Timestamp = Annotated[int, Field(ge=-1, le=MAX_OFFSET)]
Type = Annotated[Literal["view", "like", "share", "comment"], BeforeValidator(_string)]


class EngagementEvent(BaseModel):
    """A view, like, share or comment of one video, or one of the last three taken back."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    event_id: Id = Field(description="The producer's id of this event; the same id again counts once.")
    creator_id: Id = Field(description="Whose video; also the Kafka key, which decides the partition.")
    video_id: Id = Field(description="Which of the creator's videos.")
    viewer_id: Id = Field(description="Who viewed, liked, shared or commented.")
    occurred_at: Instant = Field(description="When it happened; RFC 3339 is floored to milliseconds.")
    region: str = Field(description="The creator's programme region.", pattern="^[A-Z]{2}$")
    campaign_id: Id | None = Field(None, description="The brand campaign that the video is part of.")
    watch_ms: int = Field(0, ge=0, le=MAX_WATCH_MS, description="How long it was watched, in ms; for views.")
    source: str = Field(
        "other", min_length=1, max_length=64, description="Where it was seen: for_you, search, …"
    )
    paid: bool = Field(False, description="Whether the traffic was bought.")
    action: Action = Field("add", description="`remove` takes an earlier like, share or comment back.")
    added_at: Instant | None = Field(
        None, description="On a remove: when the thing taken back had occurred, not after `occurred_at`."
    )

    @model_validator(mode="after")
    def _taken_back_after_it_was(self) -> Self:
        if self.action == "remove" and self.added_at is not None and self.added_at > self.occurred_at:
            raise PydanticCustomError("bad_value", "added_at must not be after occurred_at.")
        return self


class Place(BaseModel):
    """Where a line of a backtest file stands in the log; all but ``type`` may be left out."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    type: Type = Field(description="Decides the topic: views, likes, shares, comments.")
    partition: int = Field(
        0, ge=0, le=MAX_PARTITION, description="The partition; not checked against the creator."
    )
    offset: Annotated[_Offset | SkipJsonSchema[None], BeforeValidator(_given)] = Field(
        None, description="The offset; by default the line's running number.", json_schema_extra=_no_default
    )
    timestamp: Annotated[_Timestamp | SkipJsonSchema[None], BeforeValidator(_given)] = Field(
        None,
        description="The Kafka timestamp, Unix ms; by default `occurred_at`.",
        json_schema_extra=_no_default,
    )


class EngagementLine(EngagementEvent, Place):
    """An engagement event as a line of a file: the event, and its place in the log."""


# To the type checker, an event's fields are what the core is promised. What msgspec takes for one is narrower:
# the way nearly all are written.
if TYPE_CHECKING:
    _PlainInstant = int
    _PlainAction = str
    _NoInstant = int | None
    _AnyInstant = int
    _AnyAction = str
    _Region = str
else:
    _PlainInstant = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]
    _PlainAction = Literal["add"]
    _NoInstant = type(None)
    _AnyInstant = _PlainInstant | str
    _AnyAction = Literal["add", "remove"]
    _Region = Literal[tuple(first + second for first, second in product(ascii_uppercase, repeat=2))]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Event(msgspec.Struct, gc=False):
    """A valid engagement event. ``occurred_at`` and ``added_at`` are Unix ms, ``watch_ms`` is in ms.

    Decoded are only those that need no second look: an ``add`` with its instant in ms.
    """

    event_id: _Id
    creator_id: _Id
    video_id: _Id
    viewer_id: _Id
    occurred_at: _PlainInstant
    region: _Region
    campaign_id: _Id | None = None
    watch_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_WATCH_MS)] = 0
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "other"
    paid: bool = False
    action: _PlainAction = "add"
    added_at: _NoInstant = None


class SpelledEvent(Event, gc=False):
    """An event in any spelling: it may be a ``remove``, and its instants may be strings that are still to be read."""

    occurred_at: _AnyInstant
    action: _AnyAction = "add"
    added_at: _AnyInstant | None = None
