"""The state of all partitions in one Redis: connecting, and taking a partition."""

import re
import secrets
from collections.abc import Callable
from typing import Self, cast

from stream.errors import InputError, Unreachable
from stream.store import scripts
from stream.store.layout import FORMAT, Layout, decode_buckets
from stream.store.lease import Lease, damaged
from stream.store.link import Link, Refused, pack
from stream.store.patience import FORBIDDEN, HOPELESS, Patience

_OWNER_BYTES = 16
_POLICY = re.compile(rb"^maxmemory_policy:(\S+)", re.MULTILINE)
_UNFIT = HOPELESS | FORBIDDEN | {"ERR"}


class StateStore:
    """An application's state in Redis. Share one among all partitions of a process."""

    def __init__(self, link: Link, app: str, say: Callable[[str], None]) -> None:
        self._link = link
        self._app = app
        self._say = say

    @classmethod
    async def connect(cls, url: str, app: str, *, timeout_s: float, say: Callable[[str], None]) -> Self:
        """Connects, trying again for ``timeout_s`` while saying so, and checks that Redis is fit to hold state.

        ``url`` is ``redis://``, ``rediss://`` (TLS) or ``unix://``; ``app`` keeps applications apart that share a
        Redis. ``say`` takes sentences for the operator, now and in the life of every lease.

        Raises:
            InputError: the URL, the name or the login is wrong, or Redis may evict keys, or lacks Lua.
            Unreachable: no answer in the stated time. No message ever holds the password.
        """
        Layout(app, 0)  # refuses a bad name before anything is tried
        link = Link.to(url)
        try:
            await _check(link, timeout_s, say)
        except BaseException:
            await link.close()
            raise
        return cls(link, app, say)

    async def take(self, partition: int) -> Lease:
        """Becomes the partition's owner: any older lease, here or elsewhere, is superseded from now on.

        The state stays as it is, seq goes up by one. Waits for Redis as long as it takes.

        Raises InputError where Redis holds another version's layout, or damaged state.
        """
        layout = Layout(self._app, partition)
        owner = secrets.token_hex(_OWNER_BYTES)
        seen, next_seq = (b"", b""), 1
        while True:
            meta = await self._try_take(layout, seen, owner, next_seq)
            if meta.torn is not None:
                raise damaged(
                    layout, self._link.where, f"a checkpoint stopped in the middle, at {_shown(meta.torn)}"
                )
            if meta.format not in (None, FORMAT.encode()):
                raise InputError(
                    f"Redis at {self._link.where} holds partition {partition} in format {_shown(meta.format)}, this "
                    f"version knows {FORMAT}: run the version that wrote it, or delete the keys that begin with "
                    f"{layout.tag} to have the state rebuilt from the inputs' history."
                )
            if meta.owner == owner.encode():
                buckets = decode_buckets(meta.buckets or b"[]")
                return Lease(self._link, layout, self._say, (owner, int(meta.seq or 0)), meta.body, buckets)
            seen, next_seq = (meta.owner or b"", meta.seq or b""), int(meta.seq or 0) + 1

    async def _try_take(
        self, layout: Layout, seen: tuple[bytes, bytes], owner: str, seq: int
    ) -> scripts.MetaAnswer:
        packed = pack(scripts.take(layout, seen, owner, seq))
        patience = Patience(self._link.where, f"The take of partition {layout.partition}", self._say)
        try:
            answer = await patience.until_done(lambda: self._link.send(packed))
        except Refused as refused:
            raise damaged(layout, self._link.where, str(refused)) from None
        return scripts.MetaAnswer(*cast(list[bytes | None], answer))

    async def close(self) -> None:
        """Closes all connections. Leases are of no use afterwards."""
        await self._link.close()


def _shown(text: bytes | None) -> str:
    return "unknown" if text is None else text.decode(errors="replace")


async def _check(link: Link, timeout_s: float, say: Callable[[str], None]) -> None:
    """Waits for Redis, and makes sure that it runs our scripts and never evicts a key."""
    patience = Patience(link.where, "The start", say)

    async def look() -> bytes:
        await link.ask(scripts.PROBE)
        return cast(bytes, await link.ask(("INFO", "memory")))

    try:
        info = await patience.until_done(look, within_s=timeout_s, give_up_at=_UNFIT)
    except Refused as refused:
        if refused.code in FORBIDDEN:
            raise InputError(
                f"Redis at {link.where} does not let us in ({refused}): check user, password and permissions."
            ) from None
        if refused.code in _UNFIT:
            raise InputError(
                f"Redis at {link.where} can't hold the state ({refused}): Redis 6.2 or later with EVAL is needed."
            ) from None
        raise Unreachable(
            f"Redis at {link.where} could not be reached within {timeout_s:g} s ({refused})."
        ) from None
    policy = _POLICY.search(info)
    if policy is None or policy[1] != b"noeviction":
        found = policy[1].decode() if policy else "not known"
        raise InputError(
            f"Redis at {link.where} may drop state when memory is short (maxmemory-policy is {found}): "
            "set maxmemory-policy to noeviction."
        )
