"""A start never stands still in silence: it says what it waits for, and goes on, or ends, by itself."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from tests.kafka.servers import Kafka
from tests.kafka.workers import Fleet, Worker

_LONG_MS = 600_000

MORE = """
program: one-more
version: 1
regions: all
subject: creator
window: {rolling: 1h}
tiers: [{name: seen, when: {views: 1000000}, reward: {amount: "1.00", currency: USD}}]
"""


@asynccontextmanager
async def open_transaction(kafka: Kafka) -> AsyncIterator[None]:
    """Somebody's transaction on `programs`: whoever has to publish the folder must read that to its end first."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        transactional_id=f"{kafka.prefix}somebody",
        transaction_timeout_ms=_LONG_MS,
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(kafka.prefix + "programs", b"never committed", key=b"x", partition=0)
        yield
        await producer.abort_transaction()
    finally:
        await producer.stop()


async def start_joining(fleet: Fleet, how: str) -> Worker:
    """A worker that is kept from joining so: see ``tests.kafka.joins``."""
    await fleet.kafka.create_topics(partitions=1)
    return await fleet.run([sys.executable, "-m", "tests.kafka.joins"], test_join=how)


async def test_who_waits_for_a_transaction_on_the_programmes_says_so(fleet: Fleet) -> None:
    """And goes on when it ends; where that is too long, the worker ends with a sentence, as if Kafka were away."""
    await fleet.kafka.create_topics(partitions=1)
    async with open_transaction(fleet.kafka):
        hasty = await fleet.start(connect_timeout="8s")
        assert await hasty.ended() == 3
        [sentence] = hasty.sentences
        assert f"waited 8 s in vain for Kafka at {fleet.kafka.bootstrap}" in sentence
        worker = await fleet.start()
        await worker.mentioned(f"{fleet.kafka.prefix}programs")
    await worker.said("partition taken")


async def test_a_changed_folder_that_can_not_be_published_yet_is_told(fleet: Fleet) -> None:
    await fleet.kafka.create_topics(partitions=1)
    worker = await fleet.start_serving(1)
    async with open_transaction(fleet.kafka):
        (fleet.programs / "one-more.yaml").write_text(MORE)
        line = await worker.mentioned("publishing the folder waits")
        assert f"{fleet.kafka.prefix}programs" in str(line["reason"])
    await worker.said("programmes published", programs=["one-more"])


async def test_a_broker_that_tells_of_no_brokers_is_asked_again(fleet: Fleet) -> None:
    """Each client would take it for an answer, and the one that joins the group would die of it, without a word."""
    worker = await start_joining(fleet, "no-brokers")
    await worker.said("partition taken")


async def test_joining_goes_on_after_a_failure(fleet: Fleet) -> None:
    """aiokafka keeps it until somebody asks: before there is an assignment that is the start."""
    worker = await start_joining(fleet, "put-off")
    await worker.mentioned("joining the group failed")
    await worker.said("partition taken")


async def test_who_can_never_join_ends(fleet: Fleet) -> None:
    """With a sentence, and the exit code of a server that could not be reached."""
    worker = await start_joining(fleet, "given-up")
    assert await worker.ended() == 3
    [sentence] = worker.sentences
    assert "aiokafka stopped coordinating" in sentence
