"""The state of all partitions in one Redis, or Redis Cluster: connecting, and taking a partition."""

import re
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Self, cast

from stream.errors import InputError, Unreachable
from stream.settings import split_redis_url
from stream.store import scripts
from stream.store.census import entries
from stream.store.cluster import SCHEMES, Cluster
from stream.store.layout import FORMAT, Layout, decode_buckets
from stream.store.lease import Lease, damaged, intact, rebuilding
from stream.store.link import Link, Refused, Way, pack
from stream.store.patience import FORBIDDEN, HOPELESS, Patience

_OWNER_BYTES = 16
_POLICY = re.compile(rb"^maxmemory_policy:(\S+)", re.MULTILINE)
_CLUSTERED = re.compile(rb"^cluster_enabled:1", re.MULTILINE)
_UNFIT = HOPELESS | FORBIDDEN | {"ERR"}


class StateStore:
    """An application's state in Redis. Share one among all partitions of a process."""

    def __init__(self, redis: Link | Cluster, app: str, say: Callable[[str], None]) -> None:
        self._redis = redis
        self._app = app
        self._say = say

    @classmethod
    async def connect(
        cls, url: str, app: str, *, timeout_s: float, say: Callable[[str], None], whole: bool = False
    ) -> Self:
        """Connects, trying again for ``timeout_s`` while saying so, and checks that Redis is fit to hold state.

        ``url`` is ``redis://``, ``rediss://`` (TLS) or ``unix://``, or for a Redis Cluster ``redis+cluster://`` or
        ``rediss+cluster://``; ``app`` keeps applications apart that share a Redis. ``say`` takes sentences for the
        operator, now and in the life of every lease. ``whole`` is for those who go through all of the state, by
        `entries` and `Lease.dues`: they need more rights.

        Raises:
            InputError: the URL, the name or the login is wrong, or Redis may evict keys, or lacks Lua.
            Unreachable: no answer in the stated time. No message ever holds the password.
        """
        Layout(app, 0)  # refuses a bad name before anything is tried
        redis = Cluster.to(url) if split_redis_url(url).scheme in SCHEMES else Link.to(url)
        try:
            await _check(redis, scripts.probe(app, whole=whole), timeout_s, say)
        except BaseException:
            await redis.close()
            raise
        return cls(redis, app, say)

    async def take(self, partition: int) -> Lease:
        """Becomes the partition's owner: any older lease, here or elsewhere, is superseded from now on.

        The state stays as it is, seq goes up by one. Waits for Redis as long as it takes.

        Raises InputError where Redis holds another version's layout, or damaged state.
        """
        layout = Layout(self._app, partition)
        owner = secrets.token_hex(_OWNER_BYTES)
        way = self._redis.way(layout.tag)
        seen, next_seq = (b"", b""), 1
        while True:
            meta = await self._try_take(way, layout, seen, owner, next_seq)
            self._refuse_unfit(layout, meta)
            if meta.owner == owner.encode():
                return self._lease(way, layout, meta)
            seen, next_seq = (meta.owner or b"", meta.seq or b""), int(meta.seq or 0) + 1

    async def _try_take(
        self, way: Way, layout: Layout, seen: tuple[bytes, bytes], owner: str, seq: int
    ) -> scripts.MetaAnswer:
        packed = pack(scripts.take(layout, seen, owner, seq))
        patience = Patience(self._redis.where, f"The take of partition {layout.partition}", self._say)
        try:
            answer = await patience.until_done(lambda: way.send(packed))
        except Refused as refused:
            raise damaged(layout, self._redis.where, str(refused)) from None
        return scripts.MetaAnswer(*cast(list[bytes | None], answer))

    async def look(self, partition: int) -> Lease | None:
        """What Redis holds of a partition, without taking it; None where it holds no checkpoint of it.

        Whoever takes the partition, or writes to it, supersedes the lease: what it reads is of one moment.

        Raises InputError where Redis holds another version's layout, or damaged state.
        """
        layout = Layout(self._app, partition)
        way = self._redis.way(layout.tag)
        packed = pack(scripts.look(layout))
        patience = Patience(self._redis.where, f"The look at partition {partition}", self._say)
        try:
            answer = await patience.until_done(lambda: way.send(packed))
        except Refused as refused:
            raise damaged(layout, self._redis.where, str(refused)) from None
        meta = scripts.MetaAnswer(*cast(list[bytes | None], answer))
        self._refuse_unfit(layout, meta)
        return None if meta.body is None else self._lease(way, layout, meta)

    def entries(self) -> AsyncIterator[dict[int, list[str]]]:
        """The keys of all entries of all partitions, some at a time: see `census`."""
        return entries(self._redis, self._app, self._say)

    def _lease(self, way: Way, layout: Layout, meta: scripts.MetaAnswer) -> Lease:
        guard = (meta.owner or b"").decode(), int(meta.seq or 0)
        return Lease(way, layout, self._say, guard, meta.body, decode_buckets(meta.buckets or b"[]"))

    def _refuse_unfit(self, layout: Layout, meta: scripts.MetaAnswer) -> None:
        where = self._redis.where
        if meta.torn is not None:
            raise damaged(layout, where, f"a checkpoint stopped in the middle, at {_shown(meta.torn)}")
        if meta.format not in (None, FORMAT.encode()):
            raise InputError(
                f"Redis at {where} holds partition {layout.partition} in format {_shown(meta.format)}, this version "
                f"knows {FORMAT}: run the version that wrote it, or put back a backup of Redis. {rebuilding(layout)}"
            )
        with intact(layout, where):
            int(meta.seq or 0), decode_buckets(meta.buckets or b"[]")

    async def close(self) -> None:
        """Closes all connections. Leases are of no use afterwards."""
        await self._redis.close()


def _shown(text: bytes | None) -> str:
    return "unknown" if text is None else text.decode(errors="replace")


async def _check(
    redis: Link | Cluster, probe: scripts.Command, timeout_s: float, say: Callable[[str], None]
) -> None:
    """Waits for Redis, and makes sure that it runs our scripts and never evicts a key."""
    patience = Patience(redis.where, "The start", say)

    async def look() -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for server in await redis.servers():
            await server.ask(probe)
            found.append((server.where, cast(bytes, await server.ask(("INFO",)))))
        return found

    try:
        servers = await patience.until_done(look, within_s=timeout_s, give_up_at=_UNFIT)
    except Refused as refused:
        if refused.code == "CERTIFICATE":
            raise InputError(
                f"Redis at {redis.where} can't be trusted ({refused}): check ssl_ca_certs in its URL, and that the "
                "certificate names this host."
            ) from None
        if refused.code in FORBIDDEN:
            raise InputError(
                f"Redis at {redis.where} does not let us in ({refused}): check user, password and permissions."
            ) from None
        if refused.code in _UNFIT:
            raise InputError(
                f"Redis at {redis.where} can't hold the state ({refused}): {_advice(refused)}."
            ) from None
        raise Unreachable(
            f"Redis at {redis.where} could not be reached within {timeout_s:g} s ({refused})."
        ) from None
    for where, info in servers:
        _look_at(where, info, in_cluster=isinstance(redis, Cluster))


def _advice(refused: Refused) -> str:
    if "cluster support disabled" in str(refused):
        return "it is no cluster, so let the URL begin with redis://, or rediss:// for TLS"
    if "DB index" in str(refused):
        return "its databases are fewer than the number at the end of the URL"
    return "Redis 6.2 or later with EVAL is needed"


def _look_at(where: str, info: bytes, *, in_cluster: bool) -> None:
    """Refuses a server that may evict keys, or whose keys are also elsewhere, by what its INFO says."""
    policy = _POLICY.search(info)
    if policy is None or policy[1] != b"noeviction":
        found = policy[1].decode() if policy else "not known"
        raise InputError(
            f"Redis at {where} may drop state when memory is short (maxmemory-policy is {found}): "
            "set maxmemory-policy to noeviction."
        )
    if _CLUSTERED.search(info) and not in_cluster:
        raise InputError(
            f"Redis at {where} is a node of a cluster: let the URL begin with redis+cluster://, "
            "or rediss+cluster:// for TLS."
        )
