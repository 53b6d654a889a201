"""The counter table: declared beside the agents, fed by them, living and dying with its partitions.

To agents it is one object to hand chunks to. Behind it every assigned partition has a life of its own, and its state
is durable in Redis; there is no changelog topic.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from mode import Service

from stream import metrics
from stream.errors import BonusError, InputError
from stream.logs import logger
from stream.settings import Settings, in_ms
from stream.transport.driver import Chunk, Consumer
from stream.transport.fetching import Run
from stream.transport.kafka import KafkaTrouble, TopicPartition
from stream.worker.crew import Crew
from stream.worker.life import Ends, Life
from stream.worker.recruit import recruit
from stream.worker.waiting import joined
from stream.worker.watchdog import LOOK_EVERY_S, Stalled

log = logger(__name__)

DRAIN_IN_REBALANCE_S = 5.0
"""How long a rebalance waits for partitions to be drained: the whole group waits with it, and what is missing is
replayed by the next owner."""

LOGS_EVERY_S = 1.0
"""How often it is looked whether the topics are still those of the start, with as many partitions."""


def rebalance_ms(settings: Settings) -> int:
    """How long the group waits for members to bring their partitions to an end and join again."""
    return in_ms(settings.session_timeout) + int(DRAIN_IN_REBALANCE_S * 1000)


class CounterTable(Service):
    """Rolling-window counters of creators and videos, kept in Redis under ``settings.redis``."""

    logger = logging.getLogger("faust.bonus")

    def __init__(
        self, settings: Settings, group: Callable[[], Consumer], crash: Callable[[BaseException], None]
    ) -> None:
        super().__init__()
        self._group, self._crash_app = group, crash
        self._settings = settings
        self._crew: Crew | None = None
        self._lives: dict[int, Life] = {}
        self._assigned = asyncio.Event()

    # What agents do

    def count(self, chunks: Iterable[Chunk]) -> None:
        """Hand chunks to their partitions; what they bring about goes its own way from there."""
        for chunk in chunks:
            life = self._lives.get(chunk.partition)
            if life is not None:
                life.offer(chunk)

    def health(self) -> dict[str, object]:
        """Which partitions are assigned, and which of them are served."""
        served = [number for number, life in self._lives.items() if life.furthest() is not None]
        return {"assigned": sorted(self._lives), "served": sorted(served)}

    # What the transport asks: see transport.driver.Owner

    def acquire(self, partitions: frozenset[int]) -> None:
        assert self._crew is not None
        self._assigned.set()
        log.info("partitions assigned", partitions=sorted(partitions))
        self._lives = {number: Life(self._crew, number) for number in sorted(partitions)}

    async def release(self, *, stopping: bool) -> None:
        lives, self._lives = self._lives, {}
        if not lives:
            return
        drain_s = in_ms(self._settings.drain_timeout) / 1000
        within_s = drain_s if stopping else min(drain_s, DRAIN_IN_REBALANCE_S)
        ends = await asyncio.gather(*(life.end(within_s) for life in lives.values()), return_exceptions=True)
        log.info("partitions given up", partitions=sorted(lives))
        for error in ends:
            if error is not None:
                raise error

    def wanted(self) -> Collection[TopicPartition]:
        return [tp for life in self._lives.values() for tp in life.wanted()] if self._has_room() else []

    def dispatch(self, tp: TopicPartition, records: Run) -> Chunk | None:
        life = self._lives.get(tp.partition)
        return None if life is None else life.dispatch(tp, records)

    def disturb(self, error: Exception) -> None:
        for life in self._lives.values():
            life.disturb(KafkaTrouble(f"fetching failed: {type(error).__name__}: {error}"))

    def _has_room(self) -> bool:
        return self._bytes_in_flight() < self._settings.max_bytes_in_flight

    def _bytes_in_flight(self) -> int:
        return sum(life.bytes_in_flight for life in self._lives.values())

    # Its own life

    async def on_start(self) -> None:
        """Check programmes, topics and connections before the group is joined."""
        self._crew = await recruit(self._settings, self._group(), self._crash_app)

    async def on_stop(self) -> None:
        """Close what the partitions shared; they have been given up before."""
        await self.release(stopping=True)
        if self._crew is not None:
            await self._crew.dismiss()

    @Service.task
    async def _see_it_join(self) -> None:
        settings = self._settings
        # The others bring their partitions to an end first.
        within_s = (in_ms(settings.connect_timeout) + rebalance_ms(settings)) / 1000
        what = f"Kafka at {settings.kafka}: a place in group {settings.group}"
        try:
            await joined(self._group(), self._assigned, within_s, what)
        except BonusError as error:
            self._crash_app(error)

    @Service.task
    async def _follow_rules(self) -> None:
        if self._crew is not None:
            await self._crew.rules.follow(self._rules_changed)

    def _rules_changed(self) -> None:
        for life in self._lives.values():
            life.rules_changed()

    @Service.task
    async def _watch_folder(self) -> None:
        if self._crew is not None:
            await self._crew.rules.watch_folder()

    @Service.task
    async def _look_at_logs(self) -> None:
        while not self.should_stop:
            await self.sleep(LOGS_EVERY_S)
            try:
                if self._crew is not None:
                    await self._crew.logs.confirm()
            except KafkaTrouble as error:
                if not self.should_stop:  # its connection is closed under it at the end
                    log.warning("topics not looked at", reason=str(error))
            except InputError as error:
                self._crash_app(error)

    @Service.task
    async def _look_for_ends(self) -> None:
        """For lag, for topics that have gone quiet, and for partitions that stand still."""
        while not self.should_stop:
            await self.sleep(LOOK_EVERY_S)
            metrics.set_bytes_in_flight(self._bytes_in_flight())
            served = {life: at for life in self._lives.values() if (at := life.furthest()) is not None}
            if self._crew is None or not served:
                continue
            inputs = [tp for life in served for tp in self._crew.inputs(life.number).values()]
            try:
                log_ends = self._crew.log_ends
                ends = Ends(await log_ends.ends(inputs), await log_ends.committed_ends(inputs))
                reading = self._has_room()
                for life, furthest_ms in served.items():
                    await life.look(ends, furthest_ms, reading=reading)
            except KafkaTrouble as error:
                log.warning("ends not looked up", reason=str(error))
            except Stalled as error:
                self._crash_app(error)
                return
