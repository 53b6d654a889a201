"""The outbox: records that were turned away, on their way to `rejected` and `late`. At least once."""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError

from schemas import rejections
from stream.core.outcome import Rejection
from stream.errors import BonusError

MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""No record that Kafka gave us is refused on our side: whether it is too large is for the broker to say."""

CUT_BYTES = 65_536
"""How much of a value is kept that the topic can't take."""


class OutboxLost(BonusError):
    """A record that was turned away could not be written down: nothing that covers it may be acknowledged."""


class Outbox:
    """One producer for all partitions of a worker."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    @classmethod
    async def open(cls, options: Mapping[str, object], prefix: str) -> "Outbox":
        """Connect, with aiokafka client ``options``."""
        # Not idempotent: aiokafka counts a refused record in its sequence, so after a first record that is too
        # large for the topic every later one would be refused as out of order.
        producer = AIOKafkaProducer(**options, acks="all", max_request_size=MAX_REQUEST_BYTES)
        await producer.start()
        return cls(producer, prefix)

    def turn_away(self, record: ConsumerRecord, rejection: Rejection) -> asyncio.Task[None]:
        """Send the record where it belongs; the task is done once that is acknowledged."""
        return asyncio.ensure_future(self._send(record, rejection))

    async def close(self) -> None:
        await self._producer.stop()

    async def _send(self, record: ConsumerRecord, rejection: Rejection) -> None:
        try:
            try:
                await self._write(record, rejection, record.value, None)
            except (MessageSizeTooLargeError, RecordTooLargeError):
                value = record.value or b""
                await self._write(record, rejection, value[:CUT_BYTES], len(value))
        except KafkaError as error:
            origin = f"{record.topic}/{record.partition}/{record.offset}"
            raise OutboxLost(
                f"{origin} could not be written to {rejection.code}'s topic: {error!r}"
            ) from error

    async def _write(
        self, record: ConsumerRecord, rejection: Rejection, value: bytes | None, truncated: int | None
    ) -> None:
        origin = rejections.Origin(record.topic, record.partition, record.offset)
        topic = self._prefix + rejections.destination(rejection.code)
        headers = rejections.headers(record.headers, rejection, origin, truncated)
        if record.key is None and value is None:  # aiokafka's send insists on one of them
            batch = self._producer.create_batch()
            batch.append(key=None, value=None, timestamp=None, headers=headers)
            await (await self._producer.send_batch(batch, topic, partition=record.partition))
            return
        await self._producer.send_and_wait(
            topic, value, key=record.key, partition=record.partition, headers=headers
        )
