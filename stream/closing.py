"""Closing aiokafka's consumers so that the end of one of their tasks isn't taken for ours."""

import asyncio
from typing import Protocol


class _Connections(Protocol):
    async def close(self) -> None: ...


class Consumer(Protocol):
    """aiokafka's consumer, as far as it is closed here."""

    _client: _Connections

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
