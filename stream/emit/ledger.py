"""The ledger of a partition: its bonuses, written to `bonuses` in transactions of its own transactional id.

Opening it fences whoever wrote this partition's bonuses before and aborts what they left open (KIP-98). A ledger
that failed in any way is of no use any more: whether its last transaction was committed can only be told by
opening a new one and scanning the topic.
"""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer import sender

from schemas import bonuses as wire
from stream.access import forbidden
from stream.closing import discard
from stream.core.outcome import Bonus
from stream.errors import BonusError
from stream.orphans import end_orphan

# A broker that is still closing the last transaction puts the next one off, and aiokafka waits 20 ms before it asks
# again. With transactions back to back that wait is most of a bonus's latency; asking sooner costs a small request.
sender.BACKOFF_OVERRIDE = 0.005


BATCH_BYTES = 256 * 1024
"""Of bonuses in one request: they go one after the other, and all of a transaction within its time-out. A quarter of
what a topic takes at once unless it is told otherwise."""


class LedgerLost(BonusError):
    """A transaction failed, was fenced, or its end is unclear: take the partition anew."""


class Ledger:
    """The one writer of a partition's bonuses.

    ``place`` is 1 + the highest acknowledged offset of a committed bonus; it never goes back.
    """

    def __init__(self, producer: AIOKafkaProducer, app: str, bonuses: TopicPartition, place: int) -> None:
        self._producer = producer
        self._headers = [(wire.HEADER_APP, app.encode())]
        self._bonuses = bonuses
        self.place = place

    @classmethod
    async def open(
        cls, options: Mapping[str, object], app: str, bonuses: TopicPartition, place: int = 0
    ) -> "Ledger":
        """Fence the writer before, with aiokafka client ``options``; raises ``LedgerLost``."""
        producer = AIOKafkaProducer(
            **options,
            transactional_id=f"{app}-{bonuses.topic}-{bonuses.partition}",
            acks="all",
            max_batch_size=BATCH_BYTES,
        )
        try:
            await producer.start()
        except BaseException as error:
            await discard(producer)
            raise _lost("opening its ledger", error) from error
        return cls(producer, app, bonuses, place)

    async def commit(self, bonuses: Sequence[Bonus]) -> None:
        """Publish these in one transaction; on return they are committed. Raises ``LedgerLost``."""
        topic, partition = self._bonuses
        # Before the transaction: a bonus that can't be written is a mistake of ours, and no new take mends it.
        records = [(bonus.creator_id.encode(), wire.encode(bonus)) for bonus in bonuses]
        try:
            await self._producer.begin_transaction()
            sends = [
                await self._producer.send(topic, value, key=key, partition=partition, headers=self._headers)
                for key, value in records
            ]
            # aiokafka commits a transaction although a send of it failed: look at each before.
            await asyncio.wait(sends)
            failures = [failure for future in sends if (failure := future.exception())]
            if failures:
                raise failures[0]
            sent = [future.result() for future in sends]
            await self._producer.commit_transaction()
        except Exception as error:
            raise _lost("committing bonuses", error) from error
        if any(record.offset < 0 for record in sent):  # a broker that had a record already may not say where
            raise LedgerLost("Kafka does not tell where bonuses lie that were committed")
        self.place = max(self.place, *(record.offset + 1 for record in sent))

    async def end_orphan(self) -> None:
        """Abort what the writer before left open and Kafka lost sight of; only before any ``commit``.

        Raises ``LedgerLost``.
        """
        try:
            await end_orphan(self._producer, self._bonuses)
        except Exception as error:
            raise _lost("ending what was left open", error) from error

    async def close(self) -> None:
        """Let go of the producer, without waiting for what may still be in flight."""
        await discard(self._producer)


def _lost(doing: str, error: BaseException) -> BaseException:
    if not isinstance(error, Exception):
        return error
    return forbidden(error, "Write") or LedgerLost(f"{doing} failed: {type(error).__name__}: {error}")
