"""Logs that are there before anybody reads them: hours of events, in step by their producers' timestamps.

A topic of such a log is read in one go while the others have not begun, so that they are as far apart as can be.
"""

import asyncio
import random
import time
from dataclasses import dataclass

from confluent_kafka import Producer

from tests.chaos.setup import PREFIX
from tests.kafka.traffic import FLUSH_S, new_event, value_of

PROGRAM = """
program: history
version: 1
regions: all
subject: creator
window: {rolling: 20m, step: 1m}
tiers: [{name: together, when: {views: 2, shares: 1}, reward: {amount: "1.00", currency: USD}}]
award: {once_per: day}
"""

_CREATORS = 40
_UP_TO_S = 120.0
"""The history ends so long ago."""


@dataclass(frozen=True, slots=True)
class History:
    """So many records, spread over so many hours."""

    hours: float
    records: int

    async def send(self, bootstrap: str, seed: int) -> None:
        """Send them all; returns when they are acknowledged."""
        dice, producer = random.Random(seed), Producer(_options(bootstrap))
        ends_ms, spread_ms = (time.time() - _UP_TO_S) * 1000, self.hours * 3_600_000
        for number in range(self.records):
            at_ms = int(ends_ms - spread_ms * (1 - number / self.records))
            topic = dice.choice(["views", "views", "shares", "likes", "comments"])
            event = new_event(f"history-{number}", f"creator-{dice.randrange(_CREATORS)}", occurred_at=at_ms)
            producer.produce(PREFIX + topic, value_of(event), key=str(event["creator_id"]), timestamp=at_ms)
            producer.poll(0)
        left = await asyncio.to_thread(producer.flush, FLUSH_S)
        assert left == 0, f"{left} records of the history were not sent"


def _options(bootstrap: str) -> dict[str, str | int]:
    return {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "log_level": 0}
