"""Redis that is away, empty, older than it was, full, or slow."""

import asyncio
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.world import World


@dataclass(frozen=True)
class RedisCrash(Fault):
    """kill -9 of a node, or of all, and back with what it had acknowledged; a replica may have followed by then."""

    name = "redis-crash"
    for_s: float
    node: int | None = None

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.seconds(0, 7), dice.one_or_all(dice.setup.redis_nodes))

    async def strike(self, world: World) -> None:
        every = world.redis.nodes
        async with world.redis_turn:
            for node in every if self.node is None else [every[self.node]]:
                await asyncio.to_thread(node.kill)
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
                await asyncio.to_thread(world.redis.lose_disks)
            else:
                async with world.no_workers():
                    await asyncio.to_thread(world.redis.lose_disks)


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
            await asyncio.to_thread(world.redis.back_up, backup)
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
