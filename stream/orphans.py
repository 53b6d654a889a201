"""Orphans: transactions whose end is decided, and whose partition was never told.

A broker that comes back from a crash may write an end into its transaction log and no marker into the partitions,
which Kafka 4.3.1 was seen to do. For the coordinator the transaction is over, for a partition it is open for good,
and nobody gets to read beyond it. Whether it was a commit or an abort can't be told there.

A partition knows transactions by their producer's number, which the next producer of the same id has, too: an end of
its own is the end of whatever that number has open. It is always an abort, so what was in an orphan is gone, and must
not have been relied on: nothing is before a committed reader has got beyond it.
"""

import asyncio
from typing import Protocol


class Producer(Protocol):
    """aiokafka's producer with a transactional id, as far as it is used here."""

    async def begin_transaction(self) -> None: ...

    async def send(
        self, topic: str, value: bytes, *, key: bytes, partition: int
    ) -> asyncio.Future[object]: ...

    async def abort_transaction(self) -> None: ...


async def end_orphan(producer: Producer, log: tuple[str, int]) -> None:
    """Abort what earlier producers of this one's transactional id may have left open in ``log``.

    Only for a ``producer`` that has just been started: all that they had under way has been decided then. Leaves an
    empty record that no committed reader sees. Raises aiokafka's ``KafkaError``.
    """
    topic, partition = log
    await producer.begin_transaction()
    await (await producer.send(topic, b"", key=b"", partition=partition))  # a compacted topic wants a key
    await producer.abort_transaction()
