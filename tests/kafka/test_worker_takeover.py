"""Workers that are killed or hang: others take over, and every bonus is there once."""

import random

from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import bonuses_reach
from tests.kafka.traffic import load, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 4
BACKLOG = 30_000
SHORT = "2s"
"""A session time-out for tests that are not about its default."""


async def test_a_killed_worker_is_followed_by_another(fleet: Fleet, seed: int) -> None:
    """With the default settings; what it had counted and paid is neither lost nor paid again. How long that takes is
    measured by benchmarks/recovery."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    first = await fleet.start_serving()
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 50)
        second = await fleet.start()
        await second.said("worker ready")
        await first.kill()
        await second.said_often(PARTITIONS, "partition taken")
        await going.reached(1_000)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=50)


async def test_workers_killed_again_and_again_lose_and_double_nothing(fleet: Fleet, seed: int) -> None:
    """Three at a time, each killed at a random moment of a load, also while it takes over from another."""
    kafka, chance = fleet.kafka, random.Random(seed)
    await kafka.create_topics(partitions=PARTITIONS)
    running = [await fleet.start(session_timeout=SHORT) for _ in range(3)]
    await running[0].said("partition taken")
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        for _ in range(6):
            await going.reached(chance.randrange(200, 4_000))
            victim = running.pop(chance.randrange(len(running)))
            await victim.kill()
            running.append(await fleet.start(session_timeout=SHORT))
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=50)


async def test_a_worker_that_wakes_up_again_does_no_harm(fleet: Fleet, seed: int) -> None:
    """Stopped in the middle of transactions, for longer than its session, it finds its partitions taken: nothing that
    it held in memory is written any more, and nobody is shut out by it."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, BACKLOG)
    first = await fleet.start(session_timeout=SHORT)
    await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 1)
    first.suspend()
    second = await fleet.start(session_timeout=SHORT)
    await second.said_often(PARTITIONS, "partition taken")
    await fleet.settled()
    before = len(first.lines)
    first.resume()
    await first.said("partition taken", since=before)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=500)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=1_000)
    anew = [line for line in second.lines if line["event"] == "partition is taken anew"]
    assert not [line for line in anew if "the group has moved on" not in str(line["reason"])]
