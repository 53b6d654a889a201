"""Breaks of how records come from Kafka to the partition that is served."""

import asyncio
from typing import cast

from stream.transport import driver
from stream.transport.driver import Chunk, Consumer
from stream.transport.fetching import Run
from stream.transport.kafka import TopicPartition
from stream.worker.service import Service
from stream.worker.table import CounterTable

_LATE_S = 0.3

_LONG_POLL_MS = 1_000
"""How long the mutant waits for records, so that a fetch spans a rebalance on a slow machine too."""


def no_seek_to_0() -> None:
    honest = Consumer.start_at

    def start_at(self: Consumer, tp: TopicPartition, offset: int) -> None:
        if offset:
            honest(self, tp, offset)
        else:
            self._kafka().resume(tp)

    Consumer.start_at = start_at  # type: ignore[method-assign]


def late_seek() -> None:
    honest = Consumer.start_at

    def start_at(self: Consumer, tp: TopicPartition, offset: int) -> None:
        self._kafka().resume(tp)
        asyncio.get_running_loop().call_later(_LATE_S, honest, self, tp, offset)

    Consumer.start_at = start_at  # type: ignore[method-assign]


def old_takes() -> None:
    honest, asked = Consumer._fetch, dict[int, Service]()

    async def fetch(self: Consumer) -> list[Chunk]:
        asked.clear()
        table = cast(CounterTable, self.transport.owner)
        asked.update(
            {number: life._service for number, life in table._lives.items() if life._service is not None}
        )
        return await honest(self)

    def dispatch(self: CounterTable, tp: TopicPartition, records: Run) -> Chunk | None:
        service = asked.get(tp.partition)
        return None if service is None else service.flight.set_out(tp, records)

    driver._IDLE_POLL_MS = driver._BUSY_POLL_MS = _LONG_POLL_MS
    Consumer._fetch, CounterTable.dispatch = fetch, dispatch  # type: ignore[method-assign]
