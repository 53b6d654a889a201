"""Producers gone wrong."""

from dataclasses import dataclass
from typing import Self

from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.setup import PREFIX
from tests.chaos.world import World
from tests.kafka.traffic import Sender, Sent


@dataclass(frozen=True)
class Rubbish(Fault):
    """Thousands of records at once that can't be counted: all of them must be in `rejected`."""

    name = "rubbish"
    partition: int
    records: int
    size: int

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.partition(), dice.times(500, 8_000), dice.times(10, 1_500))

    async def strike(self, world: World) -> None:
        async with world.broker_turn:  # a broker that dies would only keep them from being sent
            sender = Sender(world.brokers.bootstrap, PREFIX)
            for number in range(self.records):
                sender.send(Sent("views", (b"[%d]" % number).ljust(self.size), partition=self.partition))
            await sender.flush()
