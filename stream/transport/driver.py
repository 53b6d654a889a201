"""A Faust transport that hands whole fetched chunks to the agents, those of a topic in one Faust message.

Faust's topics, streams and agents stay as its users know them; its own Kafka driver, with commits, gap tracking,
seeks and a message a record, is not in it. The consumer group's member is a plain ``AIOKafkaConsumer`` that this
module owns. What it fetches, from where, and what is committed is decided by the ``Owner`` of the partitions.

What is not obvious (faust-streaming 0.15.3, aiokafka 0.14):

- ``consumer_generation_id`` must be set before Faust is told of an assignment, otherwise its recovery waits for
  another rebalance and never starts the fetcher.
- aiokafka and Faust swallow exceptions of rebalance callbacks; here they end the process.
- A poll must happen within ``max_poll_interval`` even when nothing is wanted, or aiokafka leaves the group.
- Streams skip messages of an older generation. That is right: their partitions are taken anew, and read again.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.exceptions import ConsumerNotStarted
from faust.transport import base, consumer, drivers, producer
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from stream.access import forbidden
from stream.closing import stop
from stream.errors import BonusError
from stream.transport.assignor import CoPartitionAssignor
from stream.transport.fetching import RUN, Run, in_runs
from stream.transport.kafka import KafkaTrouble, trouble
from stream.transport.membership import look_after

SCHEME = "bonus"
"""The broker URL scheme under which Faust finds this transport: ``bonus://host:port``."""

_NOTHING = TopicPartition("", 0)
_IDLE_POLL_MS = 100
_BUSY_POLL_MS = 10
_TROUBLE_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Records of one topic-partition as they were fetched, in offset order: the ``number``-th of a ``flight``."""

    topic: str
    partition: int
    records: Run
    size_bytes: int
    number: int
    flight: object


class Owner(Protocol):
    """Who owns the assigned partitions: takes them, says what to fetch, and gives them up."""

    def acquire(self, partitions: frozenset[int]) -> None:
        """These partitions are now this worker's, and no others. Returns at once; taking goes on behind."""

    async def release(self, *, stopping: bool) -> None:
        """All partitions are about to be lost: bring them to an end, within a bounded time."""

    def wanted(self) -> Collection[TopicPartition]:
        """What may be fetched now."""

    def dispatch(self, tp: TopicPartition, records: Run) -> Chunk | None:
        """Make a chunk of what was fetched; None where its partition isn't served and will be sought anew."""

    def disturb(self, error: Exception) -> None:
        """Fetching failed, and records may have been lost with it: every partition must be taken anew."""


class Transport(base.Transport):
    """The transport's factory. ``owner`` and ``options`` are set by the composition root before the app starts.

    ``options`` are keyword arguments of ``AIOKafkaConsumer``: address, group, security, time-outs.
    """

    owner: Owner
    options: Mapping[str, object]
    driver_version = "bonus"


class Consumer(consumer.Consumer):
    """The member of the consumer group, as a Faust consumer."""

    logger = logging.getLogger("faust.bonus")
    transport: Transport
    kafka: AIOKafkaConsumer | None = None

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group with these topics."""
        if self.kafka is None:
            self.kafka = AIOKafkaConsumer(
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                partition_assignment_strategy=(CoPartitionAssignor,),
                value_deserializer=in_runs,
                **self.transport.options,
            )
            with trouble("connecting to Kafka"):
                await self.kafka.start()
            look_after(self.kafka._coordinator, self._end_with)
        self.kafka.subscribe(sorted(topics), listener=_Rebalance(self))

    def _end_with(self, error: BonusError) -> None:
        self._ending = asyncio.ensure_future(self.app.crash(error))

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch what is wanted and hand it to the agents, until stopped."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                for chunks in _by_topic(await self._fetch()):
                    await self.can_resume_flow.wait()  # a stream would drop them
                    await self.app.flow_control.acquire()
                    await self.callback(self._message(chunks))
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            # During a rebalance Faust takes it for a crash, also where it stops itself.
            if not fetcher.should_stop:
                raise

    async def _fetch(self) -> list[Chunk]:
        """The next chunks, of the takes that are current when they come out of the client.

        A fetch may span a rebalance: what it returns then was fetched for the new takes. Nothing runs between the
        client's giving records out and their becoming chunks, and a take's seek discards what was fetched before it.
        """
        owner, kafka = self.transport.owner, self._kafka()
        _check_tasks(kafka)
        wanted = owner.wanted()
        idle = bool(wanted) and len(wanted) == len(self.assignment())
        timeout_ms = _IDLE_POLL_MS if idle else _BUSY_POLL_MS
        try:
            fetched = await kafka.getmany(*(wanted or (_NOTHING,)), timeout_ms=timeout_ms, max_records=RUN)
        except ConsumerStoppedError:
            return []
        except KafkaError as error:
            lack = forbidden(error, "Read")
            if lack is not None:
                raise lack from error
            owner.disturb(error)
            await asyncio.sleep(_TROUBLE_S)
            return []
        chunks = [owner.dispatch(tp, run) for tp, run in fetched.items()]
        return [chunk for chunk in chunks if chunk is not None]

    def _message(self, chunks: Sequence[Chunk]) -> ConsumerMessage:
        """Chunks of one topic as a message, which Faust takes for one of the last chunk's partition."""
        last = chunks[-1].records[-1]
        return ConsumerMessage(
            chunks[-1].topic,
            chunks[-1].partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            cast(bytes, chunks),  # what a raw topic hands on as it is
            None,
            generation_id=self.app.consumer_generation_id,
        )

    # What the owner asks of the group

    def put_off(self) -> KafkaTrouble | None:
        """Why aiokafka has put off joining the group, where it has since this was asked last.

        It keeps a failure until somebody polls, and does nothing more before; nobody polls until there is a first
        assignment. Asking has it try again. Raises ``KafkaTrouble`` where it never will, ``InputError`` where a
        right is missing.
        """
        if self.kafka is None or self.kafka._coordinator is None:
            return None
        _check_tasks(self.kafka)
        try:
            with trouble("joining the group"):
                self.kafka._coordinator.check_errors()
        except KafkaTrouble as error:
            return error
        return None

    async def commit_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit for this member and generation; raises ``GroupMovedOn`` where another is the group's."""
        with trouble("committing offsets"):
            await self._kafka().commit(dict(offsets))

    async def position(self, tp: TopicPartition) -> int:
        """The next offset that would be handed out."""
        with trouble(f"asking for the position in {tp.topic}/{tp.partition}"):
            return int(await self._kafka().position(tp))

    def start_at(self, tp: TopicPartition, offset: int) -> None:
        """Fetch from ``offset`` on, also from 0: nothing is left to a reset policy."""
        kafka = self._kafka()
        with trouble(f"seeking in {tp.topic}/{tp.partition}"):
            kafka.seek(tp, offset)
            kafka.resume(tp)

    def hold(self, tps: Iterable[TopicPartition]) -> None:
        """Stop fetching these."""
        kafka = self._kafka()
        kafka.pause(*(tp for tp in tps if tp in kafka.assignment()))

    def _kafka(self) -> AIOKafkaConsumer:
        if self.kafka is None:
            raise ConsumerNotStarted("the consumer has not been started")
        return self.kafka

    # What Faust asks of a consumer

    def assignment(self) -> set[TP]:
        return set() if self.kafka is None else {TP(*tp) for tp in self.kafka.assignment()}

    def topic_partitions(self, topic: str) -> int | None:
        found = None if self.kafka is None else self.kafka.partitions_for_topic(topic)
        return None if found is None else len(found)

    def highwater(self, tp: TP) -> int:
        return int(self._kafka().highwater(tp) or 0)

    async def on_stop(self) -> None:
        """Give the partitions up in order, then leave the group."""
        await self.transport.owner.release(stopping=True)
        if self.kafka is not None:
            await stop(self.kafka)

    async def commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:
        return True  # Faust's own commits: offsets are committed by the owner, after each checkpoint

    async def perform_seek(self) -> None: ...

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return {}

    async def verify_all_partitions_active(self) -> None: ...

    # What only Faust's own tables, changelogs and message loop would ask: they have no part in this transport

    def _foreign(self, *_: object, **__: object) -> Any:
        raise NotImplementedError(
            "this transport serves chunks to agents, not Faust's own tables and commits"
        )

    _commit = _seek = _getmany = _to_message = _new_topicpartition = _foreign
    create_topic = earliest_offsets = highwaters = key_partition = seek_wait = _foreign


def _by_topic(chunks: Iterable[Chunk]) -> Collection[Sequence[Chunk]]:
    found = dict[str, list[Chunk]]()
    for chunk in chunks:
        found.setdefault(chunk.topic, []).append(chunk)
    return found.values()


def _check_tasks(kafka: AIOKafkaConsumer) -> None:
    """Raise ``KafkaTrouble`` where a task of the client has died: it never starts one again, and goes on without."""
    tasks = {"fetching": kafka._fetcher.error_future, "coordinating": kafka._coordinator._coordination_task}
    for doing, task in tasks.items():
        if task.done() and not kafka._closed:
            raise KafkaTrouble(f"aiokafka stopped {doing}: {task!r}")


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Brings a rebalance to Faust and to the owner, in the order that both need."""

    def __init__(self, member: Consumer) -> None:
        self.member = member

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        app = self.member.app
        try:
            app.on_rebalance_start()
            await self.member.transport.owner.release(stopping=False)
            await self.member.on_partitions_revoked({TP(*tp) for tp in revoked})
        except Exception as exc:
            await app.crash(exc)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        member, app = self.member, self.member.app
        try:
            member.hold(assigned)
            generation = member._kafka()._coordinator.generation
            app.consumer_generation_id = generation
            await member.on_partitions_assigned({TP(*tp) for tp in assigned}, generation)
            if not app.should_stop:
                member.transport.owner.acquire(whole_partitions(assigned))
        except Exception as exc:
            await app.crash(exc)


def whole_partitions(assigned: Iterable[TopicPartition]) -> frozenset[int]:
    """The partition numbers of an assignment; raises where a number's topics were split over workers."""
    topics: dict[int, set[str]] = {}
    for topic, partition in assigned:
        topics.setdefault(partition, set()).add(topic)
    split = [number for number, owned in topics.items() if owned != set.union(*topics.values())]
    if split:
        raise RuntimeError(
            f"partitions {sorted(split)} were assigned without all of their topics: "
            "every member of the consumer group must run this worker"
        )
    return frozenset(topics)


class Producer(producer.Producer):
    """Faust's own producer: nothing is sent through it, so it starts nothing."""


Transport.Consumer = Consumer
Transport.Producer = Producer
drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
