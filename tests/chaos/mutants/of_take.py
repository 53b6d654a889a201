"""Breaks of how a partition is taken."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from aiokafka import AIOKafkaConsumer

from schemas.bonuses import BonusEvent
from stream.core.partition import Partition
from stream.emit.ledger import Ledger
from stream.transport.kafka import TopicPartition
from stream.worker import life, take
from stream.worker.crew import Crew
from stream.worker.take import Taken


def no_scan() -> None:
    async def scan(*_: object) -> AsyncIterator[list[BonusEvent]]:
        for batch in list[list[BonusEvent]]():
            yield batch

    take.scan = scan  # type: ignore[attr-defined, assignment]


def committed_end() -> None:
    honest = take.scan  # type: ignore[attr-defined]

    async def scan(
        options: Mapping[str, object],
        app: str,
        bonuses: TopicPartition,
        start: int,
        end: int,
        say: Callable[[str], None],
    ) -> AsyncIterator[list[BonusEvent]]:
        async with AIOKafkaConsumer(**options, isolation_level="read_committed") as consumer:
            committed = (await consumer.end_offsets([bonuses]))[bonuses]
        async for batch in honest(options, app, bonuses, start, min(end, committed), say):
            yield batch

    take.scan = scan  # type: ignore[attr-defined]


def leave_orphans() -> None:
    async def leave(self: Ledger) -> None: ...

    Ledger.end_orphan = leave  # type: ignore[method-assign]


def forgetful_latch() -> None:
    def award(self: Partition, key: str, latch: str) -> None:
        subject = self.memory.subject(key)
        subject.latches = {**subject.latches, latch: None}

    Partition.award = award  # type: ignore[method-assign]


def kept_memory() -> None:
    honest, kept = take.take, dict[int, Partition]()

    async def take_partition(crew: Crew, number: int) -> Taken:
        taken = await honest(crew, number)
        return replace(taken, state=kept.setdefault(number, taken.state))

    life.take = take_partition  # type: ignore[attr-defined]
