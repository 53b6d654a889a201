"""The servers beneath the tests are real: transactions isolate, fences hold, a crash loses what it should."""

from pathlib import Path

import pytest
import redis
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from tests.kafka.broker import Broker
from tests.kafka.redis_server import RedisServer
from tests.kafka.servers import Kafka
from tests.kafka.traffic import FLUSH_S


def transactional(bootstrap: str, name: str) -> Producer:
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": name, "partitioner": "murmur2_random"}
    )
    producer.init_transactions(FLUSH_S)
    return producer


async def values_of(bootstrap: str, topic: str, count: int, isolation: str) -> list[bytes | None]:
    """The first ``count`` values of a topic, as a reader of that isolation level sees them."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level=isolation
    )
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_a_transaction_aborts_is_never_read(kafka: Kafka, app_name: str) -> None:
    """A committed reader sees the committed records alone; an uncommitted one sees the aborted record too."""
    await kafka.create_topics(partitions=1)
    topic = f"{kafka.prefix}bonuses"
    producer = transactional(kafka.bootstrap, app_name)
    producer.begin_transaction()
    producer.produce(topic, key=b"ada", value=b"aborted")
    producer.flush(FLUSH_S)
    producer.abort_transaction(FLUSH_S)
    for value in (b"first", b"second"):
        producer.begin_transaction()
        producer.produce(topic, key=b"ada", value=value)
        producer.commit_transaction(FLUSH_S)

    assert await values_of(kafka.bootstrap, topic, 2, "read_committed") == [b"first", b"second"]
    assert await values_of(kafka.bootstrap, topic, 3, "read_uncommitted") == [b"aborted", b"first", b"second"]


def test_a_redis_without_persistence_comes_back_empty(redis_server: RedisServer) -> None:
    """After a crash the server answers at the same address and knows nothing."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("place", 7)
        redis_server.restart()
        assert client.get("place") is None


def test_a_redis_with_persistence_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """After a crash everything that was answered is there again."""
    server = RedisServer(tmp_path, appendonly=True)
    server.start()
    try:
        with redis.Redis.from_url(server.url) as client:
            client.set("place", 7)
            server.restart()
            assert client.get("place") == b"7"
    finally:
        server.kill()


@pytest.mark.usefixtures("kafka_bootstrap")  # where Kafka can't be had, this is skipped too
async def test_a_killed_broker_comes_back_with_its_log(tmp_path: Path) -> None:
    """The address is the same, and so is every acknowledged record."""
    broker = Broker(tmp_path)
    broker.start()
    try:
        kafka = Kafka(broker.bootstrap, prefix="")
        await kafka.create_topics(partitions=1)
        producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "all"})
        producer.produce("views", b"kept")
        assert producer.flush(FLUSH_S) == 0
        broker.kill()
        broker.start()
        assert await values_of(broker.bootstrap, "views", 1, "read_committed") == [b"kept"]
    finally:
        broker.kill()


def test_redis_starts_empty(redis_url: str) -> None:
    """What an earlier test left is gone."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_redis_never_evicts(redis_url: str) -> None:
    """State is never thrown away to make room."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
