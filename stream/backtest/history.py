"""The topics' history in Kafka: where it begins and ends, and the four topics of a partition read in step.

A bystander reads: no group, nothing committed, no topic made (one that is missing is never asked for by its name).
The ends are those at the start. They are the uncommitted ones: what was in a transaction then belongs to the history
once that is committed, so a transaction that is still open is waited for, and said.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, OffsetOutOfRangeError

from stream import access
from stream.backtest.stepping import Feed, take_next
from stream.closing import stop
from stream.core.rules import TOPICS, Topic
from stream.errors import BonusError, InputError, Unreachable
from stream.settings import KafkaSettings, in_ms
from stream.transport.fetching import Record, in_runs

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
    """Consecutive records of one topic, and the log that they lie in.

    What follows arrives at ``floor_ms`` or later, in whichever topic. ``done`` counts the offsets that lie behind.
    """

    topic: Topic
    log: TopicPartition
    records: Sequence[Record]
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
            f"These topics don't exist at {settings.kafka}: {', '.join(missing)}. Is the topic prefix right? "
            "If they do exist, this user has no right on them."
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


async def read(
    settings: KafkaSettings, number: int, spans: Spans, say: Callable[[str], None]
) -> AsyncIterator[Run]:
    """The history of one partition, its topics in step.

    ``say`` is told what is waited for.

    Raises:
        InputError: Kafka deleted records of the history before they were read.
        Unreachable: Kafka is not to be reached any more.
    """
    feeds = [Feed(topic, *spans[topic]) for topic in TOPICS]
    size = sum(feed.left for feed in feeds)
    if size == 0:
        return
    tps = {feed.topic: TopicPartition(settings.topic(feed.topic), number) for feed in feeds}
    with _told(settings):
        async with _reading(settings) as consumer:
            consumer.assign(list(tps.values()))
            for feed in feeds:
                consumer.seek(tps[feed.topic], feed.position)
            while True:
                await _fill(consumer, feeds, tps, say)
                if all(feed.over for feed in feeds):
                    return
                feed, records = take_next(feeds)
                done = size - sum(each.left for each in feeds)
                yield Run(feed.topic, tps[feed.topic], records, feed.floor_ms, done)


async def _fill(
    consumer: AIOKafkaConsumer,
    feeds: Sequence[Feed],
    tps: Mapping[Topic, TopicPartition],
    say: Callable[[str], None],
) -> None:
    """Return when every feed that is not over has a record: which comes first can't be told before."""
    polls = 0
    while empty := [feed for feed in feeds if feed.empty and not feed.over]:
        wanted = {feed.topic: tps[feed.topic] for feed in empty}
        fetched = await consumer.getmany(*wanted.values(), timeout_ms=_POLL_MS)
        moved = False
        for feed in empty:
            before, tp = feed.position, wanted[feed.topic]
            feed.fill(fetched.get(tp, []), await consumer.position(tp))
            moved |= feed.position > before
        polls = 0 if moved else polls + 1
        if polls and polls % _STALLED_POLLS == 0:
            # Raises where the broker is gone: a fetch alone would go on trying for ever, without a word.
            await consumer.beginning_offsets(list(wanted.values()))
            say(_waiting(empty, tps))


def _waiting(empty: Sequence[Feed], tps: Mapping[Topic, TopicPartition]) -> str:
    held = (
        f"{tps[feed.topic].topic}/{tps[feed.topic].partition} can be read to {feed.position} of {feed.end}"
        for feed in empty
    )
    return f"Waiting: {', '.join(held)}; an open transaction holds it back."


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
        value_deserializer=in_runs,
    )
    try:
        await _start(consumer, settings)
        yield consumer
    finally:
        await stop(consumer)


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
        await _start(consumer, settings)
        await admin.start()
        yield consumer, admin
    finally:
        await stop(consumer)
        await admin.close()


async def _start(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> None:
    within_s, options = in_ms(settings.connect_timeout) / 1000, settings.kafka_options()

    async def start() -> None:
        async with asyncio.timeout(within_s):
            await consumer.start()

    await access.connect(start, options, within_s=within_s, every_s=_RECONNECT_S)


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
            f"Kafka at {settings.kafka} could not be reached any more, or did not answer."
        ) from error
    except KafkaError as error:
        lack = access.forbidden(error, "Read")
        if lack is not None:
            raise lack from error
        kind = Unreachable if error.retriable else InputError
        raise kind(f"Kafka at {settings.kafka} refused: {error}.") from error
