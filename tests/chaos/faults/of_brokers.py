"""What can go wrong among several brokers: the one that has a part to play goes, and leaders move."""

import asyncio
from dataclasses import dataclass
from typing import Literal, Self

from stream.topics import TOPICS
from tests.chaos.brokers import WiredBroker
from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.setup import GROUP, PREFIX, SESSION_S, Setup
from tests.chaos.world import World

Part = Literal[
    "inputs' leader", "ledger's leader", "group coordinator", "transaction coordinator", "controller"
]

_PARTS: tuple[Part, ...] = (
    "inputs' leader",
    "ledger's leader",
    "group coordinator",
    "transaction coordinator",
    "controller",
)
_LEDGER = PREFIX + "bonuses"


@dataclass(frozen=True)
class PartLost(Fault):
    """The broker that leads a partition, coordinates the group or a transaction, or is the controller, is killed."""

    name = "part-lost"
    weight = 3
    part: Part
    partition: int
    for_s: float

    @classmethod
    def fits(cls, setup: Setup) -> bool:
        return setup.brokers > 1

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        for_s = dice.pick([dice.seconds(0, 2), dice.seconds(SESSION_S + 2, SESSION_S + 9)])
        return cls(dice.pick(_PARTS), dice.partition(), for_s)

    async def strike(self, world: World) -> None:
        async with world.broker_turn:
            broker = await asyncio.to_thread(self._who, world)
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(self.for_s)
            await world.brokers.start()

    def _who(self, world: World) -> WiredBroker:
        if self.part == "controller":
            return world.brokers.controller()
        if self.part == "group coordinator":
            return world.brokers.coordinator_of("group", GROUP)
        if self.part == "transaction coordinator":
            return world.brokers.coordinator_of("transaction", f"{GROUP}-{_LEDGER}-{self.partition}")
        topic = _LEDGER if self.part == "ledger's leader" else PREFIX + "views"
        return world.brokers.leader_of(topic, self.partition)


@dataclass(frozen=True)
class LeadersMoved(Fault):
    """An operator reassigns all partitions, so that another broker leads each; or has the preferred ones lead."""

    name = "leaders-moved"
    reassigned: bool

    @classmethod
    def fits(cls, setup: Setup) -> bool:
        return setup.brokers > 1

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.pick([True, True, False]))

    async def strike(self, world: World) -> None:
        async with world.broker_turn:
            if self.reassigned:
                topics = [PREFIX + topic for topic in TOPICS]
                await asyncio.to_thread(world.brokers.move_leaders, world.folder, topics)
            else:
                await asyncio.to_thread(world.brokers.elect_preferred)
