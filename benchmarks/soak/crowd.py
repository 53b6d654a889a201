"""A seeded crowd for a soak: one viral creator, and ever new creators who are seen for some hours and then gone.

Of ten events five are the viral creator's, three bring a new creator with a first video, two come to creators of the
last hours; so a subject comes for every 1.7 events. Afterwards only the viral creator is left, until everybody else
has fallen out of every window:

```
event time   |------------ span ------------|---------- afterglow ----------|
events       viral + new + known             viral alone, a hundredth as many
```
One event in a hundred is sent again a little later, one in a thousand comes too late. Timestamps are the producer's,
so event time passes as the load says. The same numbers give the same records, byte for byte.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.load import SPAN_START_MS, Record
from stream.core.rules import TOPICS, Topic

VIRAL = "creator-viral"
VIEWERS, VIRAL_VIDEOS = 1_000_000, 40
SUBJECTS_AN_EVENT = 0.6
"""New subjects an event within the span: three in ten bring a creator and a video."""

_VIRAL_SHARE, _NEW_SHARE = 0.5, 0.3
_KNOWN_FOR_SHARE = 0.125  # of the span: how long a creator goes on being seen
_AFTERGLOW_SHARE = 0.01
_AGAIN_SHARE, _LATE_SHARE = 0.01, 0.001
_TOPIC_WEIGHTS = (70, 10, 10, 10)
_REGIONS = ("GB", "DE", "FR", "JP", "KR", "BR")  # the viral creator alone is in US
_TIMESTAMP_MS = 1_000
_MEAN_DELAY_MS, _MOST_DELAY_MS, _LATE_MS = 1_500, 30_000, 2 * 3_600_000
_REMEMBERED = 500
_BLOCK = 10_000
_NO_END = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """``subjects`` creators and videos over ``span_ms`` of event time, and ``afterglow_ms`` without them."""

    subjects: int
    span_ms: int
    afterglow_ms: int
    seed: int

    @property
    def span_events(self) -> int:
        """Events of the span, repeats not counted."""
        return round(self.subjects / SUBJECTS_AN_EVENT)

    @property
    def afterglow_events(self) -> int:
        """Events of the afterglow, repeats not counted."""
        return round(self.span_events * _AFTERGLOW_SHARE * self.afterglow_ms / self.span_ms)

    def span(self) -> Iterator[Record]:
        """The records of the span, in the order in which they are produced."""
        return _Draw(self, "span").records(self.span_events, SPAN_START_MS, self.span_ms, _VIRAL_SHARE)

    def afterglow(self) -> Iterator[Record]:
        """The records after it."""
        begin_ms = SPAN_START_MS + self.span_ms
        return _Draw(self, "afterglow").records(self.afterglow_events, begin_ms, self.afterglow_ms, 1.0)

    @property
    def end_ms(self) -> int:
        """Where event time ends."""
        return SPAN_START_MS + self.span_ms + self.afterglow_ms

    def rest(self) -> Iterator[Record]:
        """More of the viral creator's, as many as are wanted, while event time stands still."""
        return _Draw(self, "rest").records(_NO_END, self.end_ms, 0, 1.0)


class _Draw:
    """Draws the records of one phase."""

    def __init__(self, crowd: Crowd, phase: str) -> None:
        self._phase = phase
        self._random = random.Random(f"{crowd.seed} {phase}")
        self._known_for = max(1, int(crowd.span_events * _KNOWN_FOR_SHARE * _NEW_SHARE))
        self._creators = 0
        self._sent: dict[Topic, deque[Record]] = {topic: deque(maxlen=_REMEMBERED) for topic in TOPICS}

    def records(self, events: int, begin_ms: int, span_ms: int, viral_share: float) -> Iterator[Record]:
        draw = self._random
        for start in range(0, events, _BLOCK):
            size = min(_BLOCK, events - start)
            topics = draw.choices(TOPICS, _TOPIC_WEIGHTS, k=size)
            for serial, topic in enumerate(topics, start):
                at_ms = begin_ms + span_ms * serial // events
                timestamp = at_ms // _TIMESTAMP_MS * _TIMESTAMP_MS
                creator, video, region = self._subject(draw.random(), viral_share)
                delay_ms = min(int(draw.expovariate(1 / _MEAN_DELAY_MS)), _MOST_DELAY_MS)
                if draw.random() < _LATE_SHARE:
                    delay_ms = _LATE_MS
                value = (
                    f'{{"event_id":"{self._phase}-{serial:012}","creator_id":"{creator}","video_id":"{video}",'
                    f'"viewer_id":"viewer-{int(draw.random() * VIEWERS):07}",'
                    f'"occurred_at":{at_ms - delay_ms},"region":"{region}","source":"for_you"}}'
                )
                record = Record(topic, creator.encode(), value.encode(), timestamp)
                yield record
                sent = self._sent[topic]
                if sent and draw.random() < _AGAIN_SHARE:
                    yield draw.choice(sent)._replace(timestamp=timestamp)
                sent.append(record)

    def _subject(self, drawn: float, viral_share: float) -> tuple[str, str, str]:
        """Creator, video, region."""
        if drawn < viral_share:
            return VIRAL, f"video-{int(drawn / viral_share * VIRAL_VIDEOS):03}", "US"
        if drawn < viral_share + _NEW_SHARE or self._creators == 0:
            number = self._creators
            self._creators += 1
        else:
            number = self._creators - 1 - int(self._random.random() * min(self._creators, self._known_for))
        return f"creator-{number:09}", f"video-{number:09}", _REGIONS[number % len(_REGIONS)]
