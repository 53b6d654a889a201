"""A consumer is closed whole, whatever it is waiting for."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from stream.closing import stop
from tests.kafka.servers import Kafka

FOR_EVER_MS = 600_000
OVER_S = 20


async def waiting_to_fetch_again(kafka: Kafka) -> AIOKafkaConsumer:
    """A consumer whose fetch has failed, and waits to be tried again."""
    views = TopicPartition(await kafka.create_topics() + "views", 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, retry_backoff_ms=FOR_EVER_MS, auto_offset_reset="none"
    )
    await consumer.start()
    failed = asyncio.Event()

    async def send(*_: object, **__: object) -> None:
        failed.set()
        raise KafkaConnectionError

    consumer._client.send = send
    consumer.assign([views])
    consumer.seek(views, 0)
    await asyncio.wait_for(failed.wait(), OVER_S)
    return consumer


async def test_aiokafka_lets_a_cancellation_out_of_stop(kafka: Kafka) -> None:
    """The reason for all this: once it fails, `stream/closing` can go."""
    consumer = await waiting_to_fetch_again(kafka)
    with pytest.raises(asyncio.CancelledError):
        await consumer.stop()
    await consumer._client.close()


async def test_who_closes_a_consumer_is_not_cancelled(kafka: Kafka) -> None:
    """And no connection is left."""
    consumer = await waiting_to_fetch_again(kafka)
    await asyncio.wait_for(stop(consumer), OVER_S)
    assert not any(line.connected() for line in consumer._client._conns.values())


async def test_who_is_cancelled_while_closing_ends_so(kafka: Kafka) -> None:
    """That cancellation is its own."""
    consumer = await waiting_to_fetch_again(kafka)
    closing = asyncio.create_task(stop(consumer))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await stop(consumer)
    await consumer._client.close()
