"""Which key holds what, and a delta as a list of edits, one a key.

```
{app:p}:meta                  hash    format, owner, seq, body, buckets (and torn, see `scripts`)
{app:p}:s:<subject key>       hash    field -> integer, as text: any size, also negative
{app:p}:due                   zset    subject key, by the event time in ms from which on something of it can go
{app:p}:ids:<topic>:<bucket>  hash    seq of the checkpoint -> JSON of [[arrival ms, [id, …]], …]
```

All keys of partition p begin with one hash tag, so they share a Redis Cluster slot whatever follows: of several
``{…}`` in a key the first counts. Ids lie in buckets of ten minutes of arrival: what must be forgotten goes as
whole keys, and ``buckets`` in meta names them all, so that nothing ever has to be searched for. They are JSON,
as the MessagePack of Redis's Lua has no binary strings to pass on. No key expires: ``due`` names the subjects that
the owner looks at again, by event time, and what it finds of no use goes by a checkpoint.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter

import msgspec

from stream.errors import InputError
from stream.store.checkpoint import Delta, IdBatch

FORMAT = "1"
BUCKET_MS = 600_000

# Lua's stack takes 8,000 values; an edit's arguments pass over it at once.
EDIT_ARGUMENTS = 4_000

_APP = re.compile(r"[A-Za-z0-9._-]{1,128}")

Bucket = tuple[str, int]
"""A topic, and arrival // BUCKET_MS."""

Arrivals = list[tuple[int, list[str]]]
"""Ids by arrival in ms, as they are stored."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The keys of one partition of one application."""

    app: str
    partition: int

    def __post_init__(self) -> None:
        if not _APP.fullmatch(self.app):
            raise InputError(
                f"The application name {self.app!r} can't name keys in Redis: "
                "expected 1 to 128 letters, digits, dots, dashes or underscores."
            )

    @property
    def tag(self) -> str:
        """What every key begins with, and the only part that Redis Cluster hashes."""
        return f"{{{self.app}:{self.partition}}}"

    @property
    def meta(self) -> str:
        """The key of owner, seq and body."""
        return f"{self.tag}:meta"

    def subject(self, key: str) -> str:
        """The key of a subject's counters."""
        return f"{self.tag}:s:{key}"

    @property
    def due(self) -> str:
        """The key of what is due, and when."""
        return f"{self.tag}:due"

    def ids(self, bucket: Bucket) -> str:
        """The key of a bucket of event ids."""
        topic, number = bucket
        return f"{self.tag}:ids:{topic}:{number}"


@dataclass(frozen=True, slots=True)
class Edits:
    """A delta as Redis commands: ``commands[i]`` is a name and its arguments, and goes to ``keys[i]``.

    ``buckets`` are all that hold ids afterwards.
    """

    keys: list[str]
    commands: list[list[str]]
    buckets: frozenset[Bucket]


def edits_of(delta: Delta, layout: Layout, seq: int, buckets: frozenset[Bucket]) -> Edits:
    """What to do to Redis for ``delta``, which becomes checkpoint ``seq``, given the buckets there are.

    What grows comes first: a full Redis refuses a script at its first growing command, and never after a command
    that has already changed something.
    """
    arrived = _bucketed(delta.ids)
    edits = Edits([], [], frozenset(_kept(buckets.union(arrived), delta.ids_floor)))
    deleted = _edit_subjects(delta, layout, edits)
    for bucket, arrivals in arrived.items():
        if bucket in edits.buckets:
            edits.keys.append(layout.ids(bucket))
            edits.commands.append(["HSET", str(seq), msgspec.json.encode(arrivals).decode()])
    over = _edit_due(delta, layout, edits)
    for key, fields in deleted:
        for start in range(0, len(fields), EDIT_ARGUMENTS):
            edits.keys.append(key)
            edits.commands.append(["HDEL", *fields[start : start + EDIT_ARGUMENTS]])
    for start in range(0, len(over), EDIT_ARGUMENTS):
        edits.keys.append(layout.due)
        edits.commands.append(["ZREM", *over[start : start + EDIT_ARGUMENTS]])
    for bucket in sorted(buckets - edits.buckets):
        edits.keys.append(layout.ids(bucket))
        edits.commands.append(["UNLINK"])
    return edits


def _edit_subjects(delta: Delta, layout: Layout, edits: Edits) -> list[tuple[str, list[str]]]:
    """Adds what sets fields to ``edits``; returns the fields to delete, by key.

    Runs over every changed field: 0.2 µs each, see benchmarks/checkpoint.py.
    """
    deleted: list[tuple[str, list[str]]] = []
    prefix = layout.subject("")
    add_key, add_command = edits.keys.append, edits.commands.append
    for subject, fields in delta.subjects.items():
        command: list[str] = ["HSET"]
        gone: list[str] = []
        for field, value in fields.items():
            if value is None:
                gone.append(field)
            else:
                command += (field, str(value))
        key = prefix + subject
        if gone:
            deleted.append((key, gone))
        if 1 < len(command) <= EDIT_ARGUMENTS:
            add_key(key)
            add_command(command)
            continue
        for piece in _pieces(command):
            add_key(key)
            add_command(piece)
    return deleted


def _edit_due(delta: Delta, layout: Layout, edits: Edits) -> list[str]:
    """Adds what sets dues to ``edits``; returns the subjects that are not due any more."""
    command, over = ["ZADD"], list[str]()
    for subject, due_ms in delta.due.items():
        if due_ms is None:
            over.append(subject)
        else:
            command += (str(due_ms), subject)
    for piece in _pieces(command):
        edits.keys.append(layout.due)
        edits.commands.append(piece)
    return over


def _pieces(command: list[str]) -> Iterable[list[str]]:
    if len(command) <= 1:
        return ()
    if len(command) <= EDIT_ARGUMENTS:
        return (command,)
    name = command[:1]
    return [
        name + command[start : start + EDIT_ARGUMENTS] for start in range(1, len(command), EDIT_ARGUMENTS)
    ]


def _kept(buckets: Iterable[Bucket], floors: Mapping[str, int]) -> Iterable[Bucket]:
    """The buckets in which an id may have arrived at its topic's floor or later."""
    for topic, number in buckets:
        if topic not in floors or (number + 1) * BUCKET_MS > floors[topic]:
            yield topic, number


def _bucketed(batches: Iterable[IdBatch]) -> dict[Bucket, Arrivals]:
    buckets: dict[Bucket, Arrivals] = {}
    for batch in batches:
        arrivals, start = batch.arrivals, 0
        while start < len(arrivals):
            number = arrivals[start][0] // BUCKET_MS
            end = bisect_left(arrivals, (number + 1) * BUCKET_MS, start, key=itemgetter(0))
            buckets.setdefault((batch.topic, number), []).extend(arrivals[start:end])
            start = end
    return buckets


def encode_buckets(buckets: Iterable[Bucket]) -> bytes:
    """The buckets as meta holds them: JSON, in order, readable with redis-cli."""
    return msgspec.json.encode(sorted(buckets))


def decode_buckets(text: bytes) -> frozenset[Bucket]:
    """What `encode_buckets` wrote."""
    return frozenset(msgspec.json.decode(text, type=list[Bucket]))


def decode_arrivals(blob: bytes) -> Arrivals:
    """One checkpoint's ids of one bucket."""
    return msgspec.json.decode(blob, type=Arrivals)
