"""Kafka that is away, has no room left, refuses bonuses, or has somebody else's transaction open on them."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.setup import PREFIX
from tests.chaos.world import World

BONUSES = PREFIX + "bonuses"
_FOREIGN_TIMEOUT_MS = 15_000
_NOTICES_FULL_DISK_S = 30.0
_TOO_SMALL_BYTES, _USUAL_BYTES = 300, 1_048_588
"""Smaller than any bonus, and larger than a transaction's marker: a broker tries only once to write those."""


@dataclass(frozen=True)
class BrokerDown(Fault):
    """A broker, or all of them, crashes or is stopped in order, and comes back."""

    name = "broker-down"
    crash: bool
    for_s: float
    broker: int | None = None

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.pick([True, False]), dice.seconds(0, 4), dice.one_or_all(dice.setup.brokers))

    async def strike(self, world: World) -> None:
        every = world.brokers.all
        struck = every if self.broker is None else [every[self.broker]]
        async with world.broker_turn:
            ends = (broker.kill if self.crash else broker.stop for broker in struck)
            await asyncio.gather(*map(asyncio.to_thread, ends))
            await asyncio.sleep(self.for_s)
            await world.brokers.start()


@dataclass(frozen=True)
class DiskFull(Fault):
    """Nothing more can be written to a broker's disk, which ends it; there is room again when it comes back."""

    name = "disk-full"
    broker: int

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.times(0, dice.setup.brokers - 1))

    async def strike(self, world: World) -> None:
        broker = world.brokers.all[self.broker]
        async with world.broker_turn:
            await asyncio.to_thread(broker.fill_disk, _NOTICES_FULL_DISK_S)
            await world.brokers.start()


@dataclass(frozen=True)
class ForeignTransaction(Fault):
    """Somebody else has a transaction open on `bonuses`, which hides what comes behind it, and aborts it later."""

    name = "foreign"
    partition: int
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.partition(), dice.seconds(2, 10))

    async def strike(self, world: World) -> None:
        # No broker dies meanwhile: Kafka 4.3.1 was seen to call such a transaction aborted without its marker in the
        # log, and then nobody but an operator can end it (docs/reliability.md).
        async with world.broker_turn:
            await self._keep_open(world)

    async def _keep_open(self, world: World) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=world.brokers.bootstrap,
            transactional_id=f"foreign-{self.partition}",
            transaction_timeout_ms=_FOREIGN_TIMEOUT_MS,
        )
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_FOREIGN_TIMEOUT_MS / 1000):
                await producer.start()
                await producer.begin_transaction()
                await producer.send_and_wait(BONUSES, b"never committed", partition=self.partition)
                await asyncio.sleep(self.for_s)
                await producer.abort_transaction()
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_FOREIGN_TIMEOUT_MS / 1000):
                await producer.stop()


@dataclass(frozen=True)
class LedgerRefuses(Fault):
    """An operator's mistake: `bonuses` takes no record of the size that a bonus has."""

    name = "ledger-refuses"
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.seconds(1, 6))

    async def strike(self, world: World) -> None:
        await asyncio.to_thread(world.brokers.limit, BONUSES, _TOO_SMALL_BYTES)
        await asyncio.sleep(self.for_s)
        await asyncio.to_thread(world.brokers.limit, BONUSES, _USUAL_BYTES)
