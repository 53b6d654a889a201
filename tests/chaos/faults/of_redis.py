"""Redis that is away, empty, older than it was, full, slow, or far."""

import asyncio
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.faults.of_network import cut
from tests.chaos.network import Direction
from tests.chaos.world import World


@dataclass(frozen=True)
class RedisCrash(Fault):
    """kill -9, and back with what it had acknowledged."""

    name = "redis-crash"
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.seconds(0, 7))

    async def strike(self, world: World) -> None:
        async with world.redis_turn:
            await asyncio.to_thread(world.redis.kill)
            await asyncio.sleep(self.for_s)
            await asyncio.to_thread(world.redis.start)


@dataclass(frozen=True)
class RedisEmptied(Fault):
    """Everything is gone: by FLUSHALL, by the loss of its disk, or by that while no worker runs."""

    name = "redis-emptied"
    how: str

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.pick(["flushed", "disk lost", "while none ran"]))

    async def strike(self, world: World) -> None:
        async with world.redis_turn:
            if self.how == "flushed":
                await world.insist_on_redis("FLUSHALL")
            elif self.how == "disk lost":
                await asyncio.to_thread(world.redis.lose_disk)
            else:
                async with world.no_workers():
                    await asyncio.to_thread(world.redis.lose_disk)


@dataclass(frozen=True)
class RedisOlder(Fault):
    """A backup is put back: what was acknowledged since is gone, with workers running or with none."""

    name = "redis-older"
    older_by_s: float
    while_none_runs: bool

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.seconds(0.5, 8), dice.pick([True, False]))

    async def strike(self, world: World) -> None:
        backup = world.folder / f"backup-{uuid4().hex}"
        async with world.redis_turn:
            await asyncio.to_thread(world.redis.snapshot, backup)
            await asyncio.sleep(self.older_by_s)
            if self.while_none_runs:
                async with world.no_workers():
                    await asyncio.to_thread(world.redis.put_back, backup)
            else:
                await asyncio.to_thread(world.redis.put_back, backup)


@dataclass(frozen=True)
class RedisPaused(Fault):
    """It answers nobody, or no writer, for seconds."""

    name = "redis-paused"
    what: str
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.pick(["ALL", "WRITE"]), dice.seconds(0.5, 7))

    async def strike(self, world: World) -> None:
        await world.insist_on_redis("CLIENT", "PAUSE", round(self.for_s * 1000), self.what)
        await asyncio.sleep(self.for_s)


@dataclass(frozen=True)
class RedisFull(Fault):
    """It has no memory left for what grows."""

    name = "redis-full"
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.seconds(1, 8))

    async def strike(self, world: World) -> None:
        await world.insist_on_redis("CONFIG", "SET", "maxmemory", 1)
        await asyncio.sleep(self.for_s)
        await world.insist_on_redis("CONFIG", "SET", "maxmemory", 0)


@dataclass(frozen=True)
class RedisFar(Fault):
    """The network to Redis is slow, silent in one direction or both, or resets every connection."""

    name = "redis-network"
    trouble: str
    directions: tuple[Direction, ...]
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.pick(["slow", "silent", "reset"]), dice.directions(), dice.seconds(1, 9))

    async def strike(self, world: World) -> None:
        await cut(world.redis_wire, self.trouble, self.directions, self.for_s)
