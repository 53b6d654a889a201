"""A steady trickle of views, each of which pays a bonus, and the bonuses as a consumer gets them."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.command import CannotMeasure
from benchmarks.recovery.planted import PARTITION, creator
from stream.core.rules import TOPICS

PROGRAM = """\
program: first-view
version: 1
regions: all
subject: video
window: {lifetime: true}
tiers:
  - {name: seen, when: {views: 1}, reward: {amount: "1.00", currency: USD}}
---
program: creator-views
version: 1
regions: all
subject: creator
window: {rolling: 24h, step: 1m}
tiers:
  - {name: many, when: {views: 1000000}, reward: {amount: "1.00", currency: USD}}
"""
"""Every first view of a video pays; its creator's counts must be read back for it."""

A_SECOND = 100
_POLL_S = 0.05
_FLUSH_S = 60.0


@dataclass(frozen=True, slots=True)
class Paid:
    """A bonus: when its record was written by the worker, and when the consumer had it (Unix s)."""

    bonus_id: str
    written_s: float
    held_s: float


class Traffic:
    """Sends for as long as it lives. ``paid`` are the bonuses so far, ``sent`` the events."""

    def __init__(self, bootstrap: str, prefix: str, creators: int) -> None:
        self._bootstrap, self._prefix, self._creators = bootstrap, prefix, max(1, creators)
        self._sent_all, self._over = threading.Event(), threading.Event()
        self._random = random.Random(1)
        self._news = threading.Condition()
        self._run = uuid4().hex[:8]
        self.sent = 0
        self.paid: list[Paid] = []

    def send(self) -> None:
        """Send until all is to be paid, or the end."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "linger.ms": 1})
        began_s = time.monotonic()
        while not self._sent_all.wait(_POLL_S):
            while self.sent < (time.monotonic() - began_s) * A_SECOND:
                event = {
                    "event_id": f"{self._run}-{self.sent}",
                    "creator_id": creator(self._random.randrange(self._creators)),
                    "video_id": f"video-{self.sent}",
                    "viewer_id": "viewer",
                    "occurred_at": time.time_ns() // 1_000_000,
                    "region": "US",
                }
                topic = self._prefix + TOPICS[0]
                producer.produce(topic, json.dumps(event), partition=PARTITION)
                self.sent += 1
            producer.poll(0)
        producer.flush(_FLUSH_S)

    def listen(self) -> None:
        """Note bonuses until the end."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": f"{self._prefix}listener",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        consumer.assign([TopicPartition(self._prefix + "bonuses", PARTITION, 0)])
        while not self._over.is_set():
            for message in consumer.consume(1_000, _POLL_S):
                value = message.value()
                if message.error() is None and value is not None:
                    bonus_id: str = json.loads(value)["bonus_id"]
                    with self._news:
                        self.paid.append(Paid(bonus_id, message.timestamp()[1] / 1000, time.time()))
                        self._news.notify_all()
        consumer.close()

    def first_paid(self, from_s: float, within_s: float) -> Paid:
        """The first bonus that was written then (Unix s) or later, once it is held. Raises ``CannotMeasure``."""

        def first() -> Paid | None:
            return next((paid for paid in self.paid if paid.written_s >= from_s), None)

        with self._news:
            found = self._news.wait_for(first, within_s)
        if found is None:
            raise CannotMeasure(f"no bonus came within {within_s:g} s")
        return found

    def all_paid(self, within_s: float) -> list[Paid]:
        """Every bonus, once there are as many as events; nothing more is sent. Raises ``CannotMeasure``."""
        self._sent_all.set()
        with self._news:
            if not self._news.wait_for(lambda: len(self.paid) >= self.sent, within_s):
                raise CannotMeasure(f"{len(self.paid)} bonuses came of {self.sent} within {within_s:g} s")
            return list(self.paid)

    def end(self) -> None:
        """Send no more, listen no more."""
        self._sent_all.set()
        self._over.set()


@contextmanager
def flowing(bootstrap: str, prefix: str, creators: int) -> Iterator[Traffic]:
    """Traffic over ``creators`` planted creators, from threads of its own."""
    traffic = Traffic(bootstrap, prefix, creators)
    threads = [threading.Thread(target=work, name=work.__name__) for work in (traffic.send, traffic.listen)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.end()
        for thread in threads:
            thread.join()
