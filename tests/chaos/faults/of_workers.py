"""Workers that die, are told to stop, fall asleep and wake up, come and go."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from stream.closing import stop
from stream.core.rules import TOPICS
from stream.transport.assignor import CoPartitionAssignor
from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.points import Point
from tests.chaos.setup import PREFIX, SESSION_S
from tests.chaos.world import World

_HIDDEN_S = 2.0
_ADOPTED_WITHIN_S = 15.0


@dataclass(frozen=True)
class Kill(Fault):
    """SIGKILL at any moment; another follows."""

    name = "kill"
    slot: int

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.slot())

    async def strike(self, world: World) -> None:
        await world.slots[self.slot].kill()


@dataclass(frozen=True)
class Terminate(Fault):
    """SIGTERM, as in a rolling deployment; another follows."""

    name = "terminate"
    slot: int

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.slot())

    async def strike(self, world: World) -> None:
        worker = world.slots[self.slot].worker
        if worker is not None and worker.code is None:
            worker.terminate()


@dataclass(frozen=True)
class Halt(Fault):
    """SIGSTOP for longer than the session time-out, then SIGCONT: a zombie that believes it still owns everything."""

    name = "halt"
    slot: int
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.slot(), dice.beyond_session())

    async def strike(self, world: World) -> None:
        worker = world.slots[self.slot].worker
        if worker is None or worker.code is not None:
            return
        worker.suspend()
        await asyncio.sleep(self.for_s)
        if worker.code is None:
            worker.resume()


@dataclass(frozen=True)
class StrikeAt(Fault):
    """A fresh worker, which is killed, or falls asleep for longer than the session, exactly between two steps."""

    name = "strike-at"
    weight = 4
    slot: int
    point: Point
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.slot(), dice.point(dice.pick(["kill", "kill", "halt"])), dice.beyond_session())

    async def strike(self, world: World) -> None:
        worker = await world.slots[self.slot].led_to(self.point)
        if self.point.blow == "halt" and worker.code is None:
            await asyncio.sleep(self.for_s)
            if worker.code is None:
                worker.resume()


@dataclass(frozen=True)
class MarkersLost(Fault):
    """Kafka acknowledges the commits of a partition, and writes no marker; a broker's crash can do so."""

    name = "markers-lost"
    slot: int
    nth: int

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.slot(), dice.times(1, 25))

    async def strike(self, world: World) -> None:
        await asyncio.to_thread(world.brokers.verify_transactions, False)
        await world.slots[self.slot].led_to(Point("begin_transaction", "after", self.nth, "hide"))
        await asyncio.sleep(_HIDDEN_S)  # records of it have come by now: of what has begun nobody is asked
        await asyncio.to_thread(world.brokers.verify_transactions, True)


@dataclass(frozen=True)
class Storm(Fault):
    """Further workers join and leave, in order and not, faster than the group comes to rest."""

    name = "storm"
    joins: int
    apart_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.times(2, 4), dice.seconds(0.2, 3))

    async def strike(self, world: World) -> None:
        for number in range(self.joins):
            worker = await world.start_worker()
            with contextlib.suppress(AssertionError):
                await worker.said("partitions assigned", within_s=2 * SESSION_S)
            await asyncio.sleep(self.apart_s)
            if number % 2:
                await worker.kill()
            elif worker.code is None:
                worker.terminate()
                await worker.ended()
            world.look_at_end(worker)


@dataclass(frozen=True)
class Guests(Fault):
    """Members of the group that do nothing come and go, several at once: all partitions move, twice each time."""

    name = "guests"
    visits: int
    apart_s: float
    at_once: int = 1

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.times(2, 10), dice.seconds(0.1, 2), dice.times(1, 3))

    async def strike(self, world: World) -> None:
        await asyncio.gather(*(self._come_and_go(world) for _ in range(self.at_once)))

    async def _come_and_go(self, world: World) -> None:
        for _ in range(self.visits):
            with contextlib.suppress(KafkaError, OSError, TimeoutError):  # the broker may be away
                async with asyncio.timeout(4 * SESSION_S):
                    await self._visit(world)
            await asyncio.sleep(self.apart_s)

    async def _visit(self, world: World) -> None:
        guest = AIOKafkaConsumer(
            *(PREFIX + topic for topic in TOPICS),
            bootstrap_servers=world.brokers.bootstrap,
            group_id=world.fleet.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            partition_assignment_strategy=(CoPartitionAssignor,),
        )
        try:
            await guest.start()
            await asyncio.sleep(self.apart_s)
        finally:
            await stop(guest)


@dataclass(frozen=True)
class ClockJump(Fault):
    """The clock of a worker's machine jumps, ahead or back, and later to where it was."""

    name = "clock-jump"
    slot: int
    ahead_s: float
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        far_s = dice.pick([30.0, 7_200.0, 40 * 86_400.0])
        return cls(dice.slot(), dice.pick([far_s, -far_s]), dice.seconds(2, 15))

    async def strike(self, world: World) -> None:
        clock = world.slots[self.slot].clock
        clock.jump_to(self.ahead_s)
        await asyncio.sleep(self.for_s)
        clock.jump_to(0.0)


@dataclass(frozen=True)
class LateVersion(Fault):
    """Programmes change while workers run: one more, which should have counted all along."""

    name = "late-version"

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls()

    async def strike(self, world: World) -> None:
        world.load_late()
        with contextlib.suppress(TimeoutError):  # other faults may hold it up: `settled` waits for it
            async with asyncio.timeout(_ADOPTED_WITHIN_S):
                await world.adopted()
