"""The Kafka and the Redis that benchmarks run against, and topics of a run's own on them.

``BONUS_TEST_KAFKA`` (host:port) and ``BONUS_TEST_REDIS`` (URL) name servers to use; otherwise the tests' own are
started for the run, on the cores that the worker is not pinned to.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import redis
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from schemas import bonuses as wire
from schemas.bonuses import BonusEvent
from stream import topics
from stream.core.rules import TOPICS
from tests.kafka.broker import SMALL, Broker
from tests.kafka.redis_server import RedisServer

ADMIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses: Kafka as host:port, Redis as URL."""

    kafka: str
    redis: str


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers, and what one run has to itself there: topics with ``prefix``, a group of the name ``group``."""

    servers: Servers
    prefix: str
    group: str
    partitions: int

    def inputs(self) -> list[TopicPartition]:
        """All partitions of the four inputs."""
        return [
            TopicPartition(self.prefix + topic, number)
            for topic in TOPICS
            for number in range(self.partitions)
        ]

    def records(self) -> int:
        """How many records the inputs hold."""
        consumer = self._consumer(self.group + "-ends")
        try:
            return sum(consumer.get_watermark_offsets(tp, ADMIN_S)[1] for tp in self.inputs())
        finally:
            consumer.close()

    def committed(self) -> int:
        """How many records the group has acknowledged, that is checkpointed."""
        consumer = self._consumer(self.group)
        try:
            return sum(max(0, tp.offset) for tp in consumer.committed(self.inputs(), ADMIN_S))
        finally:
            consumer.close()

    def bonuses(self) -> list[BonusEvent]:
        """Every committed bonus, in the order of the log of each partition."""
        consumer = self._consumer(self.group + "-bonuses")
        found: list[BonusEvent] = []
        try:
            for number in range(self.partitions):
                tp = TopicPartition(self.prefix + topics.LEDGER, number, 0)
                end = consumer.get_watermark_offsets(tp, ADMIN_S)[1]
                consumer.assign([tp])
                while consumer.position([tp])[0].offset < end and end > 0:
                    for message in consumer.consume(1_000, 0.2):
                        value = message.value()
                        if message.error() is None and value is not None:
                            found.append(wire.decode(value))
        finally:
            consumer.close()
        return found

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.servers.kafka,
                "group.id": group,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )


@contextmanager
def servers() -> Iterator[Servers]:
    """The servers that were given, or our own for as long as the context lasts. Raises ``CannotRun``."""
    kafka, redis_url = os.environ.get("BONUS_TEST_KAFKA"), os.environ.get("BONUS_TEST_REDIS")
    with TemporaryDirectory(prefix="bonus-benchmark-") as folder, ExitStack() as ends:
        if not kafka:
            broker = Broker(Path(folder) / "kafka", java_options=SMALL)
            ends.callback(broker.kill)
            broker.start()
            kafka = broker.bootstrap
        if not redis_url:
            server = RedisServer(Path(folder) / "redis")
            ends.callback(server.kill)
            server.start()
            redis_url = server.url
        yield Servers(kafka, redis_url)


@contextmanager
def ground(on: Servers, partitions: int) -> Iterator[Ground]:
    """Topics and a group of the run's own, taken away afterwards, with the state in Redis."""
    name = f"benchmark-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": on.kafka})
    # The load has timestamps of its own, in the past: the default retention would delete it at once.
    config = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    inputs = [NewTopic(f"{name}.{topic}", partitions, 1, config=config) for topic in TOPICS]
    for made in admin.create_topics(inputs).values():
        made.result(ADMIN_S)
    asyncio.run(
        topics.create(
            {"bootstrap_servers": on.kafka}, prefix=name + ".", partitions=partitions, replication=1
        )
    )
    try:
        yield Ground(on, name + ".", name, partitions)
    finally:
        admin.delete_topics([f"{name}.{topic}" for topic in topics.TOPICS])
        with redis.Redis.from_url(on.redis) as client:
            keys = client.scan_iter(match=f"{{{name}:*", count=10_000)
            while some := list(islice(keys, 1_000)):
                client.unlink(*some)
