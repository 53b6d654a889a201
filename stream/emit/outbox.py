"""The outbox: records that were turned away, on their way to `rejected` and `late`. At least once."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError

from schemas import rejections
from stream.access import forbidden
from stream.core.outcome import Rejection
from stream.errors import BonusError, Unreachable

MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""No record that Kafka gave us is refused on our side: whether it is too large is for the broker to say."""

CUTS_BYTES = (65_536, 16_384, 4_096, 0)
"""How much of a value is kept that the topic can't take: the most of these that it takes, beside key and headers."""


class Record(Protocol):
    """A record as it was read."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes]]: ...


class OutboxLost(BonusError):
    """A record that was turned away could not be written down: nothing that covers it may be acknowledged."""


class Outbox:
    """One producer for all partitions of a worker."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    @classmethod
    async def open(cls, options: Mapping[str, object], prefix: str) -> "Outbox":
        """Connect, with aiokafka client ``options``; raises ``Unreachable``."""
        # Not idempotent: aiokafka counts a refused record in its sequence, so after a first record that is too
        # large for the topic every later one would be refused as out of order.
        producer = AIOKafkaProducer(**options, acks="all", max_request_size=MAX_REQUEST_BYTES)
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka could not be reached: {error!r}.") from error
        return cls(producer, prefix)

    def turn_away(
        self, record: Record, origin: rejections.Origin, rejection: Rejection
    ) -> asyncio.Task[None]:
        """Send the record where it belongs; the task is done once that is acknowledged."""
        return asyncio.ensure_future(self._send(record, origin, rejection))

    async def close(self) -> None:
        await self._producer.stop()

    async def _send(self, record: Record, origin: rejections.Origin, rejection: Rejection) -> None:
        topic = self._prefix + rejections.destination(rejection.code)
        for key, value, headers in _forms(record, origin, rejection):
            try:
                await self._write(topic, origin.partition, key, value, headers)
            except (MessageSizeTooLargeError, RecordTooLargeError) as error:
                too_large = error
            except KafkaError as error:
                raise forbidden(error, "Write", topic) or OutboxLost(
                    f"{origin} could not be written to {topic}: {error!r}"
                ) from error
            else:
                return
        raise OutboxLost(f"{origin} could not be written to {topic}: not even its origin fits") from too_large

    async def _write(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: rejections.Headers
    ) -> None:
        if key is not None or value is not None:
            await self._producer.send_and_wait(topic, value, key=key, partition=partition, headers=headers)
            return
        batch = self._producer.create_batch()  # aiokafka's send insists on a key or a value
        batch.append(key=None, value=None, timestamp=None, headers=headers)
        await (await self._producer.send_batch(batch, topic, partition=partition))


def _forms(
    record: Record, origin: rejections.Origin, rejection: Rejection
) -> Iterator[tuple[bytes | None, bytes | None, rejections.Headers]]:
    """The record as it leaves, whole; then what to try next where the topic can't take that.

    The value is cut, and the rest only where key and headers don't fit without any value: that it is told at all
    comes first.
    """
    key, value, size = record.key, record.value, len(record.value or b"")
    yield key, value, rejections.headers(record.headers, rejection, origin)
    cut = rejections.headers(record.headers, rejection, origin, size)
    for most_bytes in CUTS_BYTES:
        if value is not None and most_bytes < size:
            yield key, value[:most_bytes], cut
    bare = rejections.headers((), rejection, origin, size)
    yield key, b"", bare
    yield None, b"", bare
