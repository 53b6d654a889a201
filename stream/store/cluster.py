"""A Redis Cluster: which master has a partition's slot, and following it when the slot moves.

All keys of a partition share one slot, so its scripts run whole on one master. Routing is our own, over a `Link` a
node: redis-py's cluster client packs each command anew at every try, sends ASKING and the command that it is for
over whatever connections are free, and tries again by itself where `patience` is to count and tell.

While a slot is being moved each key is at one of two masters. A script whose keys are all still here runs here; one
whose keys are all gone is sent on (ASK); any other is put off (TRYAGAIN), before it has done anything, until the rest
has followed.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Self, cast

from redis.crc import key_slot

from stream.errors import InputError
from stream.settings import split_redis_url
from stream.store.link import Link, Place, Refused
from stream.store.scripts import Command

SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
"""Those of a URL of a cluster, and what each of its nodes is reached by."""

_SLOTS: Command = ("CLUSTER", "SLOTS")
_PORT = 6379
_PLACE = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>\d{1,5}))?")

# After these somebody else may have the slot: who does is asked before the next try.
_DOUBTFUL = frozenset({"CONNECTION", "TIMEOUT", "CLUSTERDOWN", "MOVED", "READONLY", "MASTERDOWN", "LOADING"})

Range = tuple[int, int, Place]
"""First and last slot, and the master that has them."""


class Cluster:
    """Links to the nodes of one cluster. ``where`` names it by the first node of the URL, without a password."""

    def __init__(self, seeds: Sequence[Place], connect: Callable[[Place], Link]) -> None:
        host, port = seeds[0]
        self.where = f"the cluster {host}:{port}"
        self._connect = connect
        self._links: dict[Place, Link] = {}
        self._seeds = frozenset(seeds)
        self._to_ask = deque(seeds)
        self._ranges: list[Range] = []
        self._in_doubt: set[int] = set()
        self._asking = asyncio.Lock()

    @classmethod
    def to(cls, url: str) -> Self:
        """Prepares links to ``redis+cluster://[user:password@]host:port[,host:port…]``, ``rediss+cluster://`` for
        TLS; connects later. Options behind a ``?`` are those of a link.

        Raises InputError for a URL that can't be read, without repeating it: it may hold a password.
        """
        parts = split_redis_url(url)
        login, at, nodes = parts.netloc.rpartition("@")
        read = [_PLACE.fullmatch(node) for node in nodes.split(",")]
        if parts.path not in ("", "/", "/0") or not all(read):
            raise InputError(
                "The Redis URL can't be read: expected redis+cluster://[user:password@]host:port[,host:port…], "
                "the same with rediss+cluster:// for TLS; a cluster has database 0 only."
            )
        seeds = [
            (match["ipv6"] or match["host"] or "localhost", int(match["port"] or _PORT))
            for match in read
            if match is not None
        ]
        options = f"/0?{parts.query}" if parts.query else "/0"

        def connect(place: Place) -> Link:
            host, port = place
            shown = f"[{host}]" if ":" in host else host
            return Link.to(f"{SCHEMES[parts.scheme]}://{login}{at}{shown}:{port}{options}")

        cluster = cls(seeds, connect)
        for seed in seeds:
            cluster._link(seed)
        return cluster

    def way(self, tag: str) -> "Slot":
        """How to reach the keys that begin with this hash tag."""
        return Slot(self, key_slot(tag.encode()))

    async def servers(self) -> list[Link]:
        """A link to each master that has slots, as a node says now. Raises Refused."""
        await self._ask_for_slots()
        return [self._link(place) for place in dict.fromkeys(place for _, _, place in self._ranges)]

    async def send(self, slot: int, packed: bytes) -> object:
        """Has the master of ``slot`` answer, following it once to where it is sent on to. Raises Refused."""
        place = await self._master_of(slot)
        try:
            return await self._link(place).send(packed)
        except Refused as refused:
            if refused.code in _DOUBTFUL:
                self._in_doubt.add(slot)
            if refused.sent_on_to is None:
                raise
            other = _whole(refused.sent_on_to, place)
            return await self._link(other).send(packed, asking=refused.code == "ASK")

    async def close(self) -> None:
        """Closes every connection."""
        for link in self._links.values():
            await link.close()

    def _link(self, place: Place) -> Link:
        if place not in self._links:
            self._links[place] = self._connect(place)
        return self._links[place]

    async def _master_of(self, slot: int) -> Place:
        async with self._asking:
            if not self._ranges or slot in self._in_doubt:
                await self._ask_for_slots()
        for first, last, place in self._ranges:
            if first <= slot <= last:
                return place
        self._in_doubt.add(slot)
        raise Refused("CLUSTERDOWN", f"no master has slot {slot}")

    async def _ask_for_slots(self) -> None:
        """Ask a node who has which slots: another one each time, as one may be cut off and know of nothing new."""
        for _ in range(len(self._to_ask)):
            place = self._to_ask[0]
            self._to_ask.rotate(-1)
            try:
                answer = await self._link(place).ask(_SLOTS)
            except Refused as refused:
                failed = refused
            else:
                self._ranges = _ranges(answer, place)
                self._in_doubt.clear()
                await self._forget_all_but({master for _, _, master in self._ranges} | self._seeds)
                return
        raise failed

    async def _forget_all_but(self, places: AbstractSet[Place]) -> None:
        """Nodes get other addresses, as pods do, and to ask at an old one takes a time-out."""
        self._to_ask = deque(dict.fromkeys(place for place in (*self._to_ask, *places) if place in places))
        for place in self._links.keys() - places:
            await self._links.pop(place).close()


class Slot:
    """The way to the keys of one slot, whoever has it."""

    def __init__(self, cluster: Cluster, slot: int) -> None:
        self._cluster = cluster
        self._slot = slot
        self.where = cluster.where

    async def send(self, packed: bytes) -> object:
        """As `Link.send`."""
        return await self._cluster.send(self._slot, packed)


def _ranges(answer: object, asked: Place) -> list[Range]:
    """What CLUSTER SLOTS says: first slot, last slot, master, replicas, a range each."""
    return [
        (int(first), int(last), _whole(((host or b"").decode(), int(port)), asked))
        for first, last, (host, port, *_), *_ in cast(list[tuple[int, int, tuple[bytes, int]]], answer)
    ]


def _whole(place: Place, said_by: Place) -> Place:
    """A node that doesn't know its own address leaves it out: it is the one that it was reached at."""
    return (place[0] or said_by[0], place[1])
