"""Logs that are not those that were counted, at a start and under a running worker: noticed, and never counted on."""

import asyncio
import sys

import pytest
from aiokafka import TopicPartition

from schemas.bonuses import HEADER_APP
from schemas.placement import partition_of
from stream.topics import PARTITIONED
from tests.kafka.logs_of import Logs, admin_of, committed_of, ends_of, read
from tests.kafka.moves import add_partitions
from tests.kafka.traffic import Sender, Sent, new_event, send_traffic, value_of
from tests.kafka.workers import Fleet, Worker

BLIND = """
from stream.worker import table
table.LOGS_EVERY_S = 3_600
from stream.cli.main import main
main()
"""
"""A worker that never looks at its topics by itself."""


async def counting(fleet: Fleet, seed: int, *, partitions: int = 2, blind: bool = False) -> Worker:
    """A worker that has counted all of some traffic."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=partitions)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=400)
    worker = await (fleet.run([sys.executable, "-c", BLIND, "worker"]) if blind else fleet.start())
    await fleet.settled()
    return worker


async def make_anew(fleet: Fleet, *topics: str, partitions: int = 2) -> None:
    """Delete topics and make them again, under the same names."""
    kafka, names = fleet.kafka, [fleet.kafka.prefix + topic for topic in topics]
    async with admin_of(kafka.bootstrap) as admin:
        await admin.delete_topics(names)
        async with asyncio.timeout(10):
            while not set(names).isdisjoint(await admin.list_topics()):
                pass
    await kafka.create_topics(partitions=partitions)


async def refill(fleet: Fleet, seed: int, beyond: dict[str, int]) -> None:
    """Send other traffic until the topics hold more than so many records in each partition."""
    kafka = fleet.kafka
    while True:
        await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=2_000)
        ends = await ends_of(kafka.bootstrap, *beyond)
        if all(end > beyond[tp.topic] for tp, end in ends.items()):
            return
        seed += 1


def lengths(logs: Logs) -> dict[TopicPartition, int]:
    """How many records there are where there are some."""
    return {tp: len(records) for tp, records in logs.items() if records}


async def sentence_of(worker: Worker) -> str:
    """The one sentence of a worker that has ended with exit code 1."""
    assert await worker.ended() == 1, str(worker)
    [sentence] = worker.sentences
    return sentence


@pytest.mark.parametrize("topics", [("bonuses",), PARTITIONED], ids=["bonuses", "all"])
async def test_partitions_added_under_running_workers_end_them(
    fleet: Fleet, seed: int, topics: tuple[str, ...]
) -> None:
    """Each of them, with the topic, both counts, and what to do; and no worker starts again on them."""
    first = await counting(fleet, seed)
    second = await fleet.start_serving()
    await add_partitions(fleet.kafka, topics, 3)
    for worker in (first, second):
        sentence = await sentence_of(worker)
        assert sentence.startswith(fleet.kafka.prefix)
        assert "has 3 partitions now, it had 2" in sentence
        assert "bonus migrate" in sentence
    sentence = await sentence_of(await fleet.start())
    assert ("The state was made with 2 partitions" if topics == PARTITIONED else "counts differ") in sentence


async def test_a_record_of_another_layout_is_not_turned_away(fleet: Fleet, seed: int) -> None:
    """Producers may know of more partitions before the worker does. It asks before it calls a record misplaced, and
    ends instead: the record is neither counted nor in `rejected`, and its offset is not committed."""
    worker = await counting(fleet, seed, blind=True)
    kafka = fleet.kafka
    rejected = await read(kafka.bootstrap, kafka.prefix + "rejected")
    before = await committed_of(kafka.bootstrap, fleet.group)
    await add_partitions(fleet.kafka, PARTITIONED, 3)
    moved = next(
        name for name in map(str, range(99)) if (partition_of(name, 2), partition_of(name, 3)) == (0, 1)
    )
    sender = Sender(kafka.bootstrap, kafka.prefix)
    sender.send(Sent("views", value_of(new_event("late-comer", moved)), moved, partition=1))
    await sender.flush()
    assert "has 3 partitions now, it had 2" in await sentence_of(worker)
    assert before == await committed_of(kafka.bootstrap, fleet.group)
    after = await read(kafka.bootstrap, kafka.prefix + "rejected")
    assert lengths(rejected) == lengths(after)


async def test_a_misplaced_record_is_turned_away_where_the_layout_is_the_same(
    fleet: Fleet, seed: int
) -> None:
    """Having asked costs nothing but the question."""
    worker = await counting(fleet, seed, blind=True)
    kafka = fleet.kafka
    creator = next(name for name in map(str, range(99)) if partition_of(name, 2) == 0)
    sender = Sender(kafka.bootstrap, kafka.prefix)
    for number in range(300):
        sender.send(Sent("views", value_of(new_event(f"astray-{number}", creator)), creator, partition=1))
    await sender.flush()
    await fleet.settled()
    found = await read(kafka.bootstrap, kafka.prefix + "rejected")
    errors = [dict(record.headers)["error"] for records in found.values() for record in records]
    assert errors.count(b"wrong_partition") == 300
    assert worker.code is None


@pytest.mark.parametrize("topic", ["likes", "bonuses"])
async def test_a_topic_made_anew_under_a_running_worker_ends_it(fleet: Fleet, seed: int, topic: str) -> None:
    """Its offsets fit again before anybody could have asked for them, and still it is another log."""
    worker = await counting(fleet, seed)
    await make_anew(fleet, topic)
    sentence = await sentence_of(worker)
    assert f"{fleet.kafka.prefix}{topic}" in sentence
    assert "made anew" in sentence


async def stopped(worker: Worker) -> None:
    """Have a worker stop in order."""
    worker.terminate()
    assert await worker.ended() == 0


async def test_an_input_that_was_made_anew_and_filled_beyond_is_refused(fleet: Fleet, seed: int) -> None:
    """The offsets of the state lie well within the new log; its id tells. With consent it is read from its start."""
    await stopped(await counting(fleet, seed))
    kafka, likes = fleet.kafka, fleet.kafka.prefix + "likes"
    ends = await ends_of(kafka.bootstrap, likes)
    await make_anew(fleet, "likes")
    await refill(fleet, seed + 1, {likes: max(ends.values())})
    sentence = await sentence_of(await fleet.start())
    assert f"{likes}/" in sentence
    assert "it is another topic than the one that was read" in sentence
    assert "--accept-gap" in sentence
    worker = await fleet.start(accept_gap=True)
    await worker.said_often(2, "gap accepted")
    line = await worker.said("partition taken", partition=0)
    assert isinstance(line["positions"], dict)
    assert line["positions"]["likes"] == 0
    await fleet.settled()
    await stopped(worker)
    await stopped(await fleet.start_serving())  # once is enough


async def test_a_ledger_that_was_made_anew_and_filled_beyond_is_refused(fleet: Fleet, seed: int) -> None:
    """What was paid is not in it."""
    await stopped(await counting(fleet, seed))
    kafka, bonuses = fleet.kafka, fleet.kafka.prefix + "bonuses"
    ends = await ends_of(kafka.bootstrap, bonuses)
    await make_anew(fleet, "bonuses")
    sender = Sender(kafka.bootstrap, kafka.prefix)
    for number in range(2 * (max(ends.values()) + 1)):
        sender.send(
            Sent("bonuses", b"{}", partition=number % 2, headers=((HEADER_APP, fleet.group.encode()),))
        )
    await sender.flush()
    sentence = await sentence_of(await fleet.start())
    assert f"{bonuses}/" in sentence
    assert "it is another topic than the one that was read" in sentence
