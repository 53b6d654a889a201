"""Workers with an instance id: a restart moves nothing, and of two with one id the older one ends."""

from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import bonuses_reach
from tests.kafka.traffic import load
from tests.kafka.workers import Fleet, Worker

PARTITIONS = 4
LONG = "60s"
"""A session time-out that no restart takes."""


async def stop(worker: Worker) -> None:
    """As a rolling restart does."""
    worker.terminate()
    assert await worker.ended() == 0


async def test_a_restart_within_the_session_moves_no_partition(fleet: Fleet, seed: int) -> None:
    """Stopped in order, or killed: its partitions wait for it. The other worker notices nothing, and every bonus is
    there once."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    stays = await fleet.start(instance_id="stays", session_timeout=LONG)
    await stays.said_often(PARTITIONS, "partition taken")
    restarts = await fleet.start(instance_id="restarts", session_timeout=LONG)
    taken = await restarts.said_often(PARTITIONS // 2, "partition taken")
    own = {line["partition"] for line in taken}
    await stays.said_often(PARTITIONS + PARTITIONS // 2, "partition taken")
    before = len(stays.lines)

    async with load(kafka.bootstrap, kafka.prefix, seed):
        for end in (stop, Worker.kill):
            await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
            await end(restarts)
            restarts = await fleet.start(instance_id="restarts", session_timeout=LONG)
            taken = await restarts.said_often(PARTITIONS // 2, "partition taken")
            assert own == {line["partition"] for line in taken}
    await fleet.settled()
    assert [] == [line for line in stays.lines[before:] if str(line["event"]).startswith("partition")]
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


async def test_of_two_with_one_id_the_older_one_ends(fleet: Fleet, seed: int) -> None:
    """With exit code 1, a sentence and no traceback; the newer one has its partitions, and is not disturbed by it."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    older = await fleet.start(instance_id="twin")
    await older.said_often(PARTITIONS, "partition taken")
    async with load(kafka.bootstrap, kafka.prefix, seed):
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
        newer = await fleet.start(instance_id="twin")
        assert await older.ended() == 1
        [sentence] = older.sentences
        assert "as 'twin', so this one ends" in sentence
        assert not [line for line in older.lines if "Crashed" in str(line["event"])], str(older)
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
    await fleet.settled()
    taken = await newer.said_often(PARTITIONS, "partition taken")
    assert {line["partition"] for line in taken} == set(range(PARTITIONS))
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


async def test_a_member_that_was_away_for_too_long_joins_anew(fleet: Fleet, seed: int) -> None:
    """Nobody has its id by then: it takes its partitions back, and nothing is lost or doubled."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    sleeps = await fleet.start(instance_id="sleeps", session_timeout="2s")
    await sleeps.said_often(PARTITIONS, "partition taken")
    other = await fleet.start(instance_id="other", session_timeout="2s")
    await other.said_often(PARTITIONS // 2, "partition taken")
    async with load(kafka.bootstrap, kafka.prefix, seed):
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
        before = len(other.lines)
        sleeps.suspend()
        await other.said_often(PARTITIONS, "partition taken", since=before)
        before = len(sleeps.lines)
        sleeps.resume()
        await sleeps.said_often(PARTITIONS // 2, "partition taken", since=before)
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)
