"""The outbox: records that were turned away, on their way to `rejected` and `late`. At least once."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError

from schemas import rejections
from stream.access import forbidden
from stream.closing import discard
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


Sending = asyncio.Future[object]
"""A record on its way."""


class TurnedAway(NamedTuple):
    """A record that can't be counted, where it was read, and why it can't."""

    record: Record
    origin: rejections.Origin
    rejection: Rejection


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
        except BaseException as error:
            await discard(producer)
            if isinstance(error, (KafkaError, OSError)):
                raise Unreachable(f"Kafka could not be reached: {error!r}.") from error
            raise
        return cls(producer, prefix)

    async def relay(self, turned_away: Sequence[TurnedAway]) -> None:
        """Send these records where they belong; returns once all are acknowledged.

        One after the other is handed to the producer: of many that wait for room in it, all wake up for each that
        gets some. Raises ``OutboxLost``; another ``BonusError`` where that would go on for ever, as the client has
        lost the task that sends.
        """
        task = self._producer._sender.sender_task
        if task is not None and task.done():
            raise BonusError(f"aiokafka stopped sending: {task!r}. The worker ends, to be started anew.")
        sent = [await self._send(each, *next(_forms(each))) for each in turned_away]
        found = await asyncio.gather(*sent, return_exceptions=True)
        for each, error in zip(turned_away, found, strict=True):
            if isinstance(error, (MessageSizeTooLargeError, RecordTooLargeError)):
                await self._send_less(each)
            elif isinstance(error, KafkaError):
                raise self._lost(each, error) from error
            elif isinstance(error, BaseException):
                raise error

    async def close(self) -> None:
        """Let go of the producer, without waiting for what may still be in flight."""
        await discard(self._producer)

    async def _send_less(self, turned_away: TurnedAway) -> None:
        """Send as much of a record as the topic takes: all of it perhaps, where those beside it were too many."""
        for form in _forms(turned_away):
            try:
                await (await self._send(turned_away, *form))
            except (MessageSizeTooLargeError, RecordTooLargeError) as error:
                too_large = error
            except KafkaError as error:
                raise self._lost(turned_away, error) from error
            else:
                return
        raise OutboxLost(
            f"{turned_away.origin} could not be written to {self._topic(turned_away)}: not even its origin fits"
        ) from too_large

    async def _send(
        self, turned_away: TurnedAway, key: bytes | None, value: bytes | None, headers: rejections.Headers
    ) -> Sending:
        """Hand a record to the producer, when that has room; the future is done once it is acknowledged."""
        topic, partition = self._topic(turned_away), turned_away.origin.partition
        try:
            if key is not None or value is not None:
                return cast(
                    Sending,
                    await self._producer.send(topic, value, key=key, partition=partition, headers=headers),
                )
            batch = self._producer.create_batch()  # aiokafka's send insists on a key or a value
            batch.append(key=None, value=None, timestamp=None, headers=headers)
            return cast(Sending, await self._producer.send_batch(batch, topic, partition=partition))
        except KafkaError as error:
            raise self._lost(turned_away, error) from error

    def _topic(self, turned_away: TurnedAway) -> str:
        return self._prefix + rejections.destination(turned_away.rejection.code)

    def _lost(self, turned_away: TurnedAway, error: KafkaError) -> BonusError:
        topic = self._topic(turned_away)
        return forbidden(error, "Write", topic) or OutboxLost(
            f"{turned_away.origin} could not be written to {topic}: {error!r}"
        )


def _forms(turned_away: TurnedAway) -> Iterator[tuple[bytes | None, bytes | None, rejections.Headers]]:
    """The record as it leaves, whole; then what to try next where the topic can't take that.

    The value is cut, and the rest only where key and headers don't fit without any value: that it is told at all
    comes first.
    """
    record, origin, rejection = turned_away
    key, value, size = record.key, record.value, len(record.value or b"")
    yield key, value, rejections.headers(record.headers, rejection, origin)
    cut = rejections.headers(record.headers, rejection, origin, size)
    for most_bytes in CUTS_BYTES:
        if value is not None and most_bytes < size:
            yield key, value[:most_bytes], cut
    bare = rejections.headers((), rejection, origin, size)
    yield key, b"", bare
    yield None, b"", bare
