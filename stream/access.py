"""Why Kafka does not let us in, or lets us not do something: the certificate, the login or the right, in a sentence.
And a way in that does not lead nowhere.

aiokafka logs why a connection failed and raises only that it did, so a start would wait for what no waiting heals.
`refusal` finds out, by a connection of its own. What a user may not do arrives as an error of its kind wherever it
is tried; `forbidden` says which right is missing.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    NoError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3

from stream.errors import InputError, Unreachable

_TIMEOUT_MS = 5_000
_ASK_AGAIN_S = 0.2
_READ_GROUP = 1 << 3
"""The bit of the operation Read in what DescribeGroups says a user may do (KIP-430)."""

# aiokafka 0.14 reads the answer as that of version 2, which has no operations.
DescribeGroupsRequest_v3.RESPONSE_TYPE = DescribeGroupsResponse_v3

_bootstrap_once = AIOKafkaClient.bootstrap


async def bootstrap(client: AIOKafkaClient) -> None:
    """Connect, as aiokafka does, until there is a broker to ask; raises ``KafkaConnectionError``.

    A broker that was asleep for longer than its session with the controller tells of no brokers for a moment, itself
    left out too. aiokafka takes that for an answer: such a client finds no coordinator, its task that would join a
    group dies of it, and once the connection is gone over which it was told so it never finds a broker again.
    """
    deadline = time.monotonic() + client._request_timeout_ms / 1000
    await _bootstrap_once(client)
    while not client.cluster.brokers():
        for connection in client._conns.values():
            connection.close()
        client._conns.clear()
        if time.monotonic() > deadline:
            await client.close()
            raise KafkaConnectionError(f"{client.hosts} tell of no brokers")
        await asyncio.sleep(client._retry_backoff)
        await _bootstrap_once(client)


AIOKafkaClient.bootstrap = bootstrap

_RESOURCES: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "topic",
    GroupAuthorizationFailedError: "group",
    TransactionalIdAuthorizationFailed: "transactional id",
    ClusterAuthorizationFailedError: "cluster",
}


async def refusal(options: Mapping[str, object]) -> InputError | None:
    """Why a broker refuses aiokafka clients with these ``options``; None where that may pass, or nobody answers."""
    for address in cast(list[str], options["bootstrap_servers"]):
        found = await _refusal_of(address, options)
        if found is not None:
            return found
    return None


async def connect(
    start: Callable[[], Awaitable[object]], options: Mapping[str, object], *, within_s: float, every_s: float
) -> None:
    """Start an aiokafka client with these ``options``, again every ``every_s`` until ``within_s`` is over.

    Raises ``InputError`` where a broker does not let us in, ``Unreachable`` where there is none in that time.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            await start()
            return
        except TimeoutError as error:
            raise unreached(options, within_s) from error
        except KafkaConnectionError as error:
            why = await refusal(options)
            if why is not None:
                raise why from error
            if time.monotonic() + every_s > deadline:
                raise unreached(options, within_s) from error
            await asyncio.sleep(every_s)


def unreached(options: Mapping[str, object], within_s: float) -> Unreachable:
    """The sentence for brokers that aiokafka clients with these ``options`` could not connect to in that time."""
    return Unreachable(
        f"Kafka at {address_in(options)} could not be reached within {within_s:g} s, or refused the connection."
    )


def address_in(options: Mapping[str, object]) -> str:
    """The brokers of aiokafka's ``options``, as one writes them."""
    brokers = options["bootstrap_servers"]
    return ", ".join(map(str, brokers)) if isinstance(brokers, list) else str(brokers)


async def _refusal_of(address: str, options: Mapping[str, object]) -> InputError | None:
    host, _, port = address.rpartition(":")
    own = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    try:
        connection = await create_conn(host, int(port), request_timeout_ms=_TIMEOUT_MS, **own)
    except ssl.SSLCertVerificationError as error:
        return InputError(
            f"Kafka at {address} shows a certificate that is not trusted: {error.verify_message.rstrip('.')}. Check "
            "ssl_cafile, and that the certificate names this host."
        )
    except SaslAuthenticationFailed:
        return InputError(
            f"Kafka at {address} does not let the user {own['sasl_plain_username']} in by {own['sasl_mechanism']}: "
            "check user name, password and mechanism."
        )
    except (UnsupportedSaslMechanismError, IllegalSaslStateError):
        return InputError(
            f"Kafka at {address} knows no login by {own['sasl_mechanism']}: check security_protocol and "
            "sasl_mechanism."
        )
    except (KafkaError, OSError, TimeoutError) as error:
        return _tls_refusal(address, error)
    connection.close()
    return None


def _tls_refusal(address: str, error: Exception) -> InputError | None:
    """With TLS 1.3 a server refuses a client's certificate after the client has taken the connection for made."""
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if not isinstance(cause, ssl.SSLError) or "ALERT" not in (cause.reason or ""):
        return None
    alert = (cause.reason or "").replace("_", " ").lower()
    return InputError(
        f"Kafka at {address} refuses the TLS connection ({alert}): check ssl_certfile and ssl_keyfile, which it "
        "may ask for, and security_protocol."
    )


def forbidden(error: BaseException, right: str, name: str = "") -> InputError | None:
    """The sentence for ``error`` if it says that a right is missing, else None.

    ``right`` is Kafka's own word for what was tried, such as ``Write``; ``name`` is the topic's (or the group's, …),
    by default the one that the error names.
    """
    resource = _RESOURCES.get(type(error))
    if resource is None:
        return None
    return lacking(right, resource, name or _named(error))


def lacking(right: str, resource: str, name: str) -> InputError:
    """The sentence for a right that is missing."""
    return InputError(
        f"Kafka does not allow it: this user needs the right {right} on the {resource} {name}".rstrip() + "."
    )


def _named(error: BaseException) -> str:
    named = error.args[0] if error.args else ""
    return ", ".join(sorted(named)) if isinstance(named, (set, frozenset)) else str(named)


async def check_group(admin: AIOKafkaAdminClient, group: str, within_s: float) -> None:
    """Raises ``InputError`` where the user may not join ``group``.

    aiokafka would keep that to itself until somebody polls, and nobody does before there is an assignment. Raises a
    ``KafkaError`` where no broker can tell within ``within_s``: a new cluster makes the topic of groups at first.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            allowed = await _may_read(admin, group)
            break
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
            await asyncio.sleep(_ASK_AGAIN_S)
    if not allowed:
        raise lacking("Read", "group", group)


async def _may_read(admin: AIOKafkaAdminClient, group: str) -> bool:
    try:
        [answer] = await admin.describe_consumer_groups([group], include_authorized_operations=True)
    except GroupAuthorizationFailedError:
        return False
    except IncompatibleBrokerVersion:  # of a broker that can't tell
        return True
    code, *_, operations = answer.groups[0]
    kind = for_code(code)
    if kind not in (NoError, GroupAuthorizationFailedError):
        raise kind(group)
    return kind is NoError and bool(operations & _READ_GROUP)
