"""From the bytes of a record, or of a file's line, to an event; or to the reason why it can't be accepted.

```
value ──► plain? ──yes──► msgspec ──ok──► times, region ──ok──► partition? ──► Event
            │no             │no               │no                   │no
            └───────────────┴── json + pydantic (schemas.faults) ───┴────────► Rejection
                                        └── Event, when it was only unusual
```
A valid event takes about 1 µs on the way straight through. What msgspec does not check, or checks differently, is
kept from it as "not plain": bytes that are not UTF-8 in fields it skips, escapes, controls from U+007F on, deep
nesting. Both ways accept the same values and give equal events; ``tests/schemas`` holds them together.
"""

import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

import msgspec

from schemas.events import (
    MAX_OFFSET,
    MAX_PARTITION,
    TOPIC_OF_TYPE,
    EngagementEvent,
    Event,
    Place,
)
from schemas.faults import MAX_BYTES, check, gravest, read_object
from schemas.instants import instant_ms
from schemas.placement import partition_of
from schemas.strict_json import surely_shallow
from stream.core import outcome
from stream.core.outcome import Rejection
from stream.core.rules import Topic

NO_TIMESTAMP = -1
"""Kafka's own word for a record without a timestamp."""

_BRACE, _BRACKET, _BACKSLASH, _DELETE = b"{[\\\x7f"
_MOST_AT_HOME = 1 << 16
_LATE_CONTROLS = re.compile("[\x7f-\x9f]")
_TAKEN_BACK_VIEW = Rejection(
    "bad_value", 'action must be "add" on a view; what was seen can\'t be taken back.'
)


class Line(NamedTuple):
    """A line of a file: its place in the log, and the event or why it was not accepted.

    ``offset`` is ``None`` where the line does not say. ``timestamp`` is what the line says, else the event's
    ``occurred_at``, else (a line without a valid one) `NO_TIMESTAMP`.
    """

    topic: Topic
    partition: int
    offset: int | None
    timestamp: int
    event: Event | Rejection


class _Place(msgspec.Struct, gc=False):
    """`schemas.events.Place`, fast; that ``type`` is known is left to the lookup."""

    type: str
    partition: Annotated[int, msgspec.Meta(ge=0, le=MAX_PARTITION)] = 0
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_OFFSET)] | msgspec.UnsetType = msgspec.UNSET
    timestamp: Annotated[int, msgspec.Meta(ge=-1, le=MAX_OFFSET)] | msgspec.UnsetType = msgspec.UNSET


_decode_event = msgspec.json.Decoder(Event).decode
_decode_place = msgspec.json.Decoder(_Place).decode


def decode(value: bytes | None, topic: Topic, partition: int, partitions: int) -> Event | Rejection:
    """The event that a record's value holds, or why the record can't be accepted. Never raises.

    Args:
        value: the record's value; ``None`` is a tombstone.
        topic: the input topic, without prefix.
        partition: the partition that the record was read from.
        partitions: how many partitions the topic has.
    """
    event = decode_fast(value, topic) if value else None
    if event is None:
        careful = decode_carefully(value, topic)
        if isinstance(careful, Rejection):
            return careful
        event = careful
    expected = partition_of(event.creator_id, partitions)
    return event if expected == partition else _misplaced(expected, partition, partitions)


class Decoder:
    """Decodes the records of one topic-partition, as `decode` does, in a loop that makes no call of ours a record.

    Most records are valid, plain ASCII, flat and an ``add``, of a creator that was met before. All others go the way
    of `decode`.
    """

    def __init__(self, topic: Topic, partition: int, partitions: int) -> None:
        self._topic: Topic = topic
        self._partition, self._partitions = partition, partitions
        self._at_home: set[str] = set()  # creators that belong here

    def decode(self, values: Iterable[bytes | None]) -> list[outcome.Event | Rejection]:
        """The events that these values hold, or why they can't be accepted. Never raises."""
        at_home, event = self._at_home, None
        decoded: list[outcome.Event | Rejection] = []
        for value in values:
            if (
                value
                and value.isascii()
                and _BACKSLASH not in value
                and _DELETE not in value
                and _BRACKET not in value
                and value.rfind(_BRACE) == 0
                and len(value) <= MAX_BYTES
            ):
                try:
                    event = _decode_event(value)
                except msgspec.MsgspecError:
                    event = None
                if (
                    event is not None
                    and event.creator_id in at_home
                    and type(event.occurred_at) is int
                    and event.action == "add"
                    and event.added_at is None
                ):
                    decoded.append(event)
                    continue
            decoded.append(self._decode(value))
        return decoded

    def _decode(self, value: bytes | None) -> Event | Rejection:
        event = decode(value, self._topic, self._partition, self._partitions)
        if isinstance(event, Event):
            if len(self._at_home) >= _MOST_AT_HOME:
                self._at_home.clear()
            self._at_home.add(event.creator_id)
        return event


def decode_line(line: bytes) -> Line | Rejection:
    """The event that a line of a file holds, and its place. Never raises.

    A line whose place can't be told (no JSON object, or something wrong with ``type``, ``partition``, ``offset`` or
    ``timestamp``) is a rejection as a whole. The partition is not checked against the creator. The line's own end
    (LF or CR LF) may be there or not.
    """
    value = line.rstrip(b"\r\n")
    return (_line_fast(value) if value else None) or _line_carefully(value)


def decode_fast(value: bytes, topic: Topic) -> Event | None:
    """The event, if the value is valid and nothing is unusual about it; ``None`` says to look closer."""
    if not _plain(value):
        return None
    try:
        event = _decode_event(value)
    except msgspec.MsgspecError:
        return None
    if type(event.occurred_at) is int and event.action == "add" and event.added_at is None:
        return event
    return _settled(event, topic)


def decode_carefully(value: bytes | None, topic: Topic) -> Event | Rejection:
    """The event, or the first code that fits: all but ``wrong_partition``."""
    document = read_object(value)
    if isinstance(document, Rejection):
        return document
    event = _event(document, topic)
    return gravest(event) if isinstance(event, list) else event


def _plain(value: bytes) -> bool:
    """Whether msgspec and RFC 8259 can't differ about ``value``. (Integers ``in`` bytes are a bare memchr.)"""
    if len(value) > MAX_BYTES or _BACKSLASH in value or not surely_shallow(value):
        return False
    if value.isascii():
        return _DELETE not in value
    try:
        return _LATE_CONTROLS.search(value.decode()) is None
    except UnicodeDecodeError:
        return False


def _settled(event: Event, topic: Topic) -> Event | None:
    """The event with its times in ms, if they and its action are right."""
    occurred_at = instant_ms(event.occurred_at)
    if occurred_at is None:
        return None
    event.occurred_at = occurred_at
    if event.added_at is not None:
        added_at = instant_ms(event.added_at)
        if added_at is None:
            return None
        event.added_at = added_at
    if event.action == "add":
        event.added_at = None
    elif topic == "views" or (event.added_at is not None and event.added_at > occurred_at):
        return None
    return event


def _event(document: dict[str, object], topic: Topic | None) -> Event | list[Rejection]:
    model = check(EngagementEvent, document)
    if isinstance(model, list):
        return model
    if model.action == "remove" and topic == "views":
        return [_TAKEN_BACK_VIEW]
    event = Event(**model.model_dump())
    if event.action == "add":
        event.added_at = None
    return event


def _line_fast(value: bytes) -> Line | None:
    if not _plain(value):
        return None
    try:
        place = _decode_place(value)
    except msgspec.MsgspecError:
        return None
    topic = TOPIC_OF_TYPE.get(place.type)
    if topic is None:
        return None
    event = decode_fast(value, topic)
    if event is None:
        return None
    offset = None if place.offset is msgspec.UNSET else place.offset
    timestamp = event.occurred_at if place.timestamp is msgspec.UNSET else place.timestamp
    return Line(topic, place.partition, offset, timestamp, event)


def _line_carefully(value: bytes) -> Line | Rejection:
    document = read_object(value)
    if isinstance(document, Rejection):
        return document
    place = check(Place, document)
    if isinstance(place, list):
        event = _event(document, None)
        return gravest([*event, *place] if isinstance(event, list) else place)
    topic = TOPIC_OF_TYPE[place.type]
    event = _event(document, topic)
    timestamp = place.timestamp
    if timestamp is None:
        occurred_at = instant_ms(document.get("occurred_at"))
        timestamp = NO_TIMESTAMP if occurred_at is None else occurred_at
    return Line(
        topic, place.partition, place.offset, timestamp, gravest(event) if isinstance(event, list) else event
    )


def _misplaced(expected: int, partition: int, partitions: int) -> Rejection:
    return Rejection(
        "wrong_partition",
        f"The record was found in partition {partition}, but its creator_id belongs in partition {expected} of "
        f"{partitions}: key it by creator_id and partition by murmur2 (librdkafka: partitioner=murmur2_random).",
    )
