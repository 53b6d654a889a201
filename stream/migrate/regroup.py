"""Which partitions' state goes where when their number changes, and what becomes of arrivals, ids and positions.

A creator belongs in partition ``hash mod n``. Of n partitions p can only hold creators of those of m partitions q for
which ``p ≡ q mod gcd(n, m)``, since the hash itself is ``p mod n`` and ``q mod m``:
```
4 -> 6     gcd 2     0: 0 2     1: 1 3     2: 0 2     3: 1 3     4: 0 2     5: 1 3
6 -> 4     gcd 2     0: 0 2 4   1: 1 3 5   2: 0 2 4   3: 1 3 5
```
Subjects and places go with their creator. Event ids name no creator, so q gets those of every p that it has creators
from: more than it needs, and ids are the producers' own, so that no other event is taken for a duplicate by it.

**Arrival** of q, by topic, is the latest of its p's. What was forgotten in p (ids, panes, places) was forgotten by
p's arrival, so q must not stand before it: it would accept an event again whose id is gone, or count in a pane that
is. An event is late in q and would not be in p only if its record's timestamp lies before the latest arrival of
another p. Under the brokers' clocks it lies after all of them, but for as much as those clocks differ. With as many
partitions as before nothing differs at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import gcd

from schemas.placement import partition_of
from stream.core.intake import NO_ARRIVAL
from stream.core.rules import TOPICS, Topic
from stream.core.subject import creator_of
from stream.store.checkpoint import IdBatch


def sources(target: int, before: int, after: int) -> list[int]:
    """Which of ``before`` partitions hold creators of partition ``target`` of ``after``."""
    common = gcd(before, after)
    return [number for number in range(before) if number % common == target % common]


def by_target(keys: Iterable[str], after: int) -> dict[int, list[str]]:
    """Keys of entries by the partition, of ``after``, in which their creator belongs."""
    found: dict[int, list[str]] = {}
    for key in keys:
        found.setdefault(partition_of(creator_of(key), after), []).append(key)
    return found


def latest(arrivals: Iterable[Mapping[Topic, int]]) -> dict[Topic, int]:
    """The latest arrival of each topic, in Unix ms."""
    found = list(arrivals)
    return {
        topic: max((each.get(topic, NO_ARRIVAL) for each in found), default=NO_ARRIVAL) for topic in TOPICS
    }


def pieces(batches: Iterable[IdBatch], most: int) -> Iterator[list[IdBatch]]:
    """The ids of ``batches`` in the same order, about ``most`` at a time; the ids of one arrival stay together."""
    piece: list[IdBatch] = []
    size = 0
    for batch in batches:
        start = 0
        for place, (_, ids) in enumerate(batch.arrivals):
            size += len(ids)
            if size >= most:
                yield [*piece, IdBatch(batch.topic, batch.arrivals[start : place + 1])]
                piece, size, start = [], 0, place + 1
        if start < len(batch.arrivals):
            piece.append(IdBatch(batch.topic, batch.arrivals[start:]))
    if piece:
        yield piece
