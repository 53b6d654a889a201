"""A seeded load: engagement events whose creators and videos follow Zipf's law.

The same numbers give the same records, byte for byte, and so the same bonuses: a run can be compared with any other,
and what a worker paid with what the core says. Every record is valid and new. Timestamps are the producer's,
``SPAN_START_MS`` on, so event time passes as the load says and not as fast as a machine can write. Like a broker's
own, they are shared by records that were appended together.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from confluent_kafka import KafkaException, Producer

from stream.core.rules import TOPICS, Topic

SPAN_START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
REGIONS = ("US", "GB", "DE", "FR", "JP", "KR", "BR")
SOURCES = ("for_you", "following", "profile", "search")

# In a hundred events: views, likes, shares, comments.
_TOPIC_WEIGHTS = (70, 10, 10, 10)
_SOURCE_WEIGHTS = (60, 20, 12, 8)
_ZIPF_EXPONENT = 1.05
_MEAN_DELAY_MS, _MOST_DELAY_MS = 1_500, 30_000
_MEAN_WATCH_MS, _MOST_WATCH_MS = 12_000, 180_000
_BATCH_MS = 1_000
_BLOCK = 10_000
_POLL_EVERY = 5_000


class Record(NamedTuple):
    """A record to produce: topic without prefix, key, value, timestamp in Unix ms."""

    topic: Topic
    key: bytes
    value: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Load:
    """``events`` records over ``span_ms`` of event time, about 200 bytes each."""

    events: int
    creators: int
    videos_a_creator: int
    viewers: int
    span_ms: int
    seed: int

    def records(self) -> Iterator[Record]:
        """The records in the order in which they are produced."""
        draw = random.Random(self.seed)
        creators = _zipf(self.creators)
        videos = _zipf(self.videos_a_creator)
        for start in range(0, self.events, _BLOCK):
            size = min(_BLOCK, self.events - start)
            columns = zip(
                range(start, start + size),
                draw.choices(TOPICS, _TOPIC_WEIGHTS, k=size),
                draw.choices(range(self.creators), cum_weights=creators, k=size),
                draw.choices(range(self.videos_a_creator), cum_weights=videos, k=size),
                draw.choices(range(self.viewers), k=size),
                draw.choices(SOURCES, _SOURCE_WEIGHTS, k=size),
                strict=True,
            )
            for serial, topic, creator, video, viewer, source in columns:
                at_ms = SPAN_START_MS + self.span_ms * serial // self.events
                timestamp = at_ms // _BATCH_MS * _BATCH_MS
                delay_ms = min(int(draw.expovariate(1 / _MEAN_DELAY_MS)), _MOST_DELAY_MS)
                watch_ms = min(int(draw.expovariate(1 / _MEAN_WATCH_MS)), _MOST_WATCH_MS)
                watched = f'"watch_ms":{watch_ms},' if topic == "views" else ""
                paid = "true" if serial % 20 == 0 else "false"
                value = (
                    f'{{"event_id":"e-{self.seed}-{serial:08}","creator_id":"creator-{creator:06}",'
                    f'"video_id":"video-{creator:06}-{video:02}","viewer_id":"viewer-{viewer:07}",'
                    f'"occurred_at":{at_ms - delay_ms},"region":"{REGIONS[creator % len(REGIONS)]}",'
                    f'{watched}"source":"{source}","paid":{paid}}}'
                )
                yield Record(topic, b"creator-%06d" % creator, value.encode(), timestamp)


def fill(bootstrap: str, prefix: str, load: Load) -> None:
    """Write the load to the topics under ``prefix``; returns when the broker has acknowledged all of it."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "log_level": 3,
            "enable.idempotence": True,  # a retry must not change what is in the log
        }
    )
    for serial, record in enumerate(load.records()):
        while True:
            try:
                producer.produce(prefix + record.topic, record.value, record.key, timestamp=record.timestamp)
                break
            except BufferError:
                producer.poll(0.1)
        if serial % _POLL_EVERY == 0:
            producer.poll(0)
    if producer.flush(120):
        raise KafkaException(f"Kafka at {bootstrap} did not take the load within 120 s")


def _zipf(count: int) -> list[float]:
    """Cumulative weights of the ranks 1 to ``count``."""
    return list(accumulate(1 / rank**_ZIPF_EXPONENT for rank in range(1, count + 1)))
