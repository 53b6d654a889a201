"""Chunks in flight: between being fetched and being applied, for one take of a partition.

On its way a chunk passes through Faust, which may drop it without a word (a new generation, suspended flow). What
was fetched and not applied would never be read again, so every chunk is numbered when it sets out, and one that is
missing when the next arrives, or that is overdue, means that the partition is taken anew.
"""

import time
from collections.abc import Collection, Iterable
from typing import Literal

from stream.errors import BonusError
from stream.transport.driver import Chunk
from stream.transport.fetching import Run
from stream.transport.kafka import TopicPartition

CHUNKS_IN_FLIGHT = 2
"""Chunks of one topic-partition on their way: one being applied, one ready."""

OVERDUE_S = 30.0
"""After so long a chunk that has not come through its agent is lost."""


Whereabouts = Literal["none", "on its way", "arrived"]
"""Where a chunk is: not there yet, between its fetch and its agent, or waiting to be applied."""


class ChunkLost(BonusError):
    """Records were fetched and did not arrive: their partition is taken anew, which reads them again."""


class _Route:
    """One topic-partition's chunks: how many set out, arrived, and were applied."""

    __slots__ = ("applied", "arrived", "set_out", "waiting_since_s")

    def __init__(self) -> None:
        self.set_out = self.arrived = self.applied = 0
        self.waiting_since_s = 0.0


class Flight:
    """The chunks of one take of a partition."""

    def __init__(self, tps: Iterable[TopicPartition]) -> None:
        self._routes = {tp: _Route() for tp in tps}
        self.bytes = 0

    def with_room(self) -> Collection[TopicPartition]:
        """The topic-partitions that may send another chunk."""
        return [tp for tp, route in self._routes.items() if route.set_out - route.applied < CHUNKS_IN_FLIGHT]

    def whereabouts(self, tp: TopicPartition) -> Whereabouts:
        """How far the oldest chunk of this topic-partition has come that is not applied."""
        route = self._routes[tp]
        if route.arrived > route.applied:
            return "arrived"
        return "on its way" if route.set_out > route.arrived else "none"

    def empty(self, tp: TopicPartition) -> bool:
        """Whether everything that set out was applied."""
        return self._routes[tp].set_out == self._routes[tp].applied

    def set_out(self, tp: TopicPartition, records: Run) -> Chunk:
        """Send ``records`` on their way."""
        size_bytes = sum([len(record.value or b"") for record in records])
        route = self._routes[tp]
        if route.set_out == route.arrived:
            route.waiting_since_s = time.monotonic()
        chunk = Chunk(tp.topic, tp.partition, records, size_bytes, route.set_out, self)
        route.set_out += 1
        self.bytes += size_bytes
        return chunk

    def arrive(self, chunk: Chunk) -> None:
        """A chunk came through; raises ``ChunkLost`` where the one before it did not."""
        route = self._routes[TopicPartition(chunk.topic, chunk.partition)]
        if chunk.number != route.arrived:
            raise ChunkLost(f"chunk {route.arrived} of {chunk.topic}/{chunk.partition} was lost on its way")
        route.arrived += 1
        route.waiting_since_s = time.monotonic()

    def land(self, chunk: Chunk) -> None:
        """A chunk was applied."""
        self._routes[TopicPartition(chunk.topic, chunk.partition)].applied += 1
        self.bytes -= chunk.size_bytes

    def check_overdue(self) -> None:
        """Raise ``ChunkLost`` where a chunk has been on its way for too long."""
        for tp, route in self._routes.items():
            if route.set_out > route.arrived and time.monotonic() - route.waiting_since_s > OVERDUE_S:
                raise ChunkLost(
                    f"a chunk of {tp.topic}/{tp.partition} has been on its way for {OVERDUE_S:g} s"
                )
