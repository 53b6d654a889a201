"""One side of a move: a Kafka with its topics, a Redis, and the group whose state is kept there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from stream.core.rules import TOPICS, Topic
from stream.errors import InputError
from stream.settings import KafkaSettings, in_ms
from stream.store.store import StateStore
from stream.topics import LEDGER, RULES, reach
from stream.transport.groups import members
from stream.transport.identity import Logs
from stream.transport.kafka import TopicPartition
from stream.transport.log_ends import LogEnds

NAMES = (*TOPICS, LEDGER, RULES)
"""The topics that a move has to do with."""


@dataclass(frozen=True, slots=True)
class Side:
    """Where a group's state is. ``redis`` is its URL."""

    kafka: KafkaSettings
    redis: str
    group: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A side with its connections."""

    side: Side
    store: StateStore
    log_ends: LogEnds
    logs: Logs

    @property
    def options(self) -> dict[str, object]:
        """The keyword arguments of aiokafka's clients."""
        return self.side.kafka.kafka_options()

    @property
    def cluster(self) -> str:
        """The cluster's id, empty where it has none."""
        return self.logs.identity.cluster

    @property
    def topic_ids(self) -> dict[str, str]:
        """The ids of the inputs and of `bonuses`, by their names without prefix; without those not known."""
        marks, topic = self.logs.identity.topics, self.side.kafka.topic
        found = {name: marks[topic(name)].id for name in (*TOPICS, LEDGER)}
        return {name: topic_id for name, topic_id in found.items() if topic_id}

    def inputs(self, number: int) -> dict[Topic, TopicPartition]:
        """The four input topic-partitions of a partition."""
        return {topic: TopicPartition(self.side.kafka.topic(topic), number) for topic in TOPICS}

    def ledger(self, number: int) -> TopicPartition:
        """Where the bonuses of a partition go."""
        return TopicPartition(self.side.kafka.topic(LEDGER), number)

    def shares(self, name: str, other: "Connected") -> bool:
        """Whether our topic ``name`` is the very log of the other side."""
        same_cluster = (
            self.cluster == other.cluster if self.cluster else self.side.kafka.kafka == other.side.kafka.kafka
        )
        return same_cluster and self.side.kafka.topic(name) == other.side.kafka.topic(name)

    async def refuse_running(self) -> None:
        """Raise ``InputError`` where workers of the group run."""
        found = await members(self.options, self.side.group)
        if found:
            workers = "a worker" if found == 1 else f"{found} workers"
            raise InputError(
                f"The group {self.side.group} has {workers} at {self.side.kafka.kafka}: stop them, and wait for the "
                "session time-out if they were killed."
            )


@asynccontextmanager
async def connected(
    side: Side, say: Callable[[str], None], *, whole: bool = False
) -> AsyncIterator[Connected]:
    """A side, connected while the block runs; ``say`` gets sentences about Redis being away.

    ``whole`` is for the side whose state is gone through.

    Raises ``InputError`` where topics are missing, ``Unreachable``.
    """
    within_s = in_ms(side.kafka.connect_timeout) / 1000
    names = [side.kafka.topic(name) for name in NAMES]
    await reach(side.kafka.kafka_options(), within_s=within_s)
    logs = await Logs.open(side.kafka.kafka_options(), names)
    try:
        missing = [name for name in names if name not in logs.identity.topics]
        if missing:
            raise InputError(
                f"These topics don't exist at {side.kafka.kafka}: {', '.join(missing)}. Make them with "
                "`bonus topics create`, with the same topic prefix."
            )
        log_ends = await LogEnds.open(side.kafka.kafka_options(), side.group)
        try:
            store = await StateStore.connect(side.redis, side.group, timeout_s=within_s, say=say, whole=whole)
            try:
                yield Connected(side, store, log_ends, logs)
            finally:
                await store.close()
        finally:
            await log_ends.close()
    finally:
        await logs.close()
