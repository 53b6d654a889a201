"""What happens to the nodes of a Redis Cluster: slots move, and replicas take over."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar

from redis.exceptions import RedisError

from stream.store.layout import Layout
from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.setup import GROUP, Setup
from tests.chaos.world import World
from tests.kafka.redis_cluster import RedisCluster

P = ParamSpec("P")
T = TypeVar("T")

_DONE_WITHIN_S = 60.0
_AGAIN_S = 0.2
_PIECES = 8
_LEAST_KEYS = 20


class _OfCluster(Fault):
    """Strikes the cluster in its turn, and leaves it whole."""

    @classmethod
    def fits(cls, setup: Setup) -> bool:
        return setup.redis == "cluster"

    async def strike(self, world: World) -> None:
        cluster = world.redis.cluster
        assert cluster is not None
        async with world.redis_turn:
            await asyncio.to_thread(cluster.settle)
            await self.strike_at(cluster)
            await asyncio.to_thread(cluster.settle)

    async def strike_at(self, cluster: RedisCluster) -> None:
        """Make it happen to a cluster that is whole."""
        raise NotImplementedError


@dataclass(frozen=True)
class SlotMoved(_OfCluster):
    """A partition's slot moves to another master, key by key, while its worker goes on."""

    name = "slot-moved"
    weight = 3
    partition: int
    to: int
    for_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.partition(), dice.times(1, 2), dice.seconds(0.2, 6))

    async def strike_at(self, cluster: RedisCluster) -> None:
        key = Layout(GROUP, self.partition).meta
        masters = [node for node in cluster.nodes if node.is_master]
        has = cluster.master_of(key)
        to = masters[(masters.index(has) + self.to) % len(masters)]
        await _insist(cluster.begin_move, key, to)
        at_once = max(_LEAST_KEYS, await _insist(cluster.keys_of, key) // _PIECES)
        moved = at_once
        while moved:
            moved = await _insist(cluster.move_keys, key, has, to, at_once)
            await asyncio.sleep(self.for_s / _PIECES)
        await _insist(cluster.end_move, key, to)


@dataclass(frozen=True)
class FailedOver(_OfCluster):
    """A master dies, and a replica takes over that had lost touch with it a while before: what was acknowledged since
    is gone."""

    name = "failed-over"
    weight = 2
    partition: int
    behind_s: float
    back_after_s: float

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        return cls(dice.partition(), dice.pick([0.0, 1.0, dice.seconds(0.2, 3)]), dice.seconds(0, 5))

    async def strike_at(self, cluster: RedisCluster) -> None:
        old = await _insist(cluster.master_of, Layout(GROUP, self.partition).meta)
        replica = await _insist(cluster.replica_of, old)
        with cluster.cut_off(replica):
            await asyncio.sleep(self.behind_s)
            await asyncio.to_thread(old.kill)
            await _insist(replica.ask, "CLUSTER", "FAILOVER", "TAKEOVER")
        await asyncio.sleep(self.back_after_s)
        await asyncio.to_thread(old.start)


async def _insist(step: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """Do it as soon as Redis does: it may be full, or paused, by another fault."""
    async with asyncio.timeout(_DONE_WITHIN_S):
        while True:
            with contextlib.suppress(RedisError):
                return await asyncio.to_thread(step, *arguments, **more)
            await asyncio.sleep(_AGAIN_S)
