"""Closing aiokafka's clients: the end of a consumer's task isn't taken for ours, and a producer's has a bound."""

import asyncio
import contextlib
from typing import Any, Protocol

DISCARD_TIMEOUT_S = 3.0


class _Connections(Protocol):
    async def close(self) -> None: ...


class Consumer(Protocol):
    """aiokafka's consumer, as far as it is closed here."""

    _client: _Connections

    async def stop(self) -> None: ...


class Producer(Protocol):
    """aiokafka's producer with a transactional id, as far as it is closed here."""

    _txn_manager: Any
    _sender: _Connections

    @property
    def client(self) -> _Connections: ...

    async def stop(self) -> None: ...


async def stop(consumer: Consumer) -> None:
    """Leave the group and let go of all connections.

    aiokafka 0.14 cancels a fetch that failed and waits to be tried again, and lets that cancellation out of ``stop``:
    whoever awaits it would end as if cancelled, with nobody to know. So it runs in a task of its own, and what it
    did not come to is done here.
    """
    stopping = asyncio.create_task(consumer.stop())
    try:
        await asyncio.wait([stopping])
    except asyncio.CancelledError:
        stopping.cancel()
        raise
    if stopping.cancelled():
        await consumer._client.close()
    else:
        stopping.result()


async def discard(producer: Producer) -> None:
    """Stop a transactional ``producer``: what it has not sent is dropped; the next of its id aborts what it has."""
    # aiokafka keeps a failure a second time, for a commit that is never asked for; asyncio would log that.
    kept = producer._txn_manager.wait_for_transaction_end()
    if kept is not None and kept.done() and not kept.cancelled():
        kept.exception()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            await producer.stop()
            return
    # aiokafka's stop waits for the brokers before it ends its own tasks.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            await producer._sender.close()
            await producer.client.close()
