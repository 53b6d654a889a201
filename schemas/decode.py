"""From the bytes of a record, or of a file's line, to an event; or to the reason why it can't be accepted.

```
value ──► plain? ──yes──► msgspec ──ok──► partition? ──► Event
            │no             │no               │no
            └───────────────┴── closer look ──┴────────► Event, when it was only unusual, or Rejection
                                 msgspec, times; then json + pydantic (schemas.faults)
```
A chunk goes straight through as a whole, for half a µs a valid event. What msgspec does not check, or checks
differently, is kept from it as "not plain": bytes that are not UTF-8 in fields it skips, escapes, controls from
U+007F on, deep nesting. All ways accept the same values and give equal events; ``tests/schemas`` holds them together.
"""

import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from schemas.events import (
    MAX_OFFSET,
    MAX_PARTITION,
    TOPIC_OF_TYPE,
    EngagementEvent,
    Event,
    Place,
    SpelledEvent,
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
_FEW = 32
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
_decode_spelled = msgspec.json.Decoder(SpelledEvent).decode
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
    """Decodes the records of one topic-partition, as `decode` does, many at once.

    A chunk in which not all is plain ASCII and flat is cut in halves until only a few records around what is not are
    left to be decoded one by one.
    """

    def __init__(self, topic: Topic, partition: int, partitions: int) -> None:
        self._topic: Topic = topic
        self._partition, self._partitions = partition, partitions
        self._at_home: set[str] = set()  # creators that belong here

    def decode(self, values: Sequence[bytes | None]) -> list[outcome.Event | Rejection]:
        """The events that these values hold, or why they can't be accepted. Never raises."""
        decoded = self._decode_at_once(values)
        if decoded is not None:
            return decoded
        if len(values) <= _FEW:
            return [self._decode(value) for value in values]
        middle = len(values) // 2
        return self.decode(values[:middle]) + self.decode(values[middle:])

    def _decode_at_once(self, values: Sequence[bytes | None]) -> list[outcome.Event | Rejection] | None:
        """None where that would tell nothing: some are not plain.

        No call of ours is made for a record that msgspec takes. Each of those holds a brace at least, so where they
        hold no more braces than they are, each holds one and is flat.
        """
        try:
            text = b"".join(values)  # type: ignore[arg-type]
        except TypeError:  # a tombstone
            return None
        if not text.isascii() or _BACKSLASH in text or _DELETE in text or _BRACKET in text:
            return None
        braces = text.count(_BRACE)
        if braces > len(values):
            return None
        decoded: list[Event | Rejection] = []
        rest = iter(values)
        while len(decoded) < len(values):
            try:
                decoded.extend(map(_decode_event, rest))  # type: ignore[arg-type]
            except msgspec.MsgspecError:
                value = values[len(decoded)]
                assert value is not None
                braces -= value.count(_BRACE) - 1
                decoded.append(self._decode(value))
            except RecursionError:
                return None
        if braces != len(values) or max(map(len, values), default=0) > MAX_BYTES:  # type: ignore[arg-type]
            return None
        return self._placed(decoded)

    def _placed(self, decoded: list[Event | Rejection]) -> list[outcome.Event | Rejection]:
        """Refuse events of creators that belong elsewhere."""
        strangers = {event.creator_id for event in decoded if type(event) is Event} - self._at_home
        if not strangers:
            return decoded  # type: ignore[return-value]
        astray = {
            creator: expected
            for creator in strangers
            if (expected := partition_of(creator, self._partitions)) != self._partition
        }
        if len(self._at_home) >= _MOST_AT_HOME:
            self._at_home.clear()
        self._at_home |= strangers - astray.keys()
        if not astray:
            return decoded  # type: ignore[return-value]
        return [
            _misplaced(astray[event.creator_id], self._partition, self._partitions)
            if isinstance(event, Event) and event.creator_id in astray
            else event
            for event in decoded
        ]

    def _decode(self, value: bytes | None) -> Event | Rejection:
        return decode(value, self._topic, self._partition, self._partitions)


def decode_line(line: bytes) -> Line | Rejection:
    """The event that a line of a file holds, and its place. Never raises.

    A line whose place can't be told (no JSON object, or something wrong with ``type``, ``partition``, ``offset`` or
    ``timestamp``) is a rejection as a whole. The partition is not checked against the creator. The line's own end
    (LF or CR LF) may be there or not.
    """
    value = line.rstrip(b"\r\n")
    return (_line_fast(value) if value else None) or _line_carefully(value)


def decode_fast(value: bytes, topic: Topic) -> Event | None:
    """The event, if the value is valid and written as producers do; ``None`` says to look closer."""
    if not _plain(value):
        return None
    try:
        return _decode_event(value)
    except msgspec.MsgspecError:
        pass
    try:
        return _settled(_decode_spelled(value), topic)
    except msgspec.MsgspecError:
        return None


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


def _settled(event: SpelledEvent, topic: Topic) -> Event | None:
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
    return Event(**msgspec.structs.asdict(event))


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
