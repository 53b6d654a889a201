"""The life of a partition on this worker: taken, served, taken anew after a failure, given up at a rebalance."""

import asyncio
import time
from collections.abc import Mapping

from stream import metrics
from stream.core.outcome import Event, Rejection
from stream.core.rules import TOPICS, Topic
from stream.core.subject import Subject
from stream.emit.ledger import LedgerLost
from stream.emit.outbox import OutboxLost
from stream.logs import logger
from stream.store.checkpoint import Superseded
from stream.transport.driver import Chunk
from stream.transport.kafka import KafkaTrouble, TopicPartition
from stream.worker.crew import Crew
from stream.worker.service import Service
from stream.worker.take import take

log = logger(__name__)

RECOVERABLE = (LedgerLost, OutboxLost, Superseded, KafkaTrouble)
"""Failures after which nothing in memory is to be trusted, and a new take makes it right."""

CHUNKS_IN_FLIGHT = 2
"""Chunks of one topic-partition between fetch and counters: one being applied, one ready."""

_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 0.25, 10.0


class Life:
    """One assigned partition, from its assignment until it is revoked.

    ``wanted`` is what may be fetched now; the ``take`` it is fetched for tells chunks of an older take apart.
    """

    def __init__(self, crew: Crew, number: int) -> None:
        self._crew = crew
        self.number = number
        self._service: Service | None = None
        self._take: object = None
        self.bytes_in_flight = 0
        self._in_flight: dict[TopicPartition, int] = {}
        self._topics: dict[str, Topic] = {tp.topic: topic for topic, tp in crew.inputs(number).items()}
        self._task = asyncio.create_task(self._live(), name=f"partition {number}")

    def wanted(self) -> Mapping[TopicPartition, object]:
        """Topic-partitions with room for another chunk; none while the partition is being taken."""
        if self._service is None:
            return {}
        return {tp: self._take for tp, chunks in self._in_flight.items() if chunks < CHUNKS_IN_FLIGHT}

    def deliver(self, chunk: Chunk) -> None:
        """A chunk for the present take is on its way."""
        if chunk.take is self._take:
            self._in_flight[TopicPartition(chunk.topic, chunk.partition)] += 1
            self.bytes_in_flight += chunk.size_bytes

    def offer(self, chunk: Chunk, decoded: list[Event | Rejection]) -> None:
        """A chunk has come through its agent; one of an older take is dropped, its records are read again."""
        if self._service is not None and chunk.take is self._take:
            self._service.offer(self._topics[chunk.topic], chunk, decoded)

    async def end(self, within_s: float) -> None:
        """Finish what was applied and write the last checkpoint; after ``within_s`` let go of it as it is."""
        service, self._service = self._service, None
        self._crew.group.hold(self._crew.inputs(self.number).values())
        try:
            if service is None:
                self._task.cancel()
            else:
                await service.finish()
            async with asyncio.timeout(within_s):
                await self._task
        except TimeoutError:
            log.warning(
                "partition not drained in time; what is missing will be replayed", partition=self.number
            )
        except asyncio.CancelledError:
            if not self._task.cancelled():
                raise
        finally:
            self._task.cancel()
            metrics.forget_partition(self.number)

    async def _live(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while True:
            began = time.monotonic()
            try:
                await self._take_and_serve()
                return
            except RECOVERABLE as error:
                log.warning("partition is taken anew", partition=self.number, reason=str(error))
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._crew.crash(error)
                return
            finally:
                self._service, self._take, self.bytes_in_flight = None, None, 0
            if time.monotonic() - began > _LAST_BACKOFF_S:
                backoff_s = _FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, _LAST_BACKOFF_S)

    async def _take_and_serve(self) -> None:
        began = time.monotonic()
        inputs = self._crew.inputs(self.number)
        self._crew.group.hold(inputs.values())
        taken = await take(self._crew, self.number)
        service = Service(self._crew, taken, done=self._done)
        if taken.adopted:
            await service.checkpoint()
        self._in_flight = dict.fromkeys(inputs.values(), 0)
        self._take = object()
        for topic, tp in inputs.items():
            self._crew.group.start_at(tp, taken.state.positions[topic])
        self._service = service
        metrics.observe_take(self.number, time.monotonic() - began)
        await service.run()

    def _done(self, chunk: Chunk) -> None:
        if chunk.take is self._take:
            self._in_flight[TopicPartition(chunk.topic, chunk.partition)] -= 1
            self.bytes_in_flight -= chunk.size_bytes

    async def look_for_ends(self, ends: Mapping[TopicPartition, int], furthest_ms: int) -> None:
        """Tell the state which topics have been read to their ends, looked up after ``furthest_ms``."""
        service = self._service
        lag: dict[Topic, int] = {}
        for topic in TOPICS:
            tp = self._crew.inputs(self.number)[topic]
            if service is None or tp not in ends:
                return
            position = await self._crew.group.position(tp)
            lag[topic] = (
                max(0, ends[tp] - position)
                if self._in_flight[tp] == 0
                else ends[tp] - service.position(topic)
            )
            if self._service is service and position == ends[tp] and self._in_flight[tp] == 0:
                service.caught_up(topic, furthest_ms)
        metrics.set_lag(self.number, lag)

    def subject(self, key: str) -> Subject | None:
        """A subject's state, where it is in memory."""
        return None if self._service is None else self._service.subject(key)

    def furthest(self) -> int | None:
        """The latest arrival of the partition's topics, None while it isn't served."""
        return None if self._service is None else self._service.furthest()
