"""Sample engagement events as a busy day brings them: mostly good, some twice, a few late or broken.

Creators follow Zipf's law: the first gets about a fifth of all events, the two-hundredth hardly any. The same
seed and the same clock readings give the same events, byte for byte.
"""

import json
import random
from collections import deque
from itertools import accumulate
from typing import NamedTuple

from stream.core.rules import TOPICS, Topic

CREATORS = 200
VIDEOS_A_CREATOR = 5
VIEWERS = 50_000
REGIONS = ("US", "GB", "DE", "FR", "JP", "KR", "BR")
SOURCES = ("for_you", "following", "profile", "search")
CAMPAIGN = "acme-24"

# In a hundred events: views, likes, shares, comments.
_TOPIC_WEIGHTS = (80, 12, 3, 5)
_SOURCE_WEIGHTS = (60, 20, 12, 8)
_DUPLICATES = 0.02
_LATE = 0.005
_BROKEN = 0.003
_TAKEN_BACK = 0.03  # of likes
_PAID = 0.05
_MEAN_WATCH_MS = 12_000
_MEAN_DELAY_MS = 1_500
_REMEMBERED = 500
_HOUR_MS = 3_600_000

Fields = dict[str, str | int | bool | None]


class Sample(NamedTuple):
    """One record to produce: topic without prefix, key (the creator's id) and value."""

    topic: Topic
    key: bytes
    value: bytes


class SampleEvents:
    """An endless supply of sample records, from one seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._serial = 0
        self._seed = seed
        self._creator_weights = list(accumulate(1 / rank**1.1 for rank in range(1, CREATORS + 1)))
        self._video_weights = list(accumulate(1 / rank for rank in range(1, VIDEOS_A_CREATOR + 1)))
        self._recent: deque[Sample] = deque(maxlen=_REMEMBERED)
        self._likes: deque[tuple[int, Fields]] = deque(maxlen=_REMEMBERED)

    def take(self, count: int, now_ms: int) -> list[Sample]:
        """The next ``count`` records, of events that occurred a moment before ``now_ms`` (Unix ms)."""
        return [self._next(now_ms) for _ in range(count)]

    def _next(self, now_ms: int) -> Sample:
        chance = self._random.random()
        if chance < _DUPLICATES and self._recent:
            return self._random.choice(self._recent)
        (topic,) = self._random.choices(TOPICS, _TOPIC_WEIGHTS)
        occurred_at = now_ms - min(int(self._random.expovariate(1 / _MEAN_DELAY_MS)), 30_000)
        event = self._event(topic, occurred_at)
        if chance > 1 - _BROKEN:
            return self._broken(topic, event, now_ms)
        if chance > 1 - _BROKEN - _LATE:
            event["occurred_at"] = now_ms - self._random.randint(2 * _HOUR_MS, 26 * _HOUR_MS)
        elif topic == "likes":
            event = self._like(event, occurred_at)
        sample = _sample(topic, event)
        self._recent.append(sample)
        return sample

    def _event(self, topic: Topic, occurred_at: int) -> Fields:
        draw = self._random
        self._serial += 1
        (creator,) = draw.choices(range(CREATORS), cum_weights=self._creator_weights)
        (video,) = draw.choices(range(VIDEOS_A_CREATOR), cum_weights=self._video_weights)
        creator_id = f"creator-{creator:03}"
        event: Fields = {
            "event_id": f"{topic}-{self._seed}-{self._serial}",
            "creator_id": creator_id,
            "video_id": f"{creator_id}-video-{video}",
            "viewer_id": creator_id if draw.random() < 0.01 else f"viewer-{draw.randrange(VIEWERS)}",
            "occurred_at": occurred_at,
            "region": REGIONS[creator % len(REGIONS)],
            "campaign_id": CAMPAIGN if creator % 3 == 0 and video == 0 else None,
            "source": draw.choices(SOURCES, _SOURCE_WEIGHTS)[0],
            "paid": draw.random() < _PAID,
        }
        if topic == "views":
            event["watch_ms"] = min(int(draw.expovariate(1 / _MEAN_WATCH_MS)), 180_000)
        return event

    def _like(self, event: Fields, occurred_at: int) -> Fields:
        """The like itself, or now and then an earlier one taken back."""
        if self._likes and self._random.random() < _TAKEN_BACK:
            added_at, like = self._likes.popleft()
            if added_at <= occurred_at:
                taken_back: Fields = {"action": "remove", "occurred_at": occurred_at, "added_at": added_at}
                return {**like, **taken_back, "event_id": event["event_id"]}
        self._likes.append((occurred_at, event))
        return event

    def _broken(self, topic: Topic, event: Fields, now_ms: int) -> Sample:
        """A record that can't be accepted, in one of the ways that producers bring about."""
        whole = _sample(topic, event)
        ways: tuple[bytes, ...] = (
            b"",
            whole.value[: len(whole.value) // 2],
            json.dumps([event]).encode(),
            _encoded({name: value for name, value in event.items() if name != "video_id"}),
            _encoded({**event, "occurred_at": str(now_ms)}),
            _encoded({**event, "region": "usa"}),
            _encoded({**event, "paid": 0}),
            _encoded({**event, "occurred_at": now_ms + _HOUR_MS}),
        )
        return whole._replace(value=self._random.choice(ways))


def _sample(topic: Topic, event: Fields) -> Sample:
    return Sample(topic, str(event["creator_id"]).encode(), _encoded(event))


def _encoded(event: Fields) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
