"""The outbox of a worker, against a real broker."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from schemas.rejections import TRUNCATED, Origin
from stream.core.outcome import Rejection
from stream.emit.outbox import Outbox, OutboxLost, TurnedAway
from stream.errors import BonusError
from tests.kafka.logs_of import admin_of, read
from tests.kafka.servers import Kafka


class Record:
    """A record as it was read."""

    def __init__(self, value: bytes) -> None:
        self.key, self.value, self.headers = b"ada", value, [("trace", b"1")]


def turned_away(number: int, size: int = 10) -> TurnedAway:
    """One that is no JSON."""
    return TurnedAway(
        Record(b"x" * size), Origin("views", 0, number), Rejection("not_json", "It is not JSON.")
    )


async def test_many_are_relayed_in_order_and_those_too_large_are_cut(kafka: Kafka) -> None:
    await kafka.create_topics(partitions=1)
    outbox = await Outbox.open(kafka.options, kafka.prefix)
    sizes = [*[100] * 500, 9_000_000, *[30_000] * 50, 9_000_000]
    await outbox.relay([turned_away(number, size) for number, size in enumerate(sizes)])
    await outbox.close()
    topic = kafka.prefix + "rejected"
    found = (await read(kafka.bootstrap, topic))[TopicPartition(topic, 0)]
    origins = [int(dict(record.headers)["origin"].rpartition(b"/")[2]) for record in found]
    small = [number for number, size in enumerate(sizes) if size < 9_000_000]
    assert small == [number for number in origins if sizes[number] < 9_000_000]
    assert sorted(origins) == list(range(len(sizes)))


async def test_small_ones_that_are_too_many_for_one_batch_arrive_whole(kafka: Kafka) -> None:
    """The topic takes less at once than the client sends at once: each goes by itself then, and none is cut."""
    topic = kafka.prefix + "rejected"
    async with admin_of(kafka.bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "4096"})])
    await kafka.create_topics(partitions=1)
    outbox = await Outbox.open(kafka.options, kafka.prefix)
    sizes = range(50, 250)
    await outbox.relay([turned_away(number, size) for number, size in enumerate(sizes)])
    await outbox.close()
    found = (await read(kafka.bootstrap, topic))[TopicPartition(topic, 0)]
    assert sorted(len(record.value) for record in found) == list(sizes)
    assert not [record.headers for record in found if TRUNCATED in dict(record.headers)]


async def test_a_client_that_has_lost_its_sending_task_ends_the_worker(kafka: Kafka) -> None:
    """Taken anew, the partition would meet the same client for ever."""
    await kafka.create_topics(partitions=1)
    outbox = await Outbox.open(kafka.options, kafka.prefix)
    task = outbox._producer._sender.sender_task
    task.cancel()
    await asyncio.wait([task])
    with pytest.raises(BonusError, match="stopped sending") as failed:
        await outbox.relay([turned_away(0)])
    assert not isinstance(failed.value, OutboxLost)
    await outbox._producer.client.close()
    outbox._producer._closed = True
