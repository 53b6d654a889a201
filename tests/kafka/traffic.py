"""Engagement events as many producers send them: few creators have most of them, some come twice, some are late or
broken.

Times lie within the last minutes, so that windows differ; what becomes of a record is told by the logs afterwards.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from tests.builders import HOUR, MINUTE

FLUSH_S = 120
BURST_S = 0.02
PARTITION_BY_KEY = -1
_CREATORS = 600
_BACK_MS = (*[0] * 12, *[500, 20_000, 2 * MINUTE, 12 * MINUTE, 40 * MINUTE] * 4, 2 * HOUR)


class Sent(NamedTuple):
    """A record to be sent; without a ``partition`` its key decides."""

    topic: str
    value: bytes | None
    key: str | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Traffic:
    """An endless run of events, the same for the same seed but for the time at which they are asked for."""

    def __init__(self, seed: int, creators: int = _CREATORS) -> None:
        self._random = random.Random(seed)
        self._creators = [f"creator-{number}" for number in range(creators)]
        self._weights = [1 / (number + 1) for number in range(creators)]
        self._name = f"{seed:x}"
        self._sent = 0
        self._last: Sent | None = None

    def next(self) -> Sent:
        """The next record: a new event, or the one before again."""
        if self._last is not None and self._random.random() < 0.05:
            return self._last
        pick = self._random.choice
        topic = pick(["views", "views", "views", "likes", "shares", "comments"])
        [creator] = self._random.choices(self._creators, self._weights)
        self._sent += 1
        event: dict[str, object] = {
            "event_id": f"{self._name}-{self._sent}",
            "creator_id": creator,
            "video_id": pick(["v1", "v2", "v3"]),
            "viewer_id": pick([creator, *(f"viewer-{number}" for number in range(9))]),
            "occurred_at": int(time.time() * 1000) - pick(_BACK_MS) - self._random.randrange(1_000),
            "region": pick(["US", "US", "US", "GB", "DE"]),
            "source": pick(["for_you", "search", "profile"]),
        }
        if topic == "views":
            event["watch_ms"] = self._random.randrange(12_000)
        if topic == "likes" and self._random.random() < 0.1:
            event["action"] = "remove"
        value = value_of(event)
        self._last = Sent(topic, value if self._random.random() > 0.02 else value[:-1], creator)
        return self._last


def value_of(event: Mapping[str, object]) -> bytes:
    """An event as its producer writes it."""
    return json.dumps(event).encode()


def new_event(event_id: str, creator: str = "ada", **fields: object) -> dict[str, object]:
    """An event of now, with everything that is needed."""
    return {
        "event_id": event_id,
        "creator_id": creator,
        "video_id": "v1",
        "viewer_id": "bob",
        "occurred_at": int(time.time() * 1000),
        "region": "US",
    } | fields


class Sender:
    """A producer as the README asks for, which says where it failed."""

    def __init__(self, bootstrap: str, prefix: str, **options: object) -> None:
        own = {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 5}
        own |= {"message.max.bytes": 8_000_000, "log_level": 0}
        given = {name.replace("_", "."): value for name, value in options.items()}
        self._producer = Producer(own | given)
        self._prefix = prefix
        self._failed: list[str] = []

    def send(self, record: Sent) -> None:
        """Put it on its way."""
        self._producer.produce(
            self._prefix + record.topic,
            value=record.value,
            key=record.key,
            partition=PARTITION_BY_KEY if record.partition is None else record.partition,
            headers=list(record.headers),
            on_delivery=self._note,
        )
        self._producer.poll(0)

    async def flush(self) -> None:
        """Return when everything is acknowledged."""
        left = await asyncio.to_thread(self._producer.flush, FLUSH_S)
        assert (left, self._failed) == (0, []), f"{left} records were not sent; {self._failed[:3]}"

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(str(error))


class Load:
    """Traffic that goes on beside the test."""

    def __init__(self) -> None:
        self.sent = 0
        self._news = asyncio.Condition()

    async def reached(self, records: int, *, within_s: float = 60) -> None:
        """Return when so many more records than now were sent."""
        goal = self.sent + records
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: self.sent >= goal)

    async def run(self, sender: Sender, traffic: Traffic, rate: int) -> None:
        """Send ``rate`` records a second, until cancelled."""
        burst = max(1, round(rate * BURST_S))
        while True:
            for _ in range(burst):
                sender.send(traffic.next())
                self.sent += 1
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(burst / rate)


@asynccontextmanager
async def load(bootstrap: str, prefix: str, seed: int, rate: int = 1_500) -> AsyncIterator[Load]:
    """Traffic of so many records a second while the block runs; all of it is acknowledged at the end."""
    going, sender = Load(), Sender(bootstrap, prefix)
    task = asyncio.create_task(going.run(sender, Traffic(seed), rate))
    try:
        yield going
    finally:
        task.cancel()
        await asyncio.wait([task])
        await sender.flush()
    assert task.cancelled(), f"the load ended early: {task.exception()!r}"


async def send_traffic(
    bootstrap: str, prefix: str, seed: int, records: int, creators: int = _CREATORS
) -> None:
    """Send so many records at once, and return when all are acknowledged."""
    sender, traffic = Sender(bootstrap, prefix), Traffic(seed, creators)
    for _ in range(records):
        sender.send(traffic.next())
    await sender.flush()
