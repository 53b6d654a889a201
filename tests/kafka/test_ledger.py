"""The ledger of a partition against a real broker, and what a checkpoint takes for written in it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import DuplicateSequenceNumber
from aiokafka.protocol.produce import ProduceRequest

from schemas import bonuses as wire
from stream import topics
from stream.core.outcome import Bonus, Evidence
from stream.core.partition import Partition
from stream.core.rules import Limits
from stream.emit.ledger import Ledger, LedgerLost
from stream.store.checkpoint import Delta
from stream.transport.log_ends import LogEnds
from stream.worker.outgoing import TRANSACTION_BONUSES
from stream.worker.rules import in_force
from stream.worker.service import Service
from tests.kafka.broker import Broker
from tests.kafka.logs_of import read, readable_ends_of
from tests.kafka.servers import Kafka
from tests.rulebook.written import dated
from tests.worker.served import crew_of_one, taken_of

OVER_S = 60


def bonus(number: int) -> Bonus:
    """One of many, for a creator of its own."""
    return Bonus(
        bonus_id=f"{number:032x}",
        program="p",
        program_version=1,
        tier="t",
        subject="creator",
        creator_id=f"creator-{number}",
        video_id=None,
        region="US",
        period=(None, None),
        window=(0, 86_400_000),
        metrics={"views": 10},
        thresholds={"views": 10},
        reward={"amount": "5.00", "currency": "USD"},
        evidence=Evidence(f"event-{number}", "views", 0, number),
    )


async def paid(kafka: Kafka, bonuses: TopicPartition) -> list[str]:
    """The creators whose bonuses a committed reader finds, in offset order."""
    records = (await read(kafka.bootstrap, bonuses.topic))[bonuses]
    return [wire.decode(record.value).creator_id for record in records]


def look_at_answers(ledger: Ledger, look: Callable[[Any], None]) -> None:
    """Have ``look`` see what the broker answers to each request that brings bonuses."""
    client = ledger._producer.client
    honest = client.send

    async def send(node: int, request: object, **options: object) -> object:
        answer = await honest(node, request, **options)
        if isinstance(request, ProduceRequest):
            look(answer)
        return answer

    client.send = send


@pytest.fixture
async def bonuses(kafka: Kafka) -> TopicPartition:
    """An empty ledger of a topic."""
    return TopicPartition(await kafka.create_topics(partitions=1) + "bonuses", 0)


@pytest.fixture
async def ledger(kafka: Kafka, bonuses: TopicPartition, app_name: str) -> AsyncIterator[Ledger]:
    """Its writer."""
    ledger = await Ledger.open(kafka.options, app_name, bonuses)
    yield ledger
    await ledger.close()


async def test_a_full_transaction_goes_in_few_requests(
    kafka: Kafka, bonuses: TopicPartition, ledger: Ledger
) -> None:
    """They go one after the other: where a broker takes its time, many would not be over before the time-out."""
    answers = list[object]()
    look_at_answers(ledger, answers.append)
    await ledger.commit([bonus(number) for number in range(TRANSACTION_BONUSES)])
    assert len(answers) < 50
    assert await paid(kafka, bonuses) == [f"creator-{number}" for number in range(TRANSACTION_BONUSES)]


async def test_a_ledger_is_lost_that_does_not_know_where_its_bonuses_lie(
    kafka: Kafka, bonuses: TopicPartition, ledger: Ledger
) -> None:
    """Of a record that it has already, a broker may tell no offset: a checkpoint would not wait for it to be read."""

    def known(answer: Any) -> None:
        [(topic, [(partition, error, _, *rest)])] = answer.topics
        if not error:
            answer.topics = [(topic, [(partition, DuplicateSequenceNumber.errno, -1, *rest)])]

    look_at_answers(ledger, known)
    with pytest.raises(LedgerLost, match="does not tell where bonuses lie"):
        await ledger.commit([bonus(number) for number in range(3)])
    assert await paid(kafka, bonuses) == ["creator-0", "creator-1", "creator-2"]


class Ends:
    """Tells how far a committed reader gets, once it may; ``readable``: that it gets beyond all acknowledged."""

    def __init__(self, honest: LogEnds, ledger: Ledger) -> None:
        self._honest, self._ledger = honest, ledger
        self.asked, self.may_tell, self.readable = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def committed_ends(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked.set()
        await self.may_tell.wait()
        found = await self._honest.committed_ends(tps)
        if min(found.values()) >= self._ledger.place:
            self.readable.set()
        return found


class Served:
    """A partition that is served, of which no record comes; each transaction after the first is held up at its end.

    ``happened`` names the creators of each checkpoint, and says when a transaction was committed.
    """

    def __init__(self, ledger: Ledger, log_ends: LogEnds) -> None:
        self.happened = list[str]()
        self.ends = Ends(log_ends, ledger)
        self.under_way, self.may_end = asyncio.Event(), asyncio.Event()
        rules = in_force(1, {}, (dated(1, "2025-01-01T00:00:00Z"),), {}, Limits())
        self._state = Partition(0, rules.plan, Limits())
        crew = crew_of_one(
            log_ends=self.ends,
            ledger=lambda number: ledger._bonuses,
            group=SimpleNamespace(commit_offsets=lambda offsets: asyncio.sleep(0)),
        )
        taken = taken_of(self._state, rules, SimpleNamespace(seq=1, write=self._write))
        self.service = Service(crew, replace(taken, ledger=ledger))
        self._honest_commit = ledger._producer.commit_transaction
        ledger._producer.commit_transaction = self._commit

    def pay(self, number: int) -> None:
        """Have a bonus paid, as applying a record does."""
        self._state.award(f"creator-{number}", "p/t/-")
        self.service._outgoing.pay([(bonus(number), -1)])

    async def reach_second_transaction(self) -> "asyncio.Task[None]":
        """Serve until a checkpoint waits for the first transaction to be readable, and a second one is under way."""
        self.pay(1)
        running = asyncio.create_task(self.service.run())
        await self.ends.asked.wait()
        self.pay(2)
        await self.under_way.wait()
        return running

    async def _commit(self) -> None:
        if self.ends.asked.is_set():
            self.under_way.set()
            await self.may_end.wait()
        await self._honest_commit()
        self.happened.append("committed")

    async def _write(self, delta: Delta) -> None:
        self.happened.append("checkpoint of " + " and ".join(sorted(delta.subjects)))


@asynccontextmanager
async def serving(kafka: Kafka, ledger: Ledger, app_name: str) -> AsyncIterator[Served]:
    log_ends = await LogEnds.open(kafka.options, app_name)
    served = Served(ledger, log_ends)
    try:
        async with asyncio.timeout(OVER_S):
            yield served
    finally:
        await served.service.close()
        await log_ends.close()


async def test_a_checkpoint_waits_for_the_transaction_that_is_under_way(
    kafka: Kafka, ledger: Ledger, app_name: str
) -> None:
    """Though all that it covers can be read: perhaps by an abort of both."""
    async with serving(kafka, ledger, app_name) as served:
        running = await served.reach_second_transaction()
        served.ends.may_tell.set()
        await served.ends.readable.wait()
        served.may_end.set()
        await served.service.finish()
        await running
    assert served.happened == [
        "committed",
        "committed",
        "checkpoint of creator-1",
        "checkpoint of creator-2",
    ]


async def test_a_checkpoint_covers_no_bonus_that_was_aborted_with_a_later_one(
    gullible: Broker, app_name: str
) -> None:
    """Its commit was acknowledged, its marker lost: the next owner's abort of what is under way takes it along.
    A committed reader gets beyond it then. The service ends, and the next one pays it anew."""
    kafka = Kafka(gullible.bootstrap, prefix="")
    await topics.create(kafka.options, partitions=1, replication=1)
    bonuses = TopicPartition("bonuses", 0)
    ledger = await Ledger.open(kafka.options, app_name, bonuses)
    await ledger.commit([bonus(0)])
    async with asyncio.timeout(OVER_S):
        while (await readable_ends_of(kafka.bootstrap, "bonuses"))[bonuses] <= ledger.place:
            pass  # else the marker of this commit would be one for the next record as well
    async with serving(kafka, ledger, app_name) as served:
        ledger._producer._txn_manager._txn_partitions.add(bonuses)  # nobody is told of the first transaction
        running = await served.reach_second_transaction()
        served.ends.may_tell.set()
        next_owner = await Ledger.open(kafka.options, app_name, bonuses)
        await served.ends.readable.wait()
        served.may_end.set()
        with pytest.raises(LedgerLost):
            await running
    assert served.happened == ["committed"]  # the first one, as far as its owner knows
    assert await paid(kafka, bonuses) == ["creator-0"]
    await next_owner.close()
