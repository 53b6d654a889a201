"""A group's life over a move: what was counted before and after, and what must have been paid in all."""

import asyncio
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import redis
from aiokafka import ConsumerRecord
from aiokafka.admin import NewPartitions
from rich.console import Console

from schemas import bonuses as wire
from schemas.decode import decode
from schemas.placement import partition_of
from stream.core.outcome import Bonus, Event, Rejection
from stream.core.rules import TOPICS, Limits, Program, Topic
from stream.migrate import Move, Moved, Progress, Side, Terms
from stream.migrate import migrate as move_state
from stream.settings import KafkaSettings
from tests import model
from tests.kafka.expected import tiers_over_one_topic
from tests.kafka.logs_of import Logs, admin_of, read
from tests.kafka.servers import Kafka
from tests.kafka.traffic import Sender, Sent
from tests.kafka.workers import Fleet, Worker


@dataclass
class Ended:
    """How a command ended."""

    code: int
    said: str
    complained: str


async def command(source: Fleet, target: Fleet, *options: str) -> Ended:
    """Run `bonus migrate` from one group to another."""
    words = [sys.executable, "-m", "stream.cli.main", "migrate", "--to-group", target.group]
    words += ["--to-kafka", target.kafka.bootstrap, "--to-topic-prefix", target.kafka.prefix]
    words += ["--to-redis", target.redis_url, *options]
    process = await asyncio.create_subprocess_exec(
        *words, env=source.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said, complained = await process.communicate()
    return Ended(process.returncode or 0, said.decode(), complained.decode())


def side(fleet: Fleet) -> Side:
    """A fleet as a side of a move."""
    kafka = KafkaSettings(kafka=fleet.kafka.bootstrap, topic_prefix=fleet.kafka.prefix)
    return Side(kafka, fleet.redis_url, fleet.group)


async def moved(source: Fleet, target: Fleet, terms: Terms | None = None) -> Moved:
    """Move, as the command does."""
    progress = Progress(Console(file=io.StringIO()))
    return await move_state(Move(side(source), side(target), terms or Terms()), progress)


async def add_partitions(kafka: Kafka, topics: Iterable[str], count: int) -> None:
    """What an operator does who wants more throughput; returns once the broker tells of it."""
    names = [kafka.prefix + topic for topic in topics]
    async with admin_of(kafka.bootstrap) as admin:
        await admin.create_partitions({name: NewPartitions(total_count=count) for name in names})
        async with asyncio.timeout(10):
            while any(len(topic["partitions"]) < count for topic in await admin.describe_topics(names)):
                pass


async def count_all(fleet: Fleet) -> None:
    """Have a worker count all that there is, and stop in order."""
    worker = await fleet.start()
    await fleet.settled()
    await stop(worker)


async def stop(worker: Worker) -> None:
    """Have a worker stop in order."""
    worker.terminate()
    assert await worker.ended() == 0, str(worker)


def keys_of(fleet: Fleet) -> dict[bytes, object]:
    """All that Redis holds of a group. Not by DUMP: it compresses equal values in different ways."""
    with redis.Redis.from_url(fleet.redis_url) as client:
        return {key: _value_of(client, key) for key in client.scan_iter(f"{{{fleet.group}:*")}


def _value_of(client: redis.Redis, key: bytes) -> object:
    return client.zrange(key, 0, -1, withscores=True) if client.type(key) == b"zset" else client.hgetall(key)


async def inputs_of(fleet: Fleet) -> Logs:
    """The four inputs as they are."""
    return await read(fleet.kafka.bootstrap, *(fleet.kafka.prefix + topic for topic in TOPICS))


def since(logs: Logs, before: Logs) -> Logs:
    """What came to the logs later."""
    return {tp: records[len(before.get(tp, [])) :] for tp, records in logs.items()}


async def send_again(fleet: Fleet, prefix: str, logs: Logs, last: int) -> None:
    """Send the last so many records of each log once more, as producers do that heard no acknowledgement."""
    sender = Sender(fleet.kafka.bootstrap, fleet.kafka.prefix)
    for tp, records in logs.items():
        for record in records[-last:]:
            key = None if record.key is None else record.key.decode()
            sender.send(Sent(tp.topic.removeprefix(prefix), record.value, key))
    await sender.flush()


async def assert_paid_once(
    source: Fleet, target: Fleet, before: Logs, after: Logs, partitions: tuple[int, int], *, at_least: int
) -> None:
    """The bonuses of both groups together are those of the whole life, each once, by the brute-force model."""
    programs = target.rules()
    expected = of_model(before, after, (source.kafka.prefix, target.kafka.prefix), partitions, programs)
    ledgers = {(fleet.kafka.bootstrap, fleet.kafka.prefix + "bonuses") for fleet in (source, target)}
    found = [record for ledger in ledgers for records in (await read(*ledger)).values() for record in records]
    times = Counter(json.loads(record.value)["bonus_id"] for record in found)
    missing, false = expected.keys() - times.keys(), times.keys() - expected.keys()
    doubled = {bonus_id: count for bonus_id, count in times.items() if count > 1}
    assert (set(), set(), {}) == (missing, false, doubled), f"of {len(expected)}"
    assert len(expected) >= at_least
    assert_content(expected, found, programs)


def assert_content(
    expected: dict[str, Bonus], found: Iterable[ConsumerRecord], programs: Iterable[Program]
) -> None:
    """Each bonus of a tier over one topic is as it must be, but for the place of its evidence."""
    whole = dict(tiers_over_one_topic(programs))
    for record in found:
        shown = json.loads(record.value)
        bonus = expected[shown["bonus_id"]]
        if whole[bonus.program, bonus.tier]:
            wanted = json.loads(wire.encode(bonus))
            assert wanted["evidence"]["event_id"] == shown["evidence"]["event_id"]
            assert wanted | {"evidence": None} == shown | {"evidence": None}


def of_model(
    before: Logs,
    after: Logs,
    prefixes: tuple[str, str],
    partitions: tuple[int, int],
    programs: Iterable[Program],
) -> dict[str, Bonus]:
    """What the model makes of a log in which every creator was where the move brought it from the beginning."""
    old, new = (
        dict(_by_topic(logs, prefix, count))
        for logs, prefix, count in zip((before, after), prefixes, partitions, strict=True)
    )
    rules, found = tuple(programs), dict[str, Bonus]()
    for number in range(partitions[1]):
        records = [
            model.Record(topic, number, offset, timestamp, event)
            for topic in TOPICS
            for offset, (timestamp, event) in enumerate(
                (timestamp, event)
                for timestamp, event in [*sorted(old[topic], key=lambda each: each[0]), *new[topic]]
                if partition_of(event.creator_id, partitions[1]) == number
            )
        ]
        found |= model.bonuses(rules, records, Limits())
    return found


Counted = list[tuple[int, Event]]


def _by_topic(logs: Logs, prefix: str, partitions: int) -> Iterator[tuple[Topic, Counted]]:
    """The events that are well formed, with their timestamps."""
    for topic in TOPICS:
        events: Counted = []
        for tp, records in sorted(logs.items()):
            if tp.topic == prefix + topic:
                for record in records:
                    decoded = decode(record.value, topic, tp.partition, partitions)
                    if not isinstance(decoded, Rejection):
                        events.append((record.timestamp, decoded))
        yield topic, events
