"""What is no stall, however long it takes: somebody's open transaction, a log without more to read, a machine that
was asleep, Redis or Kafka being away."""

import pytest
import redis.asyncio
from aiokafka import AIOKafkaProducer

from tests.kafka.expected import assert_exact
from tests.kafka.redis_server import RedisServer
from tests.kafka.traffic import Sender, Sent, load, new_event, send_traffic, value_of
from tests.kafka.workers import Fleet, Worker

SOON, LONG_AFTER_S = "4s", 6.0
"""A stall time-out for tests, and longer than that."""


async def lives_on(worker: Worker) -> None:
    """Return when the worker has gone on running for long after a stall would have ended it."""
    with pytest.raises(AssertionError, match="has not ended"):
        await worker.ended(within_s=LONG_AFTER_S)


async def test_what_cannot_be_read_is_no_stall(fleet: Fleet, seed: int) -> None:
    """A transaction that was aborted leaves nothing to read at a log's end; one that is open on an input hides all
    that follows; and while the machine sleeps time doesn't count."""
    kafka = fleet.kafka
    views, event = kafka.prefix + "views", value_of(new_event("of somebody's transaction"))
    await kafka.create_topics(partitions=2)
    worker = await fleet.start_serving(stall_timeout=SOON, session_timeout="20s")
    foreign = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"{fleet.group}-foreign")
    await foreign.start()
    try:
        await foreign.begin_transaction()
        await foreign.send_and_wait(views, event, partition=1)
        await foreign.abort_transaction()
        await foreign.begin_transaction()
        await foreign.send_and_wait(views, event, partition=0)
        sender = Sender(kafka.bootstrap, kafka.prefix)
        sender.send(Sent("views", value_of(new_event("hidden")), partition=0))
        await sender.flush()
        await lives_on(worker)
        await foreign.abort_transaction()
    finally:
        await foreign.stop()
    await fleet.settled()

    async with load(kafka.bootstrap, kafka.prefix, seed + 1, rate=500) as going:
        worker.suspend()
        await going.reached(round(500 * LONG_AFTER_S))
        worker.resume()
        await going.reached(1_000)
    await fleet.settled()
    assert worker.code is None
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=30)


async def test_waiting_for_redis_is_no_stall(fleet: Fleet, redis_server: RedisServer, seed: int) -> None:
    """Subjects can't be read back, so nothing is applied: that is said, and waited for."""
    kafka, fleet.redis_url = fleet.kafka, redis_server.url
    await kafka.create_topics(partitions=2)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=500)
    first = await fleet.start()
    await fleet.settled()
    first.terminate()
    assert await first.ended() == 0

    second = await fleet.start(stall_timeout=SOON)
    await second.said_often(2, "partition taken")
    async with redis.asyncio.Redis.from_url(redis_server.url) as operator:
        await operator.client_pause(60_000, all=False)
        await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=500)
        await second.said("no progress", reason="waits for Redis")
        await lives_on(second)
        await operator.client_unpause()
    await fleet.settled()
    assert second.code is None
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=30)
