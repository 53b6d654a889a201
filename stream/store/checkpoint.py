"""What a partition hands to the store, and gets back from it: plain data, no Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IdBatch:
    """Event ids accepted in one topic-partition: ``(arrival in ms, ids)``, arrivals ascending."""

    topic: str
    arrivals: list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed since the last checkpoint. Values are absolute, so writing it twice changes nothing.

    ``subjects`` maps a subject's key to its changed fields; ``None`` deletes a field, and a subject without
    fields is gone. ``ids`` are the ids accepted since. Ids of a topic that arrived before its ``ids_floor`` (ms)
    may be forgotten. ``meta`` is the partition's own, opaque to the store. ``due`` says from when on (event time, ms)
    something of a subject can go though nobody touches it any more; ``None`` ends that. Nothing in it may change
    while it is being written.
    """

    subjects: Mapping[str, Mapping[str, int | None]]
    ids: Sequence[IdBatch]
    ids_floor: Mapping[str, int]
    meta: bytes
    due: Mapping[str, int | None] = field(default_factory=dict)


class Superseded(Exception):
    """Redis does not hold our own last acknowledged checkpoint of this partition.

    Another owner took the partition over, Redis went back in time or was wiped, or a write was cancelled before
    its result was known. Nothing in memory can be trusted any more: throw it away and take the partition anew.
    """
