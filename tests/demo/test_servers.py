"""The demo's embedded broker and Redis, with the clients that the worker uses."""

import subprocess
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from stream.demo.broker import PARTITIONS, embedded_broker
from stream.demo.redis_server import embedded_redis
from stream.topics import TOPICS, verify

CLOSED = TopicPartition("bonuses", 1)


async def test_the_broker_has_all_topics_with_equal_partition_counts() -> None:
    with embedded_broker(TOPICS) as broker:
        partitions = await verify({"bootstrap_servers": broker}, allow_create_time=True)
    assert partitions == PARTITIONS


async def test_a_transaction_can_be_read_to_its_end_marker() -> None:
    """A take scans `bonuses` until its position reaches the log's end, which a transaction's marker moves."""
    with embedded_broker(["bonuses"]) as broker:
        producer = AIOKafkaProducer(bootstrap_servers=broker, transactional_id="demo-1")
        async with producer, producer.transaction():
            await producer.send_and_wait("bonuses", b"one", partition=1)
            await producer.send_and_wait("bonuses", b"two", partition=1)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            check_crcs=False,
        )
        async with consumer:
            consumer.assign([CLOSED])
            consumer.seek(CLOSED, 0)
            (end,) = (await consumer.end_offsets([CLOSED])).values()
            values: list[bytes | None] = []
            for _ in range(100):
                batches = await consumer.getmany(CLOSED, timeout_ms=100)
                values += [record.value for records in batches.values() for record in records]
                if await consumer.position(CLOSED) >= end:
                    break
            assert (values, await consumer.position(CLOSED)) == ([b"one", b"two"], end)


def test_redis_answers_never_evicts_and_ends_with_its_context(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url, Redis.from_url(url) as client:
        client.set("counter", 1)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        server = int(client.info("server")["process_id"])
    with pytest.raises(RedisConnectionError):
        Redis.from_url(url).ping()
    assert subprocess.run(["ps", "-p", str(server)], capture_output=True, check=False).returncode == 1
