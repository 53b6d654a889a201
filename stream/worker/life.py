"""The life of a partition on this worker: taken, served, taken anew after a failure, given up at a rebalance."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stream import metrics
from stream.core.rules import Topic
from stream.emit.ledger import LedgerLost
from stream.emit.outbox import OutboxLost
from stream.logs import logger
from stream.settings import in_ms
from stream.store.checkpoint import Superseded
from stream.transport.driver import Chunk
from stream.transport.fetching import Run
from stream.transport.kafka import KafkaTrouble, TopicPartition
from stream.worker.crew import Crew
from stream.worker.flight import ChunkLost
from stream.worker.service import Service
from stream.worker.take import take
from stream.worker.watchdog import Sight, Watchdog

log = logger(__name__)

RECOVERABLE = (ChunkLost, LedgerLost, OutboxLost, Superseded, KafkaTrouble)
"""Failures after which nothing in memory is to be trusted, and a new take makes it right."""

_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 0.25, 10.0


@dataclass(frozen=True, slots=True)
class Ends:
    """Where inputs end: the ``log``, with what is not committed, and what of it is ``committed``."""

    log: Mapping[TopicPartition, int]
    committed: Mapping[TopicPartition, int]


class Life:
    """One assigned partition, from its assignment until it is revoked: taken, served, and again after a failure."""

    def __init__(self, crew: Crew, number: int) -> None:
        self._crew = crew
        self.number = number
        self._inputs = crew.inputs(number)
        self._topics: dict[str, Topic] = {tp.topic: topic for topic, tp in self._inputs.items()}
        self._service: Service | None = None
        names = {topic: f"{tp.topic}/{tp.partition}" for topic, tp in self._inputs.items()}
        self._watchdog = Watchdog(names, in_ms(crew.settings.stall_timeout) / 1000)
        self._ending = False
        self._task = asyncio.create_task(self._live(), name=f"partition {number}")

    # Chunks

    def wanted(self) -> Collection[TopicPartition]:
        """Topic-partitions with room for another chunk; none while the partition is being taken."""
        return [] if self._service is None else self._service.flight.with_room()

    @property
    def bytes_in_flight(self) -> int:
        """Bytes fetched and not yet applied."""
        return 0 if self._service is None else self._service.flight.bytes

    def dispatch(self, tp: TopicPartition, records: Run) -> Chunk | None:
        """Make a chunk of what was fetched for the present take; None while there is none."""
        return None if self._service is None else self._service.flight.set_out(tp, records)

    def offer(self, chunk: Chunk) -> None:
        """A chunk has come through its agent; one of an older take is dropped, its records are read again."""
        if self._service is not None and chunk.flight is self._service.flight:
            self._service.offer(self._topics[chunk.topic], chunk)

    def disturb(self, error: KafkaTrouble) -> None:
        """Have the partition taken anew."""
        if self._service is not None:
            self._service.fail(error)

    def rules_changed(self) -> None:
        """There is a new edition of the rules."""
        if self._service is not None:
            self._service.rules_changed()

    # From assignment to revocation

    async def end(self, within_s: float) -> None:
        """Finish what was applied and write the last checkpoint; after ``within_s`` let go of it as it is."""
        self._ending = True
        service, self._service = self._service, None
        self._crew.group.hold(self._inputs.values())
        try:
            async with asyncio.timeout(within_s):
                if service is None:
                    self._task.cancel()
                else:
                    await service.finish()
                await asyncio.wait([self._task])
        except TimeoutError:
            log.warning("partition not drained in time; the rest will be replayed", partition=self.number)
        finally:
            self._task.cancel()
            metrics.forget_partition(self.number)

    async def _live(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while not self._ending:
            began = time.monotonic()
            try:
                await self._take_and_serve()
                return
            except RECOVERABLE as error:
                log.warning("partition is taken anew", partition=self.number, reason=str(error))
                if not isinstance(error, ChunkLost):  # those may be lost again and again: that is a stall
                    self._watchdog.start_over()
            except asyncio.CancelledError:
                # Nobody cancelled us: a client lost a task of its own. In silence nobody would serve the partition.
                if self._task.cancelling():
                    raise
                log.warning("partition is taken anew", partition=self.number, reason="a client was cancelled")
            except Exception as error:
                self._crew.crash(error)
                return
            finally:
                self._service = None
            if time.monotonic() - began > _LAST_BACKOFF_S:
                backoff_s = _FIRST_BACKOFF_S
            if not self._ending:
                await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, _LAST_BACKOFF_S)

    async def _take_and_serve(self) -> None:
        began = time.monotonic()
        self._crew.group.hold(self._inputs.values())
        service = Service(self._crew, await take(self._crew, self.number))
        try:
            await service.adopt()
            if self._ending:  # a client may have swallowed the cancellation: see service._cancel
                return
            for topic, tp in self._inputs.items():
                self._crew.group.start_at(tp, service.position(topic))
            self._service = service
            metrics.observe_take(self.number, time.monotonic() - began)
            await service.run()
        finally:
            await service.close()

    # What others look at

    async def look(self, ends: Ends, furthest_ms: int, *, reading: bool) -> None:
        """Tell the state which topics have been read to their ``ends``, looked up after ``furthest_ms``, and whether
        any stands still; ``reading`` says that the worker has room for more. Raises ``Stalled``.
        """
        service, lag, sights = self._service, dict[Topic, int](), dict[Topic, Sight]()
        if service is None:
            return
        for topic, tp in self._inputs.items():
            fetched = await self._crew.group.position(tp)
            if self._service is not service:
                return
            service.read_up_to(topic, fetched)
            applied = service.position(topic)
            lag[topic] = max(0, ends.log[tp] - applied)
            if applied == ends.log[tp]:
                service.caught_up(topic, furthest_ms)
            sights[topic] = service.sight(topic, ends.committed[tp], reading=reading)
        metrics.set_lag(self.number, lag)
        service.check_flight()
        metrics.set_stood(self.number, self._watchdog.look(sights, time.monotonic()))

    def furthest(self) -> int | None:
        """The latest arrival of the partition's topics, None while it isn't served."""
        return None if self._service is None else self._service.furthest()
