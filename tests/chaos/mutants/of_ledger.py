"""Breaks of how bonuses are written."""

import asyncio
import contextlib
import os
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas import bonuses as wire
from stream.core.outcome import Bonus
from stream.emit import ledger
from stream.emit.ledger import Ledger, LedgerLost


class _WithoutTransactions(AIOKafkaProducer):  # type: ignore[misc]
    def __init__(self, *, transactional_id: str, **options: object) -> None:
        super().__init__(**options)

    async def begin_transaction(self) -> None: ...

    async def commit_transaction(self) -> None: ...


class _OfThisProcess(AIOKafkaProducer):  # type: ignore[misc]
    def __init__(self, *, transactional_id: str, **options: object) -> None:
        super().__init__(transactional_id=f"{transactional_id}-{os.getpid()}", **options)


def no_transaction() -> None:
    async def discard(producer: AIOKafkaProducer) -> None:
        with contextlib.suppress(Exception):
            await producer.stop()

    ledger.AIOKafkaProducer = _WithoutTransactions  # type: ignore[attr-defined]
    ledger.discard = discard  # type: ignore[attr-defined]


def own_transactional_id() -> None:
    ledger.AIOKafkaProducer = _OfThisProcess  # type: ignore[attr-defined]


def ignore_failed_sends() -> None:
    async def commit(self: Ledger, bonuses: Sequence[Bonus]) -> None:
        producer, (topic, partition) = self._producer, self._bonuses
        await producer.begin_transaction()
        for bonus in bonuses:
            sending = await producer.send(
                topic,
                wire.encode(bonus),
                key=bonus.creator_id.encode(),
                partition=partition,
                headers=self._headers,
            )
            await asyncio.wait([sending])
            if sending.exception() is None:
                self.place = max(self.place, sending.result().offset + 1)
        await producer.commit_transaction()

    Ledger.commit = commit  # type: ignore[method-assign]


def swallow_errors() -> None:
    honest = Ledger.commit

    async def commit(self: Ledger, bonuses: Sequence[Bonus]) -> None:
        try:
            await honest(self, bonuses)
        except LedgerLost:
            return

    Ledger.commit = commit  # type: ignore[method-assign]
