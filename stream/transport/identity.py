"""Which logs these are: the cluster's id, and of each topic the id and the number of partitions.

An offset means something in one log only. A topic that is deleted and made anew keeps its name and gets another id
(KIP-516), which is how the two are told apart however many records the new one holds. aiokafka asks for metadata of
before there were ids, so this module has the request's later form: version 10, which Kafka answers since 2.8. A
cluster that doesn't know it has no ids, and then a topic made anew shows only where its offsets don't fit.
"""

import asyncio
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from stream.errors import InputError
from stream.transport.kafka import KafkaTrouble, trouble

BROKER_S = 5.0
"""How long one broker has to answer. It is the client's own limit: when that is over, aiokafka gives the connection
up. A limit of ours would leave it as it is, half-open for good where a firewall or a dead machine cut it."""


class TopicMark(NamedTuple):
    """What tells a topic from another of its name: its id, in hex, empty where unknown; and its partitions."""

    id: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A cluster's id, empty where it has none, and the marks of topics that exist, by name."""

    cluster: str
    topics: Mapping[str, TopicMark]

    def refuse_other(self, now: "Identity") -> None:
        """Raise ``InputError`` where ``now`` shows other logs, ``KafkaTrouble`` where a topic is not to be seen."""
        if self.cluster and now.cluster and self.cluster != now.cluster:
            raise InputError(
                f"The brokers belong to Kafka cluster {now.cluster} now, not to {self.cluster} any more: point "
                "--kafka to the old one, or carry the state over with `bonus migrate`."
            )
        for name, before in self.topics.items():
            after = now.topics.get(name)
            if after is None:
                raise KafkaTrouble(f"Kafka does not show the topic {name} any more")
            if before.id and after.id and before.id != after.id:
                raise InputError(
                    f"{name} was deleted and made anew while this worker ran: what it counted is of the old one. "
                    "Start it again; it then says what can be done."
                )
            if before.partitions != after.partitions:
                raise InputError(
                    f"{name} has {after.partitions} partitions now, it had {before.partitions} when this worker "
                    "started: creators have other partitions from here on. Hold the producers, and carry the state "
                    "over with `bonus migrate`."
                )


class Logs:
    """Looks at which logs these are, as they were when it was opened and now."""

    def __init__(self, admin: AIOKafkaAdminClient, opened: Identity) -> None:
        self._admin = admin
        self.identity = opened
        self._looked_at_s = time.monotonic()
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, options: Mapping[str, object], names: Collection[str]) -> "Logs":
        """Connect, with aiokafka client ``options``, and look at the topics ``names``."""
        admin = AIOKafkaAdminClient(**options, request_timeout_ms=int(BROKER_S * 1000))
        try:
            with trouble("connecting to Kafka"):
                await admin.start()
            return cls(admin, await _look(admin, names))
        except BaseException:
            await admin.close()
            raise

    async def confirm(self) -> None:
        """Return if a look that began after the call shows the same logs as at the start; many calls share one.

        Raises ``InputError`` where they are others, ``KafkaTrouble`` where Kafka doesn't say.
        """
        asked_s = time.monotonic()
        async with self._turn:
            if self._looked_at_s <= asked_s:
                looked_at_s = time.monotonic()
                self.identity.refuse_other(await _look(self._admin, self.identity.topics))
                self._looked_at_s = looked_at_s

    async def close(self) -> None:
        """Let go of the connection."""
        await self._admin.close()


async def _look(admin: AIOKafkaAdminClient, names: Collection[str]) -> Identity:
    with trouble("asking for the topics' ids"):
        try:
            answer = await _answer(admin, _TopicIds(sorted(names)))
        except (IncompatibleBrokerVersion, NotImplementedError):  # aiokafka's words for: not in that version
            return await _look_without_ids(admin, names)
    found = {
        str(name): TopicMark("" if topic_id == _NO_ID else topic_id.hex(), len(partitions))
        for error, name, topic_id, _, partitions, *_ in answer.topics
        if error == 0
    }
    return Identity(answer.cluster_id or "", found)


async def _answer(admin: AIOKafkaAdminClient, request: "_TopicIds") -> Any:
    """What one of the brokers says, whichever is there: a take must not fail because another one is not."""
    nodes = [broker.nodeId for broker in admin._client.cluster.brokers()]
    *others, last = random.sample(nodes, len(nodes))
    for node in others:
        try:
            return await admin._send_request(request, node)
        except IncompatibleBrokerVersion:
            raise
        except KafkaError:
            continue
    return await admin._send_request(request, last)


async def _look_without_ids(admin: AIOKafkaAdminClient, names: Collection[str]) -> Identity:
    described = await admin.describe_cluster()
    topics = await admin.describe_topics()  # all of the cluster: naming one may make it
    found = {
        str(topic["topic"]): TopicMark("", len(topic["partitions"]))
        for topic in topics
        if topic["topic"] in names
    }
    return Identity(str(described.get("cluster_id") or ""), found)


# The request: https://kafka.apache.org/protocol, Metadata version 10

_NO_ID = bytes(16)


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:
        return cast(bytes, data.read(16))


_TEXT = CompactString("utf-8")

_PARTITION = (
    ("error_code", Int16),
    ("partition_index", Int32),
    ("leader_id", Int32),
    ("leader_epoch", Int32),
    ("replica_nodes", CompactArray(Int32)),
    ("isr_nodes", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)


class _TopicIdsResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                ("partitions", CompactArray(*_PARTITION)),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _TopicIdsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _TopicIdsResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIds(Request[_TopicIdsStruct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_TopicIdsStruct]) -> _TopicIdsStruct:
        topics: list[tuple[bytes, str, dict[int, bytes]]] = [(_NO_ID, name, {}) for name in self._names]
        return request_struct_class(topics, False, False, False, {})
