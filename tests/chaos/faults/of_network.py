"""Networks that are slow, silent, reset connections, or leave them half-open."""

import asyncio
from dataclasses import dataclass
from typing import Literal, Self

from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.network import Direction, Wire
from tests.chaos.world import World

_SLOW_S = 0.25
_RESETS_EVERY_S = 0.5


@dataclass(frozen=True)
class Far(Fault):
    """The network to Kafka or Redis, or to one server of it, is slow, silent in one direction or both, resets every
    connection, or leaves all half-open: the servers' ends go ("up"), or the workers', and the others aren't told."""

    name = "network"
    weight = 2
    to: Literal["kafka", "redis"]
    trouble: str
    directions: tuple[Direction, ...]
    for_s: float
    server: int | None = None

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        to: Literal["kafka", "redis"] = dice.pick(["kafka", "redis"])
        servers = dice.setup.brokers if to == "kafka" else dice.setup.redis_nodes
        trouble, directions = dice.pick(["slow", "silent", "reset", "half-open"]), dice.directions()
        return cls(to, trouble, directions, dice.seconds(1, 9), dice.one_or_all(servers))

    async def strike(self, world: World) -> None:
        wires = world.kafka_wires if self.to == "kafka" else world.redis_wires
        struck = wires if self.server is None else [wires[self.server]]
        await asyncio.gather(*(self._strike(wire) for wire in struck))

    async def _strike(self, wire: Wire) -> None:
        if self.trouble == "slow":
            wire.delay_s = _SLOW_S
            await asyncio.sleep(self.for_s)
            wire.delay_s = 0.0
        elif self.trouble == "silent":
            wire.hold(self.directions)
            await asyncio.sleep(self.for_s)
            wire.let_go(self.directions)
        elif self.trouble == "half-open":
            for end in self.directions:  # of a connection that is torn already the other end stays as it is
                wire.tear(end)
                await asyncio.sleep(self.for_s)
        else:
            assert self.trouble == "reset", self.trouble
            for _ in range(round(self.for_s / _RESETS_EVERY_S)):
                wire.reset()
                await asyncio.sleep(_RESETS_EVERY_S)
