"""The four topics of a partition in step: which records come next, told from arrival alone.

```
slice         |  0   |  1   |  2   |       arrival, cut into slices of a minute
views[p]      | a b  | c    |  d   |
likes[p]      | e    |      | f g  |       read: a b e  c  d f g
```
Slices make long runs of one topic, which is what is fast. For a tier over one topic the order between topics does not
matter; for others it makes what is seen first the same in every run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.core.intake import NO_ARRIVAL
from stream.core.rules import TOPICS, Topic
from stream.transport.fetching import Record

SLICE_MS = 60_000
RUN_RECORDS = 5_000
"""The most records of a run."""

Place = tuple[int, int]
"""A slice, and the rank of a topic in it: records are read by place."""


@dataclass(slots=True)
class Feed:
    """One topic on its way from ``position``, the next offset to fetch, to ``end``; ``records`` are fetched."""

    topic: Topic
    position: int
    end: int
    records: Sequence[Record] = ()
    _next: int = 0
    _arrival: int = field(default=NO_ARRIVAL)

    @property
    def empty(self) -> bool:
        """Whether all that was fetched has been taken."""
        return self._next == len(self.records)

    @property
    def over(self) -> bool:
        """Whether nothing is left to be taken or fetched."""
        return self.empty and self.position >= self.end

    @property
    def left(self) -> int:
        """How many offsets have not been taken."""
        return self.end - (self.position if self.empty else self.records[self._next].offset)

    @property
    def place(self) -> Place:
        """The place of the next record, which there must be."""
        return max(self._arrival, self.records[self._next].timestamp) // SLICE_MS, TOPICS.index(self.topic)

    @property
    def floor_ms(self) -> int:
        """What follows the records taken, in whichever topic, arrives then or later."""
        return self._arrival // SLICE_MS * SLICE_MS

    def fill(self, records: Sequence[Record], position: int) -> None:
        """Take over what was fetched; what lies beyond the end falls away."""
        last = len(records)
        while last and records[last - 1].offset >= self.end:
            last -= 1
        self.records, self._next, self.position = records[:last], 0, min(position, self.end)

    def take(self, stop: Place | None) -> Sequence[Record]:
        """The records before ``stop``, as many as there are in hand; at least one, if the next lies before it."""
        first, arrival = self._next, self._arrival
        last = min(len(self.records), first + RUN_RECORDS)
        beyond = None if stop is None else stop[0] + (TOPICS.index(self.topic) < stop[1])
        for index in range(first, last):
            arrival = max(arrival, self.records[index].timestamp)
            if beyond is not None and arrival // SLICE_MS >= beyond:
                last = index
                break
            self._arrival = arrival
        self._next = last
        return self.records[first:last]


def take_next(feeds: Sequence[Feed]) -> tuple[Feed, Sequence[Record]]:
    """The run that comes next, and its feed; each feed that is not over must have a record in hand."""
    first, *others = sorted((feed for feed in feeds if not feed.over), key=lambda feed: feed.place)
    return first, first.take(others[0].place if others else None)
