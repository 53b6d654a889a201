"""Where logs begin and end, as any reader may ask: outside of the group, uncommitted records included."""

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from stream.asking import patient
from stream.closing import stop
from stream.transport.kafka import KafkaTrouble, trouble

REQUEST_S = 10.0
"""How long a broker has to answer. A take asks, so aiokafka's own 40 s would be long."""


class LogEnds:
    """A connection that asks for offsets and for what the group has committed; it fetches nothing."""

    def __init__(
        self, consumer: AIOKafkaConsumer, committed: AIOKafkaConsumer, admin: AIOKafkaAdminClient, group: str
    ) -> None:
        self._consumer = consumer
        self._committed = committed
        self._admin = admin
        self._group = group

    @classmethod
    async def open(cls, options: Mapping[str, object], group: str) -> "LogEnds":
        """Connect, with aiokafka client ``options``."""
        own = {**options, "request_timeout_ms": int(REQUEST_S * 1000)}
        consumer, committed = (
            patient(AIOKafkaConsumer(**own, group_id=None, isolation_level=level, auto_offset_reset="none"))
            for level in ("read_uncommitted", "read_committed")
        )
        admin = AIOKafkaAdminClient(**own)
        log_ends = cls(consumer, committed, admin, group)
        try:
            with trouble("connecting to Kafka"):
                for client in (consumer, committed, admin):
                    await client.start()
        except BaseException:
            await log_ends.close()
            raise
        return log_ends

    async def starts(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that each log still holds."""
        with trouble("asking where logs begin"):
            return dict(await self._consumer.beginning_offsets(list(tps)))

    async def ends(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after each log's last record, committed or not."""
        with trouble("asking where logs end"):
            return dict(await self._consumer.end_offsets(list(tps)))

    async def committed_ends(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset before which no transaction is open any more: how far a read_committed reader gets."""
        with trouble("asking where logs are committed"):
            return dict(await self._committed.end_offsets(list(tps)))

    async def committed(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """What the group has committed, with its metadata; without those it has nothing for."""
        asked = list(tps)
        with trouble("asking for the group's offsets"):
            found = await self._admin.list_consumer_group_offsets(self._group, partitions=asked)
        if len(found) < len(asked):
            # A coordinator that is still loading tells of none. aiokafka does not look at the error beside.
            raise KafkaTrouble("the group's coordinator can't tell its offsets yet")
        return {TopicPartition(*tp): entry for tp, entry in found.items() if entry.offset >= 0}

    async def close(self) -> None:
        await stop(self._consumer)
        await stop(self._committed)
        await self._admin.close()
