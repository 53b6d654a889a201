"""A client is closed whole, whatever it is waiting for."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, ProducerFenced
from aiokafka.protocol.produce import ProduceRequest

from stream import topics
from stream.closing import discard, stop
from tests.kafka.broker import Broker
from tests.kafka.servers import Kafka, started

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


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test alone, to hang."""
    with started(Broker(tmp_path / "broker"), "Kafka") as broker:
        yield broker


def sending(client: AIOKafkaClient) -> asyncio.Event:
    """Set once a producer's records are on their way."""
    honest, event = client.send, asyncio.Event()

    async def send(node: int, request: object, **options: object) -> object:
        if isinstance(request, ProduceRequest):
            event.set()
        return await honest(node, request, **options)

    client.send = send
    return event


async def nothing_is_left(client: AIOKafkaClient, before: set["asyncio.Task[object]"]) -> None:
    """Return once all tasks that there were not ``before`` have ended."""
    assert not any(line.connected() for line in client._conns.values())
    if since := asyncio.all_tasks() - before:
        _, left = await asyncio.wait(since, timeout=OVER_S)
        assert left == set()


@pytest.mark.parametrize("transactional_id", [None, "writer"])
async def test_of_a_producer_nothing_is_left_though_its_broker_hangs(
    broker: Broker, transactional_id: str | None
) -> None:
    """Whether what it sent is on its way, or waits for that."""
    options = Kafka(broker.bootstrap, "").options
    await topics.create(options, partitions=1, replication=1)
    before = asyncio.all_tasks()
    producer = AIOKafkaProducer(**options, transactional_id=transactional_id, acks="all")
    await producer.start()
    if transactional_id is not None:
        await producer.begin_transaction()
    await producer.send_and_wait("bonuses", b"acknowledged", partition=0)
    broker.suspend()
    begun = sending(producer.client)
    await producer.send("bonuses", b"on its way", partition=0)
    await asyncio.wait_for(begun.wait(), OVER_S)
    await producer.send("bonuses", b"waits", partition=0)
    await asyncio.wait_for(discard(producer), OVER_S)
    await nothing_is_left(producer.client, before)


async def test_a_member_of_a_group_is_closed_though_its_broker_hangs(broker: Broker) -> None:
    """It can't tell its group that it leaves, and does not wait to."""
    options = Kafka(broker.bootstrap, "").options
    await topics.create(options, partitions=1, replication=1)
    before = asyncio.all_tasks()
    consumer = AIOKafkaConsumer("views", **options, group_id="g", enable_auto_commit=False)
    await consumer.start()
    broker.suspend()
    await asyncio.wait_for(stop(consumer), OVER_S)
    await nothing_is_left(consumer._client, before)


async def test_of_a_producer_that_was_shut_out_nothing_is_logged_later(kafka: Kafka) -> None:
    """What it failed with was told to whoever sent; aiokafka keeps it for others, too."""
    logged: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: logged.append(context))
    bonuses = await kafka.create_topics() + "bonuses"
    options = {**kafka.options, "transactional_id": bonuses, "acks": "all"}
    first = AIOKafkaProducer(**options)
    await first.start()
    second = AIOKafkaProducer(**options)
    await second.start()
    await first.begin_transaction()
    with pytest.raises(ProducerFenced):
        await first.send_and_wait(bonuses, b"too late", partition=0)
    for producer in (first, second):
        await discard(producer)
    del first, second, producer
    gc.collect()
    assert logged == []
