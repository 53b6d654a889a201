"""What must be in `bonuses`, `rejected` and `late`: computed from the four logs as they lie in Kafka, by the engine.

The engine is held to the brute-force model by tests/laws; tests/chaos holds workers under fire to the model itself.
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import ConsumerRecord, TopicPartition

from schemas import bonuses as wire
from schemas.decode import decode
from schemas.rejections import destination
from stream.core.outcome import Bonus, Rejection
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Program, Topic, topic_of
from stream.programs.load import load
from stream.topics import RELAYS
from tests import model
from tests.kafka import logs_of
from tests.kafka.logs_of import Logs

Origin = tuple[str, int, int]
"""Topic, partition and offset of an input's record."""


@dataclass
class Expected:
    """Bonuses by id, and the records that are turned away by where they lie."""

    bonuses: dict[str, Bonus] = field(default_factory=dict)
    turned_away: dict[Origin, tuple[ConsumerRecord, Rejection]] = field(default_factory=dict)


def of_logs(logs: Logs, prefix: str, programs: Iterable[Program]) -> Expected:
    """What the engine makes of the logs, topic by topic."""
    plan, expected = Plan(tuple(programs)), Expected()
    for number, topics in _by_partition(logs, prefix):
        partition = Partition(number, plan, Limits())
        for topic, records in topics.items():
            outcome = partition.apply(
                topic,
                [record.offset for record in records],
                [record.timestamp for record in records],
                [decode(record.value, topic, number, _partitions(logs)) for record in records],
            )
            expected.bonuses |= {bonus.bonus_id: bonus for bonus in outcome.bonuses}
            for index, rejection in outcome.turned_away:
                record = records[index]
                expected.turned_away[(record.topic, number, record.offset)] = record, rejection
    return expected


def of_model(
    logs: Logs, prefix: str, programs: Iterable[Program], partitions: Container[int] | None = None
) -> dict[str, Bonus]:
    """What the brute-force model makes of the logs, or of those of some partitions."""
    rules, found = tuple(programs), dict[str, Bonus]()
    for number, topics in _by_partition(logs, prefix):
        if partitions is not None and number not in partitions:
            continue
        records = [
            model.Record(
                topic,
                number,
                record.offset,
                record.timestamp,
                decode(record.value, topic, number, _partitions(logs)),
            )
            for topic, held in topics.items()
            for record in held
        ]
        found |= model.bonuses(rules, records, Limits())
    return found


async def assert_exact(bootstrap: str, prefix: str, folder: Path, *, at_least: int = 1) -> Expected:
    """Every bonus of the logs is in `bonuses` once and none besides, each as it must be; every record that can't be
    accepted is in `rejected` or `late`, and no other. Returns what was expected.

    ``at_least`` so many bonuses must have been due: a log that pays nothing shows nothing.
    """
    programs = load(folder).programs
    logs = await logs_of.read(bootstrap, *(prefix + topic for topic in TOPICS))
    expected = of_logs(logs, prefix, programs)
    found = await logs_of.read(bootstrap, prefix + "bonuses")
    assert_bonuses(expected.bonuses, found, programs)
    assert len(expected.bonuses) >= at_least, "too few bonuses were due to tell anything"
    relayed = await logs_of.read(bootstrap, *(prefix + topic for topic in RELAYS))
    assert_turned_away(expected, relayed, prefix)
    return expected


def assert_bonuses(expected: dict[str, Bonus], found: Logs, programs: Iterable[Program]) -> None:
    """Each of the expected bonuses was found once, in its partition, with its key and content."""
    records = [record for held in found.values() for record in held]
    times = Counter(json.loads(record.value)["bonus_id"] for record in records)
    missing = [bonus for bonus_id, bonus in expected.items() if bonus_id not in times]
    false = [bonus_id for bonus_id in times if bonus_id not in expected]
    doubled = {bonus_id: count for bonus_id, count in times.items() if count > 1}
    summary = f"{len(missing)} missing, {len(false)} false, {len(doubled)} doubled of {len(expected)}"
    assert (missing, false, doubled) == ([], [], {}), summary
    whole = dict(tiers_over_one_topic(programs))
    for record in records:
        shown = json.loads(record.value)
        bonus = expected[shown["bonus_id"]]
        assert record.key == bonus.creator_id.encode()
        assert record.partition == bonus.evidence.partition
        if whole[bonus.program, bonus.tier]:
            assert shown == json.loads(wire.encode(bonus))


def assert_turned_away(expected: Expected, relayed: Logs, prefix: str) -> None:
    """Each of the records that were turned away, and no other, is in its topic, whole and with its reason."""
    found = by_origin(relayed)
    missing, false = expected.turned_away.keys() - found.keys(), found.keys() - expected.turned_away.keys()
    assert (missing, false) == (set(), set()), f"{len(missing)} missing, {len(false)} false of {len(found)}"
    for origin, (record, why) in expected.turned_away.items():
        relay = found[origin]
        assert relay.topic == prefix + destination(why.code)
        assert (record.partition, record.key, record.value) == (relay.partition, relay.key, relay.value)
        name = f"{record.topic}/{record.partition}/{record.offset}"
        ours = {"error": why.code, "error_detail": why.detail, "origin": name}
        assert [*record.headers, *((key, text.encode()) for key, text in ours.items())] == list(relay.headers)


def by_origin(relayed: Logs) -> dict[Origin, ConsumerRecord]:
    """Records of `rejected` and `late` by where they come from; a repeat of one is the same record again."""
    found: dict[Origin, ConsumerRecord] = {}
    for records in relayed.values():
        for record in records:
            topic, number, offset = dict(record.headers)["origin"].decode().rsplit("/", 2)
            found[topic, int(number), int(offset)] = record
    return found


def tiers_over_one_topic(programs: Iterable[Program]) -> Iterator[tuple[tuple[str, str], bool]]:
    """Of each tier, by programme and name, whether all metrics that it names are of one topic."""
    for program in programs:
        for version in program.versions:
            for tier in version.tiers:
                topics = {topic_of(metric) for metric in model.metrics_of(tier.when)}
                yield (program.name, tier.name), len(topics) == 1


def _by_partition(logs: Logs, prefix: str) -> Iterator[tuple[int, dict[Topic, list[ConsumerRecord]]]]:
    for number in range(_partitions(logs)):
        yield number, {topic: logs[TopicPartition(prefix + topic, number)] for topic in TOPICS}


def _partitions(logs: Logs) -> int:
    return len({tp.partition for tp in logs})
