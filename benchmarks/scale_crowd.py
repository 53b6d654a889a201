"""Events of a crowd of any size, made as they are needed: ten million subjects don't fit into a list of records.

They are decoded already, as chunks of one topic each: seven of views, then one each of likes, shares and comments.
Who is next is drawn by Zipf's law with exponent 1 (of n creators the one of rank k with a chance of about
1 / (k ln n)), all alike, or all of a few alike, while the others are only there. Ranks are scattered over the
creators' numbers, so that the popular ones do not lie side by side in memory.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from benchmarks.load import REGIONS, SPAN_START_MS
from schemas.events import Event
from stream.core.rules import TOPICS, Topic
from stream.transport.fetching import RUN

Spread = Literal["zipf", "even", "few"]
FEW = 166
"""So many creators have all events where they fall on a few: with their videos 1,000 subjects."""


_TURN: tuple[Topic, ...] = (*("views",) * 7, *TOPICS[1:])
_SCATTER = 1_000_000_007  # a prime above every number of creators, so that multiples of it meet each once
_BATCH = 100  # records that come together, stamped alike by their broker
_VIEWERS = 1_000_000
_MEAN_DELAY_MS, _MOST_DELAY_MS = 1_500, 30_000
_WATCH_MS = 12_000


class Chunk(NamedTuple):
    """Records of one topic as parallel columns, decoded."""

    topic: Topic
    offsets: list[int]
    timestamps: list[int]
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Crowd:
    """``creators`` with ``videos`` each; a creator and each video is a subject."""

    creators: int
    videos: int
    spread: Spread
    seed: int

    @property
    def subjects(self) -> int:
        """How many creators and videos there are."""
        return self.creators * (1 + self.videos)

    def everybody(self, start_ms: int, span_ms: int, first_offset: int = 0) -> Iterator[Chunk]:
        """A view of each video, spread over a span of event time: all subjects are met once."""
        total = self.creators * self.videos
        size = RUN
        for first in range(0, total, size):
            serials = range(first, min(total, first + size))
            at_ms = [start_ms + span_ms * serial // total for serial in serials]
            events = [
                self._event(first_offset + serial, serial // self.videos, serial % self.videos, at, 0)
                for serial, at in zip(serials, at_ms, strict=True)
            ]
            yield Chunk("views", [first_offset + serial for serial in serials], at_ms, events)

    def traffic(self, count: int, start_ms: int, span_ms: int, first_offset: int) -> Iterator[Chunk]:
        """``count`` events (rounded up to whole chunks) over a span of event time, each a little late."""
        draw = random.Random(f"{self.seed} {first_offset}")
        size = RUN
        for number in range(-(-count // size)):
            places = range(number * size, (number + 1) * size)
            serials = range(first_offset + places.start, first_offset + places.stop)
            at_ms = [start_ms + span_ms * (place - place % _BATCH) // count for place in places]
            events = [self._drawn(draw, serial, at) for serial, at in zip(serials, at_ms, strict=True)]
            yield Chunk(_TURN[number % len(_TURN)], list(serials), at_ms, events)

    def _drawn(self, draw: random.Random, serial: int, at_ms: int) -> Event:
        if self.spread == "zipf":
            drawn = self.creators ** draw.random() - 1
        else:
            drawn = (self.creators if self.spread == "even" else min(self.creators, FEW)) * draw.random()
        delay_ms = min(int(draw.expovariate(1 / _MEAN_DELAY_MS)), _MOST_DELAY_MS)
        return self._event(serial, int(drawn), int(draw.random() * self.videos), at_ms, delay_ms)

    def _event(self, serial: int, rank: int, video: int, at_ms: int, delay_ms: int) -> Event:
        creator = rank * _SCATTER % self.creators
        return Event(
            event_id=f"e-{self.seed}-{serial:08}",
            creator_id=f"creator-{creator:08}",
            video_id=f"video-{creator:08}-{video:02}",
            viewer_id=f"viewer-{serial * 7_919 % _VIEWERS:07}",
            occurred_at=max(SPAN_START_MS, at_ms - delay_ms),
            region=REGIONS[creator % len(REGIONS)],
            watch_ms=_WATCH_MS,
            source="for_you",
        )
