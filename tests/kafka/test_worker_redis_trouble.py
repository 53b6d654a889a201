"""Redis in trouble under load: the worker says what it waits for, and every bonus is there once afterwards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import redis.asyncio

from tests.kafka.broker import free_ports
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import bonuses_reach
from tests.kafka.redis_server import RedisServer
from tests.kafka.rules_of import all_checkpointed, checkpointed
from tests.kafka.traffic import load
from tests.kafka.workers import Fleet, Worker

PARTITIONS = 3


@pytest.fixture
async def worker(fleet: Fleet, redis_server: RedisServer) -> Worker:
    """A worker on a Redis of this test's own, which comes back from a crash with its last snapshot."""
    fleet.redis_url = redis_server.url
    await fleet.kafka.create_topics(partitions=PARTITIONS)
    return await fleet.start_serving(PARTITIONS)


@pytest.fixture
async def operator(redis_server: RedisServer) -> AsyncIterator["redis.asyncio.Redis"]:
    """An operator's connection to that Redis."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    yield client
    await client.aclose()


async def paid(fleet: Fleet, bonuses: int = 20) -> None:
    """Return when so many more bonuses have been paid."""
    await bonuses_reach(fleet.kafka.bootstrap, fleet.kafka.prefix + "bonuses", bonuses)


async def finish(fleet: Fleet) -> None:
    await fleet.settled()
    await assert_exact(fleet.kafka.bootstrap, fleet.kafka.prefix, fleet.programs, at_least=20)


async def test_a_redis_that_crashes_and_comes_back_is_waited_for(
    fleet: Fleet, tmp_path: Path, seed: int
) -> None:
    """With what it acknowledged; bonuses go on being paid while it is away, and nothing is taken anew."""
    server = RedisServer(tmp_path / "lasting", appendonly=True)
    server.start()
    try:
        fleet.redis_url = server.url
        await fleet.kafka.create_topics(partitions=PARTITIONS)
        worker = await fleet.start_serving(PARTITIONS)
        async with load(fleet.kafka.bootstrap, fleet.kafka.prefix, seed):
            await paid(fleet)
            server.kill()
            await worker.mentioned("waits for Redis")
            await paid(fleet)
            server.start()
            await worker.mentioned("was away for")
            await paid(fleet)
        await finish(fleet)
        assert not [line for line in worker.lines if line["event"] == "partition is taken anew"]
    finally:
        server.kill()


async def test_a_redis_that_was_emptied_is_filled_again(
    fleet: Fleet, worker: Worker, operator: "redis.asyncio.Redis", seed: int
) -> None:
    """The state is rebuilt from the inputs' history; what was paid is found in `bonuses`."""
    async with load(fleet.kafka.bootstrap, fleet.kafka.prefix, seed):
        await paid(fleet)
        await operator.flushall()
        await worker.said_often(PARTITIONS, "partition is taken anew")
        await paid(fleet)
    await finish(fleet)


async def test_a_redis_that_went_back_in_time_is_found_out(
    fleet: Fleet, worker: Worker, operator: "redis.asyncio.Redis", redis_server: RedisServer, seed: int
) -> None:
    """After a crash it has an older snapshot: the worker counts on from there, and pays nothing twice."""
    async with load(fleet.kafka.bootstrap, fleet.kafka.prefix, seed) as going:
        await paid(fleet)
        await operator.save()
        saved = await operator.info("persistence")
        assert saved["rdb_last_bgsave_status"] == "ok"
        saved_at = checkpointed(fleet, PARTITIONS)
        await going.reached(3_000)
        await all_checkpointed(fleet, PARTITIONS, since=saved_at)
        redis_server.restart()
        await worker.said_often(PARTITIONS, "partition is taken anew")
        await paid(fleet)
    await finish(fleet)
    taken = await worker.said_often(2 * PARTITIONS, "partition taken")
    assert any(line["checkpoint"] and line["bonuses_found"] for line in taken[PARTITIONS:])


async def read_only(operator: "redis.asyncio.Redis") -> None:
    await operator.replicaof("127.0.0.1", free_ports(1)[0])


async def master(operator: "redis.asyncio.Redis") -> None:
    await operator.replicaof("NO", "ONE")


async def full(operator: "redis.asyncio.Redis") -> None:
    await operator.config_set("maxmemory", 1)


async def roomy(operator: "redis.asyncio.Redis") -> None:
    await operator.config_set("maxmemory", 0)


async def paused(operator: "redis.asyncio.Redis") -> None:
    await operator.client_pause(60_000, all=False)  # writes alone, or nobody could end it


async def unpaused(operator: "redis.asyncio.Redis") -> None:
    await operator.client_unpause()


Act = Callable[["redis.asyncio.Redis"], Awaitable[None]]


@pytest.mark.parametrize(
    ("break_it", "says", "mend_it"),
    [
        (read_only, "READONLY", master),
        (full, "raise its maxmemory", roomy),
        (paused, "waits for Redis", unpaused),
    ],
    ids=["read-only", "full", "silent"],
)
async def test_a_redis_that_refuses_for_a_while_is_waited_for(
    fleet: Fleet,
    worker: Worker,
    operator: "redis.asyncio.Redis",
    seed: int,
    break_it: Act,
    says: str,
    mend_it: Act,
) -> None:
    """It is said what is wrong and what to do; bonuses go on, and so do checkpoints once it is mended."""
    async with load(fleet.kafka.bootstrap, fleet.kafka.prefix, seed):
        await paid(fleet)
        await break_it(operator)
        await worker.mentioned(says)
        await paid(fleet)
        await mend_it(operator)
        await worker.mentioned("was away for")
    await finish(fleet)
