"""One command to Redis and its answer back. redis-py is known here only, and its errors end here."""

import os
import re
import ssl
from typing import Protocol, Self

import hiredis
from redis import exceptions as vendor
from redis.asyncio.connection import ConnectionPool, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream.errors import InputError
from stream.store.scripts import Command

SOCKET_TIMEOUT_S = 5.0

# redis-py cuts the code off the message of the errors that it knows. A subclass stands before its base.
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (vendor.BusyLoadingError, "LOADING"),
    (vendor.AuthenticationError, "WRONGPASS"),
    (vendor.AuthenticationWrongNumberOfArgsError, "WRONGPASS"),
    (vendor.NoPermissionError, "NOPERM"),
    (vendor.OutOfMemoryError, "OOM"),
    (vendor.ReadOnlyError, "READONLY"),
    (vendor.MasterDownError, "MASTERDOWN"),
    (vendor.ClusterDownError, "CLUSTERDOWN"),
    (vendor.TryAgainError, "TRYAGAIN"),
    (vendor.ClusterCrossSlotError, "CROSSSLOT"),
    (vendor.TimeoutError, "TIMEOUT"),
    (vendor.ConnectionError, "CONNECTION"),
    (OSError, "CONNECTION"),
)

# A command refused within a script arrives as "@user_script: 12: -OOM command not allowed …" from Redis 6.
_WITHIN_SCRIPT = re.compile(r"(?:^|[ -])([A-Z]{3,}) .*", re.DOTALL)
_NO_RIGHT = re.compile(r"user executing the script|ACL failure in script")


_ELSEWHERE = frozenset({"READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING"})
"""Who answers so may not be whom the address leads to by now: after a failover the old master is a replica."""

OURS = frozenset({"CONNECTION", "TIMEOUT", "CERTIFICATE"})
"""Codes of what comes before Redis can answer; CERTIFICATE is one of the server's that is not trusted."""

Place = tuple[str, int]
"""Host and port."""


class Refused(Exception):
    """Redis did not do it, or nobody knows whether it did. ``code`` is Redis's own, or one of `OURS`.

    ``sent_on_to`` is the node of a cluster that is to be asked instead, for MOVED and ASK.
    """

    def __init__(self, code: str, detail: str, sent_on_to: Place | None = None) -> None:
        super().__init__(detail.rstrip(".") if code in OURS else f"{code} {detail}".rstrip("."))
        self.code = code
        self.sent_on_to = sent_on_to


class Link:
    """Connections to one Redis. ``where`` names it without user and password."""

    def __init__(self, pool: ConnectionPool, where: str) -> None:
        self._pool = pool
        self.where = where

    @classmethod
    def to(cls, url: str) -> Self:
        """Prepares a link to ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads it; connects later.

        Raises InputError for a URL that can't be read, without repeating it: it may hold a password. Also where
        a file that it names can't be used.
        """
        try:
            pool = ConnectionPool.from_url(
                url,
                protocol=2,
                # As many at a time as there are partitions in this process.
                max_connections=2**31,
                socket_timeout=SOCKET_TIMEOUT_S,
                socket_connect_timeout=SOCKET_TIMEOUT_S,
                # Tries are counted in one place, `patience`.
                retry=Retry(NoBackoff(), 0),
            )
            if issubclass(pool.connection_class, SSLConnection):
                # Without any, OpenSSL would ask a person at the terminal.
                pool.connection_kwargs.setdefault("ssl_password", "")
            connection = pool.make_connection()  # type: ignore[no-untyped-call]  # opens nothing, but looks at every option of the URL
        except (ValueError, TypeError, vendor.RedisError):
            raise InputError(
                "The Redis URL can't be read: expected redis://[user:password@]host:port/number, "
                "the same with rediss:// for TLS, or unix:///path, each perhaps with ?option=value as redis-py "
                "reads it; options that begin with ssl_ go with rediss:// alone."
            ) from None
        if isinstance(connection, SSLConnection):
            _read_files(connection)
        place = pool.connection_kwargs
        where = place.get("path") or f"{place.get('host', 'localhost')}:{place.get('port', 6379)}"
        return cls(pool, str(where))

    async def ask(self, command: Command) -> object:
        """Sends one command and returns its answer, bytes, integers, lists and None as Redis has them.

        Packs with hiredis: redis-py's own packing costs 1 µs an argument, and a checkpoint has one a subject.

        Raises Refused. A connection whose answer did not arrive, also through cancellation, is closed.
        """
        return await self.send(pack(command))

    async def send(self, packed: bytes, *, asking: bool = False) -> object:
        """As `ask`, for a command that is packed already; ``asking`` is how a cluster's ASK is followed."""
        try:
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                if asking:
                    await connection.send_packed_command([_ASKING])
                    await connection.read_response()
                await connection.send_packed_command([packed])
                return await connection.read_response()
            except vendor.ResponseError as error:
                if _refused(error).code in _ELSEWHERE:
                    await connection.disconnect(nowait=True)
                raise
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            finally:
                await self._pool.release(connection)
        except (vendor.RedisError, OSError) as error:
            raise _refused(error) from error

    def way(self, tag: str) -> "Link":
        """How to reach the keys that begin with this hash tag: this one Redis has them all."""
        return self

    async def servers(self) -> list["Link"]:
        """All that hold keys: itself."""
        return [self]

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.disconnect()


class Way(Protocol):
    """How the keys of one partition are reached: `Link`, or a cluster's slot."""

    where: str

    async def send(self, packed: bytes) -> object:
        """As `Link.send`."""


def pack(command: Command) -> bytes:
    """A command as it goes over the wire. Done once, however often it is sent."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub says a tuple of one
    return packed


_ASKING = pack(("ASKING",))


def _read_files(connection: SSLConnection) -> None:
    try:
        connection.ssl_context.get()
    except OSError as error:  # ssl.SSLError is one
        raise InputError(
            f"A file that the Redis URL names can't be used ({error.strerror or error}): ssl_ca_certs and "
            "ssl_certfile are PEM files, the key is in ssl_certfile or ssl_keyfile, its password in ssl_password."
        ) from None


def _refused(error: Exception) -> Refused:
    detail, cause = str(error) or type(error).__name__, error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Refused("CERTIFICATE", f"certificate not trusted: {cause.verify_message}")
    if isinstance(cause, ssl.SSLError):
        detail = f"TLS failed: {(cause.reason or str(cause)).replace('_', ' ').lower()}"
    elif isinstance(cause, ConnectionError) and cause.errno:
        # "Connection refused", without the address that the sentence has already.
        detail = os.strerror(cause.errno)
    if isinstance(error, vendor.AskError):
        code = "MOVED" if isinstance(error, vendor.MovedError) else "ASK"
        return Refused(code, detail, (error.host, error.port))
    for kind, code in _CODES:
        if isinstance(error, kind):
            return Refused(code, detail)
    if _NO_RIGHT.search(detail):
        return Refused("NOPERM", detail)
    if match := _WITHIN_SCRIPT.search(detail):
        return Refused(match[1], match[0].lstrip(" -").removeprefix(match[1] + " "))
    return Refused("ERR", detail)
