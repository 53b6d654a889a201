"""Logs read back whole, as consumers see them; where they end, and how far a group is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from stream.closing import stop

READ_S = 120
"""How long a reader may get no further; the logs of a long run take as long as they take."""

SETTLE_S = 180
ASK_EVERY_S = 0.05

Logs = dict[TopicPartition, list[ConsumerRecord]]


async def read(bootstrap: str, *topics: str) -> Logs:
    """Every committed record of the topics, by topic-partition in offset order.

    Reads up to the uncommitted ends as they are at the call: a transaction that is open then is waited for.
    """
    ends = await ends_of(bootstrap, *topics)
    logs: Logs = {tp: [] for tp in ends}
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=8_388_608,
    )
    await consumer.start()
    try:
        moved_s, before = time.monotonic(), dict[str, tuple[int, int]]()
        while behind := await _behind(consumer, ends):
            if behind != before:
                moved_s, before = time.monotonic(), behind
            assert time.monotonic() - moved_s < READ_S, f"for {READ_S} s nothing more was read of {behind}"
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                logs[tp] += records
        return logs
    finally:
        await stop(consumer)


async def _behind(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> dict[str, tuple[int, int]]:
    """The position and the end of each partition that is not read to its end."""
    at = {tp: await consumer.position(tp) for tp in ends}
    return {f"{tp.topic}/{tp.partition}": (at[tp], end) for tp, end in ends.items() if at[tp] < end}


async def ends_of(bootstrap: str, *topics: str) -> dict[TopicPartition, int]:
    """The offset after each partition's last record, committed or not."""
    return await _ends_of(bootstrap, topics, "read_uncommitted")


async def readable_ends_of(bootstrap: str, *topics: str) -> dict[TopicPartition, int]:
    """How far a committed reader gets in each partition."""
    return await _ends_of(bootstrap, topics, "read_committed")


async def _ends_of(bootstrap: str, topics: Iterable[str], isolation: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, isolation_level=isolation, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(consumer.assignment()))
    finally:
        await stop(consumer)


def read_with_librdkafka(bootstrap: str, topic: str, group: str) -> list[Message]:
    """Every committed record of a topic, by another client: librdkafka's."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    try:
        numbers = list(consumer.list_topics(topic, timeout=READ_S).topics[topic].partitions)
        consumer.assign([Place(topic, number, 0) for number in numbers])
        found: list[Message] = []
        unfinished = set(numbers)
        while unfinished:
            message = consumer.poll(READ_S)
            assert message is not None, f"{topic} was not read to its end within {READ_S} s"
            error = message.error()
            if error is None:
                found.append(message)
            elif error.name() == "_PARTITION_EOF":
                unfinished.discard(message.partition())
            else:
                raise KafkaException(error)
        return found
    finally:
        consumer.close()


@asynccontextmanager
async def admin_of(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for what an operator does to topics and groups."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def committed_of(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    """What a group has committed; nothing yet on a cluster that has not seen any group."""
    async with admin_of(bootstrap) as admin:
        try:
            found = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return {}
    return {TopicPartition(*tp): entry.offset for tp, entry in found.items()}


async def settled(
    bootstrap: str, group: str, *inputs: str, given_up: Callable[[], bool], within_s: float = SETTLE_S
) -> None:
    """Return when the group has committed the ends of the inputs: a checkpoint covers all they hold now.

    Fails once ``given_up`` says that nobody works on it any more.
    """
    goal = await ends_of(bootstrap, *inputs)
    deadline = time.monotonic() + within_s
    while True:
        committed = await committed_of(bootstrap, group)
        behind = {tp: (committed.get(tp, 0), end) for tp, end in goal.items() if committed.get(tp, 0) < end}
        if not behind:
            return
        assert time.monotonic() < deadline, (
            f"after {within_s:g} s {group} has committed, of the ends: {behind}"
        )
        assert not given_up(), f"all workers have ended; {group} has committed, of the ends: {behind}"
        await asyncio.sleep(ASK_EVERY_S)


async def bonuses_reach(bootstrap: str, topic: str, offsets: int, *, within_s: float = SETTLE_S) -> None:
    """Return when the partitions of a topic have come so many offsets further, all together.

    The end of a transaction takes an offset as well, so at least half as many bonuses are there then.
    """
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        began = sum((await consumer.end_offsets(consumer.assignment())).values())
        async with asyncio.timeout(within_s):
            while True:
                ends = await consumer.end_offsets(consumer.assignment())
                if sum(ends.values()) >= began + offsets:
                    return
                await asyncio.sleep(ASK_EVERY_S)
    finally:
        await stop(consumer)
