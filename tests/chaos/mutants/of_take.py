"""Breaks of how a partition is taken."""

from collections.abc import AsyncIterator
from dataclasses import replace

from aiokafka import AIOKafkaConsumer

from schemas.bonuses import BonusEvent
from stream.core.partition import Partition
from stream.transport import log_ends
from stream.worker import life, take
from stream.worker.crew import Crew
from stream.worker.take import Taken


def no_scan() -> None:
    async def scan(*_: object) -> AsyncIterator[list[BonusEvent]]:
        for batch in list[list[BonusEvent]]():
            yield batch

    take.scan = scan  # type: ignore[attr-defined, assignment]


class _Committed(AIOKafkaConsumer):  # type: ignore[misc]
    def __init__(self, *, isolation_level: str, **options: object) -> None:
        super().__init__(isolation_level="read_committed", **options)


def committed_end() -> None:
    log_ends.AIOKafkaConsumer = _Committed  # type: ignore[attr-defined]


def forgetful_latch() -> None:
    def award(self: Partition, key: str, latch: str) -> None:
        self.memory.subject(key).latches.add(latch)

    Partition.award = award  # type: ignore[method-assign]


def kept_memory() -> None:
    honest, kept = take.take, dict[int, Partition]()

    async def take_partition(crew: Crew, number: int) -> Taken:
        taken = await honest(crew, number)
        return replace(taken, state=kept.setdefault(number, taken.state))

    life.take = take_partition  # type: ignore[attr-defined]
