"""Stopping a worker: it finishes what it began, writes it down, and leaves."""

import redis
from aiokafka import TopicPartition

from stream.core.rules import TOPICS
from stream.store.layout import Layout
from stream.worker.body import Body
from tests.kafka import logs_of
from tests.kafka.broker import free_ports
from tests.kafka.expected import assert_bonuses, assert_exact, of_logs
from tests.kafka.logs_of import bonuses_reach, committed_of, ends_of
from tests.kafka.redis_server import RedisServer
from tests.kafka.rules_of import all_checkpointed
from tests.kafka.traffic import load, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 4


def checkpointed(fleet: Fleet) -> dict[TopicPartition, int]:
    """Where the checkpoints in Redis stand."""
    found: dict[TopicPartition, int] = {}
    with redis.Redis.from_url(fleet.redis_url) as client:
        for number in range(PARTITIONS):
            body = client.hget(Layout(fleet.group, number).meta, "body")
            assert isinstance(body, bytes)
            for topic, offset in Body.decode(body).positions.items():
                found[TopicPartition(fleet.kafka.prefix + topic, number)] = offset
    return found


async def test_sigterm_under_load_covers_all_that_was_applied(fleet: Fleet, seed: int) -> None:
    """It ends with 0; checkpoint and group stand at the same offsets, and the bonuses of the logs up to there, no
    more and no fewer, are in `bonuses`."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start()
    await all_checkpointed(fleet, PARTITIONS)
    async with load(kafka.bootstrap, kafka.prefix, seed):
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 50)
        worker.terminate()
        assert await worker.ended() == 0

    committed = await committed_of(kafka.bootstrap, fleet.group)
    assert committed == checkpointed(fleet)
    logs = await logs_of.read(kafka.bootstrap, *(kafka.prefix + topic for topic in TOPICS))
    applied = {
        tp: [record for record in records if record.offset < committed[tp]] for tp, records in logs.items()
    }
    due = of_logs(applied, kafka.prefix, fleet.rules())
    assert len(due.bonuses) >= 25
    found = await logs_of.read(kafka.bootstrap, kafka.prefix + "bonuses")
    assert_bonuses(due.bonuses, found, fleet.rules())


async def test_a_restart_repeats_nothing_and_goes_on(fleet: Fleet, seed: int) -> None:
    """After a stop at the logs' end the next worker has nothing to do but what comes then."""
    kafka = fleet.kafka
    inputs = [kafka.prefix + topic for topic in TOPICS]
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=1_500)
    first = await fleet.start()
    await fleet.settled()
    first.terminate()
    assert await first.ended() == 0
    assert await committed_of(kafka.bootstrap, fleet.group) == await ends_of(kafka.bootstrap, *inputs)
    paid = await ends_of(kafka.bootstrap, kafka.prefix + "bonuses")

    second = await fleet.start()
    taken = await second.said_often(PARTITIONS, "partition taken")
    assert [0] * PARTITIONS == [line["bonuses_found"] for line in taken]
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=1_500)  # ids that have all been counted
    await fleet.settled()
    assert paid == await ends_of(kafka.bootstrap, kafka.prefix + "bonuses")
    await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=1_500)
    await fleet.settled()
    assert paid != await ends_of(kafka.bootstrap, kafka.prefix + "bonuses")
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=100)


async def test_a_stop_does_not_wait_for_redis_for_ever(
    fleet: Fleet, redis_server: RedisServer, seed: int
) -> None:
    """With Redis gone, SIGTERM ends the worker within drain_timeout; what it could not write is done again."""
    kafka, fleet.redis_url = fleet.kafka, redis_server.url
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start(drain_timeout="2s")
    async with load(kafka.bootstrap, kafka.prefix, seed):
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 50)
        redis_server.kill()
        await worker.mentioned("waits for Redis")
        worker.terminate()
        assert await worker.ended() == 0
    redis_server.start()
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=25)


async def test_a_stop_while_it_still_waits_for_kafka(fleet: Fleet) -> None:
    """A worker that has not come to serve anything ends on SIGTERM as well."""
    worker = await fleet.start(kafka=f"127.0.0.1:{free_ports(1)[0]}")
    await worker.mentioned("Unable connect")
    worker.terminate()
    assert await worker.ended() == 0
