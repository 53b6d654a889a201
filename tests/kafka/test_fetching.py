"""Runs hold what aiokafka hands out one by one: no record more, none less, whatever the batches are like."""

import asyncio
import gc
import random
import weakref

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from confluent_kafka import Producer

from stream.transport import fetching
from stream.transport.fetching import in_runs
from tests.kafka.headers import CODECS, SHOWN, send_with_odd_headers
from tests.kafka.logs_of import read
from tests.kafka.servers import Kafka

Seen = list[tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes]]]]


@pytest.fixture
async def topic(kafka: Kafka, app_name: str) -> str:
    """A log of one partition: small and large batches, compressed ones, transactions committed and aborted."""
    name = await kafka.create_topics(partitions=1) + "views"
    serial = 0
    for turn, codec in enumerate(("none", "lz4", "none", "gzip", "snappy", "zstd")):
        producer = Producer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "compression.type": codec,
                "transactional.id": f"{app_name}-{turn}",
            }
        )
        producer.init_transactions()
        for count, keep in ((1, True), (3, False), (400, True), (5, True), (7, False)):
            producer.begin_transaction()
            for _ in range(count):
                headers: list[tuple[str, str | bytes | None]] = (
                    [("serial", b"%d" % serial)] if serial % 3 else []
                )
                value = None if serial % 50 == 7 else b"%d" % serial * (serial % 30)
                producer.produce(name, value, key=b"k" if serial % 2 else None, headers=headers, partition=0)
                serial += 1
            producer.flush()
            (producer.commit_transaction if keep else producer.abort_transaction)()
    return name


async def test_runs_are_the_records_that_aiokafka_hands_out(kafka: Kafka, topic: str) -> None:
    tp = TopicPartition(topic, 0)
    one_by_one = [
        (record.offset, record.timestamp, record.key, record.value, list(record.headers))
        for record in (await read(kafka.bootstrap, topic))[tp]
    ]
    assert len(one_by_one) == 6 * 406
    starts = [0, 1, 2, one_by_one[-1][0], *random.Random(7).choices(range(one_by_one[-1][0]), k=8)]
    for size in (1_000_000, 100, 7):
        for start in starts if size > 7 else starts[:2]:
            seen = await in_runs_from(kafka, tp, start, one_by_one[-1][0], size)
            assert seen == [record for record in one_by_one if record[0] >= start]


@pytest.mark.parametrize("codec", CODECS)
async def test_a_headers_name_that_is_no_text_holds_nothing_up(kafka: Kafka, codec: str | None) -> None:
    """Its record is handed out like the others of its batch, each once, wherever reading begins and a run ends."""
    tp = TopicPartition(await kafka.create_topics(partitions=1) + "views", 0)
    plain, odd = [b"a", b"b"], [b"%d" % number for number in range(9)]
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for values in (plain, odd, odd[:2], plain):
        if values is plain:
            for value in values:
                producer.produce(tp.topic, value)
            producer.flush()
        else:
            await send_with_odd_headers(kafka.bootstrap, tp.topic, 0, values, codec)
    values = [*plain, *odd, *odd[:2], *plain]
    headers = [
        [("plain", b"1"), (SHOWN, b"2")] if value in odd and int(value) % 2 else [] for value in values
    ]
    whole = list(zip(range(len(values)), values, headers, strict=True))
    for size in (1_000, 2, 1):
        for start in range(len(values)):
            seen = await in_runs_from(kafka, tp, start, len(values) - 1, size)
            assert [(offset, value, held) for offset, _, _, value, held in seen] == whole[start:]


async def test_a_fetch_goes_with_its_last_record(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes must not wait for the garbage collector, which seldom comes: a backlog would fill the memory."""
    tp = TopicPartition(await kafka.create_topics(partitions=1) + "views", 0)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for _ in range(100):
        producer.produce(tp.topic, b"x" * 1_000)
    producer.flush()
    fetched: list[weakref.ref[fetching.MemoryRecords]] = []

    class Watched(fetching.MemoryRecords):
        def __init__(self, raw: bytes) -> None:
            super().__init__(raw)
            fetched.append(weakref.ref(self))

    monkeypatch.setattr(fetcher, "MemoryRecords", Watched)
    gc.disable()
    try:
        assert len(await in_runs_from(kafka, tp, 0, 99, 7)) == 100
        assert fetched
        assert not [each for each in fetched if each() is not None]
    finally:
        gc.enable()


async def in_runs_from(kafka: Kafka, tp: TopicPartition, start: int, last: int, most: int) -> Seen:
    """What lies between two offsets, in runs of so many records at most."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="none",
        value_deserializer=in_runs,
    )
    await consumer.start()
    seen: Seen = []
    try:
        consumer.assign([tp])
        consumer.seek(tp, start)
        async with asyncio.timeout(30):
            while await consumer.position(tp) <= last:
                for run in (await consumer.getmany(timeout_ms=200, max_records=most)).values():
                    assert 0 < len(run) <= most
                    assert await consumer.position(tp) > run[-1].offset
                    seen += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in run]
    finally:
        await consumer.stop()
    return seen
