"""The topics' history in Kafka: where it begins and ends, and the four topics of a partition read in step.

A bystander reads: no group, nothing committed, no topic made (one that is missing is never asked for by its name).
The ends are those at the start. They are the uncommitted ones: what was in a transaction then belongs to the history
once that is committed, so a transaction that is still open is waited for, and said.

```
slice         |  0   |  1   |  2   |       arrival, cut into slices of a minute
views[p]      | a b  | c    |  d   |
likes[p]      | e    |      | f g  |       read: a b e  c  d f g
```
Slices make long runs of one topic, which is what is fast. For a tier over one topic the order between topics
does not matter; for others it makes what is seen first the same in every run.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, OffsetOutOfRangeError

from stream.core.intake import NO_ARRIVAL
from stream.core.rules import TOPICS, Topic
from stream.errors import BonusError, InputError, Unreachable
from stream.settings import KafkaSettings, in_ms

SLICE_MS = 60_000
RUN_RECORDS = 5_000
"""The most records of a run."""

_FETCH_BYTES = 2 << 20
_POLL_MS = 500
_STALLED_POLLS = 20
_RECONNECT_S = 0.5


class Span(NamedTuple):
    """Offsets ``[start, end)`` of one topic-partition."""

    start: int
    end: int


Spans = Mapping[Topic, Span]


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: from Kafka timestamps, or offsets by ``topic/partition``, to Kafka timestamps.

    ``None`` is from the beginning, and to the end. A topic-partition that offsets don't name starts at its beginning.
    """

    from_ms: int | None = None
    from_offsets: Mapping[str, int] = field(default_factory=dict)
    to_ms: int | None = None

    def __str__(self) -> str:
        if self.from_ms is not None:
            start = f"from {_written(self.from_ms)}"
        elif self.from_offsets:
            start = "from " + ", ".join(f"{place}/{offset}" for place, offset in self.from_offsets.items())
        else:
            start = "from their beginning"
        return f"{start} to {'their end at the start' if self.to_ms is None else _written(self.to_ms)}"


def _written(time_ms: int) -> str:
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


@dataclass(frozen=True, slots=True)
class History:
    """What there is to read, by partition, in which cluster."""

    cluster: str
    spans: tuple[Mapping[Topic, Span], ...]

    def size(self, number: int) -> int:
        """How many offsets of a partition there are to read, all topics together."""
        return sum(span.end - span.start for span in self.spans[number].values())


class Run(NamedTuple):
    """Consecutive records of one topic.

    What follows arrives at ``floor_ms`` or later, in whichever topic. ``done`` counts the offsets that lie behind.
    """

    topic: Topic
    records: Sequence[ConsumerRecord]
    floor_ms: int
    done: int


async def survey(settings: KafkaSettings, wanted: Range) -> History:
    """Find out what there is to read.

    Raises:
        InputError: a topic is missing, partition counts differ, or offsets lie outside of the log.
        Unreachable: Kafka could not be reached within ``connect_timeout``.
    """
    with _told(settings):
        async with _asking(settings) as (consumer, admin):
            cluster = str((await admin.describe_cluster()).get("cluster_id") or "")
            # All topics of the cluster: naming one may make it.
            topics = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics()}
            partitions = _partitions(settings, topics)
            tps = [TopicPartition(settings.topic(topic), n) for n in range(partitions) for topic in TOPICS]
            found = await _spans(consumer, tps, wanted)
    return History(
        cluster,
        tuple(
            {topic: found[TopicPartition(settings.topic(topic), number)] for topic in TOPICS}
            for number in range(partitions)
        ),
    )


def _partitions(settings: KafkaSettings, topics: Mapping[str, int]) -> int:
    names = [settings.topic(topic) for topic in TOPICS]
    missing = [name for name in names if name not in topics]
    if missing:
        raise InputError(
            f"These topics don't exist at {settings.kafka}: {', '.join(missing)}. Is the topic prefix right?"
        )
    counts = {topics[name] for name in names}
    if len(counts) > 1:
        told = ", ".join(f"{name} {topics[name]}" for name in names)
        raise InputError(
            f"Partition counts differ ({told}), but a creator must have the same partition in all topics."
        )
    return counts.pop()


async def _spans(
    consumer: AIOKafkaConsumer, tps: list[TopicPartition], wanted: Range
) -> dict[TopicPartition, Span]:
    firsts = await consumer.beginning_offsets(tps)
    lasts = await consumer.end_offsets(tps)
    starts = dict(firsts)
    if wanted.from_ms is not None:
        starts = await _at(consumer, wanted.from_ms, lasts)
    for name, offset in wanted.from_offsets.items():
        tp = next((tp for tp in tps if f"{tp.topic}/{tp.partition}" == name), None)
        if tp is None:
            raise InputError(f"--from names {name}, which is no partition of the four input topics.")
        if not firsts[tp] <= offset <= lasts[tp]:
            raise InputError(f"--from {name}/{offset} lies outside of the log, {firsts[tp]} to {lasts[tp]}.")
        starts[tp] = offset
    ends = lasts if wanted.to_ms is None else await _at(consumer, wanted.to_ms, lasts)
    return {tp: Span(starts[tp], max(starts[tp], ends[tp])) for tp in tps}


async def _at(
    consumer: AIOKafkaConsumer, time_ms: int, lasts: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """The first offset of a record with that timestamp or a later one; the end where there is none."""
    found = await consumer.offsets_for_times(dict.fromkeys(lasts, time_ms))
    return {tp: last if found[tp] is None else min(found[tp].offset, last) for tp, last in lasts.items()}


@dataclass(slots=True)
class _Feed:
    """One topic-partition while it is read: fetched records from index ``next`` on, and the arrival so far."""

    topic: Topic
    rank: int
    tp: TopicPartition
    position: int
    end: int
    records: list[ConsumerRecord] = field(default_factory=list)
    next: int = 0
    arrival: int = NO_ARRIVAL

    @property
    def open(self) -> bool:
        return self.next < len(self.records) or self.position < self.end

    @property
    def place(self) -> tuple[int, int]:
        """Where the next record stands among those of all topics."""
        return max(self.arrival, self.records[self.next].timestamp) // SLICE_MS, self.rank

    def take(self, stop: tuple[int, int] | None) -> list[ConsumerRecord]:
        """The records before ``stop``, the place of another topic; at least one, and not too many."""
        first = self.next
        last = min(len(self.records), first + RUN_RECORDS)
        before = None if stop is None else stop[0] + (self.rank < stop[1])
        while self.next < last:
            arrival = max(self.arrival, self.records[self.next].timestamp)
            if before is not None and arrival // SLICE_MS >= before:
                break
            self.arrival = arrival
            self.next += 1
        return self.records[first : self.next]

    def left(self) -> int:
        """How many offsets have not been taken."""
        return (
            self.end - self.records[self.next].offset
            if self.next < len(self.records)
            else self.end - self.position
        )


async def read(
    settings: KafkaSettings, number: int, spans: Spans, say: Callable[[str], None]
) -> AsyncIterator[Run]:
    """The history of one partition, its topics in step.

    ``say`` is told what is waited for.

    Raises:
        InputError: Kafka deleted records of the history before they were read.
        Unreachable: Kafka is not to be reached any more.
    """
    feeds = [
        _Feed(
            topic, rank, TopicPartition(settings.topic(topic), number), spans[topic].start, spans[topic].end
        )
        for rank, topic in enumerate(TOPICS)
    ]
    size = sum(feed.end - feed.position for feed in feeds)
    if size == 0:
        return
    with _told(settings):
        async with _reading(settings) as consumer:
            consumer.assign([feed.tp for feed in feeds])
            for feed in feeds:
                consumer.seek(feed.tp, feed.position)
            while feeds := [feed for feed in feeds if feed.open]:
                await _fill(consumer, feeds, say)
                ready = sorted((feed for feed in feeds if feed.open), key=lambda feed: feed.place)
                if ready:
                    records = ready[0].take(ready[1].place if len(ready) > 1 else None)
                    left = sum(feed.left() for feed in ready)
                    yield Run(ready[0].topic, records, ready[0].arrival // SLICE_MS * SLICE_MS, size - left)


async def _fill(consumer: AIOKafkaConsumer, feeds: list[_Feed], say: Callable[[str], None]) -> None:
    """Return when every feed that is not at its end has a record: which comes first can't be told before."""
    polls = 0
    while empty := [feed for feed in feeds if feed.next == len(feed.records) and feed.position < feed.end]:
        fetched = await consumer.getmany(*(feed.tp for feed in empty), timeout_ms=_POLL_MS)
        moved = False
        for feed in empty:
            feed.records, feed.next = fetched.get(feed.tp, []), 0
            while feed.records and feed.records[-1].offset >= feed.end:
                feed.records.pop()
            position = min(await consumer.position(feed.tp), feed.end)
            moved |= position > feed.position
            feed.position = position
        polls = 0 if moved else polls + 1
        if polls and polls % _STALLED_POLLS == 0:
            # Raises where the broker is gone: a fetch alone would go on trying for ever, without a word.
            await consumer.beginning_offsets([feed.tp for feed in empty])
            say(f"waiting: {', '.join(map(_held, empty))}; an open transaction holds it back")


def _held(feed: _Feed) -> str:
    return f"{feed.tp.topic}/{feed.tp.partition} can be read to {feed.position} of {feed.end}"


@asynccontextmanager
async def _reading(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of committed records that belongs to no group and commits nothing."""
    consumer = AIOKafkaConsumer(
        **settings.consumer_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        await _start(consumer, in_ms(settings.connect_timeout) / 1000)
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def _asking(settings: KafkaSettings) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaAdminClient]]:
    """Clients that look up offsets and topics."""
    consumer = AIOKafkaConsumer(
        **settings.kafka_options(),
        group_id=None,
        auto_offset_reset="none",
        isolation_level="read_uncommitted",
    )
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    try:
        await _start(consumer, in_ms(settings.connect_timeout) / 1000)
        await admin.start()
        yield consumer, admin
    finally:
        await consumer.stop()
        await admin.close()


async def _start(consumer: AIOKafkaConsumer, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            async with asyncio.timeout(within_s):
                await consumer.start()
                return
        except KafkaConnectionError:
            if time.monotonic() + _RECONNECT_S > deadline:
                raise
            await asyncio.sleep(_RECONNECT_S)


@contextmanager
def _told(settings: KafkaSettings) -> Iterator[None]:
    """Tell Kafka's failures in our words."""
    try:
        yield
    except BonusError:
        raise
    except OffsetOutOfRangeError as error:
        raise InputError(
            "Kafka deleted records of the history before they were read (retention): start later, with --from."
        ) from error
    except (KafkaConnectionError, OSError, TimeoutError) as error:
        raise Unreachable(
            f"Kafka at {settings.kafka} could not be reached: {error or 'no answer'}."
        ) from error
    except KafkaError as error:
        refusal = Unreachable if error.retriable else InputError
        raise refusal(f"Kafka at {settings.kafka} refused: {type(error).__name__}: {error}.") from error
