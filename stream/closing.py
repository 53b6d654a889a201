"""Closing aiokafka's clients: the end of a consumer's task isn't taken for ours, and no broker is waited for long."""

import asyncio
import contextlib
from itertools import chain
from typing import Any, Protocol

STOP_TIMEOUT_S = 5.0
DISCARD_TIMEOUT_S = 3.0


class _Connections(Protocol):
    async def close(self) -> None: ...


class Consumer(Protocol):
    """aiokafka's consumer, as far as it is closed here; what fetches is None before a start."""

    _client: _Connections
    _fetcher: Any

    async def stop(self) -> None: ...


class Producer(Protocol):
    """aiokafka's producer, as far as it is closed here; the first is None without a transactional id."""

    _txn_manager: Any
    _sender: _Connections
    _message_accumulator: Any

    @property
    def client(self) -> _Connections: ...

    async def stop(self) -> None: ...


async def stop(consumer: Consumer) -> None:
    """Leave the group and let go of all connections.

    aiokafka 0.14 cancels a fetch that failed and waits to be tried again, and lets that cancellation out of ``stop``:
    whoever awaits it would end as if cancelled, with nobody to know. So it runs in a task of its own, and what it
    did not come to is done here. It waits as long for a broker that is away as for any answer; the group learns of
    our end by its time-out then.
    """
    stopping = asyncio.create_task(consumer.stop())
    try:
        await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
    except asyncio.CancelledError:
        stopping.cancel()
        raise
    if stopping.done() and not stopping.cancelled():
        stopping.result()
        return
    stopping.cancel()
    # Once without connections, so that nothing is waited for; and once more, as what fetched may have made new ones.
    await consumer._client.close()
    ending = [stopping]
    if consumer._fetcher is not None:
        ending.append(asyncio.create_task(consumer._fetcher.close()))
    await asyncio.wait(ending, timeout=STOP_TIMEOUT_S)
    await consumer._client.close()


async def discard(producer: Producer) -> None:
    """Stop a ``producer``: what it has not sent is dropped; the next of its id aborts a transaction under way."""
    unsent = producer._message_accumulator
    # aiokafka keeps a failure a second time, for whoever waits until a batch has gone or commits; nobody does any
    # more, and asyncio would log that.
    kept = [batch._drain_waiter for batch in chain.from_iterable(unsent._batches.values())]
    if producer._txn_manager is not None:
        kept.append(producer._txn_manager.wait_for_transaction_end())
    for failure in kept:
        if failure is not None and failure.done() and not failure.cancelled():
            failure.exception()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            await producer.stop()
            return
    # aiokafka's stop waits for the brokers before it ends its own tasks, each of which may wait for them, too.
    for part in (producer.client, producer._sender):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(DISCARD_TIMEOUT_S):
                await part.close()
    for batch in [*chain.from_iterable(unsent._batches.values()), *unsent._pending_batches]:
        unsent._pending_batches.add(batch)  # aiokafka takes it out
        batch.future.cancel()  # a task of that stop waits for it
