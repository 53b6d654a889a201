"""A backtest over the topics' history gives what the worker gave, over any range, and leaves Kafka as it was."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from confluent_kafka import Producer

from schemas.decode import decode
from schemas.placement import partition_of
from stream.backtest import Range, run_over_files
from stream.backtest.history import survey
from stream.core.rules import TOPICS, Limits
from stream.errors import InputError
from tests.builders import HOUR
from tests.kafka import logs_of
from tests.kafka.backtests import HEARTS, Backtests
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import admin_of
from tests.kafka.malformed import malformed, unusual
from tests.kafka.servers import Kafka
from tests.kafka.traffic import FLUSH_S, Sender, Traffic, new_event, send_traffic, value_of
from tests.kafka.workers import Fleet, programs_in

PARTITIONS = 4
T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SEEN_FIRST = {"metrics", "evidence", "region", "window"}
"""What a bonus of a tier over several topics shows is what was seen first."""


@pytest.fixture
def backtests(kafka: Kafka, tmp_path: Path) -> Backtests:
    return Backtests(kafka, tmp_path)


def exact(bonus: Mapping[str, object]) -> dict[str, object]:
    """The fields that are a function of the logs."""
    free = SEEN_FIRST if bonus["tier"] == "loved" else set()
    return {name: value for name, value in bonus.items() if name not in free}


async def send_everything(kafka: Kafka, seed: int) -> None:
    """Good and bad records of every kind."""
    sender, traffic = Sender(kafka.bootstrap, kafka.prefix), Traffic(seed)
    for record in [*unusual(PARTITIONS), *(bad for _, bad in malformed(PARTITIONS, large_bytes=70_000))]:
        sender.send(record)
        for _ in range(40):
            sender.send(traffic.next())
    await sender.flush()


async def test_it_gives_what_the_worker_gave(fleet: Fleet, backtests: Backtests, seed: int) -> None:
    """The same bonuses, field by field; what the worker turned away is in --rejected, with the same reasons."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_everything(kafka, seed)
    await fleet.start_serving()
    await fleet.settled()
    due = await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=50)

    command = [sys.executable, "-m", "stream.cli.main", "backtest", "--workers", "2"]
    command += [
        "--kafka",
        kafka.bootstrap,
        "--out",
        str(backtests.out),
        "--rejected",
        str(backtests.rejected),
    ]
    ended = await fleet.run(command)
    assert await ended.ended() == 0, str(ended)
    logs = await logs_of.read(kafka.bootstrap, kafka.prefix + "bonuses")
    paid = [json.loads(record.value) for held in logs.values() for record in held]
    assert {each["bonus_id"]: exact(each) for each in paid} == {
        bonus_id: exact(bonus) for bonus_id, bonus in backtests.bonuses().items()
    }
    rejected = [json.loads(each) for each in backtests.rejected.read_text().splitlines()]
    assert {each["origin"]: (each["error"], each["error_detail"]) for each in rejected} == {
        f"{topic}/{number}/{offset}": why for (topic, number, offset), (_, why) in due.turned_away.items()
    }
    assert f"bonuses {len(paid)}." in ended.sentences[-1]


async def test_it_compares_as_over_files_with_the_same_records(
    backtests: Backtests, tmp_path: Path, seed: int
) -> None:
    """Whatever is counted in partitions by themselves and added up is what one process counts over the whole log."""
    kafka = backtests.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=2_000)
    programs = programs_in(tmp_path)
    dearer = backtests.programs(
        (programs / "creators.yaml").read_text().replace("views: 5}", "views: 3}").replace("5.00", "4.10"),
        "next",
    )
    over_kafka = await backtests.run(programs, compare=dearer)

    logs = await logs_of.read(kafka.bootstrap, *(kafka.prefix + topic for topic in TOPICS))
    lines = []
    for tp, records in logs.items():
        topic = next(topic for topic in TOPICS if tp.topic == kafka.prefix + topic)
        for record in records:
            if isinstance(decode(record.value, topic, tp.partition, PARTITIONS), tuple):
                continue  # broken: it has no line
            place = {"type": topic[:-1], "partition": tp.partition, "offset": record.offset}
            lines.append(json.dumps(json.loads(record.value) | place | {"timestamp": record.timestamp}))
    (tmp_path / "log").write_text("\n".join(lines))
    over_files = run_over_files(
        programs, [tmp_path / "log"], tmp_path / "by-files", None, Limits(), progress=False, compare=dearer
    )
    assert over_kafka.comparison is not None
    assert over_kafka.comparison == over_files.comparison
    assert {row.gained > 0 for row in over_kafka.comparison.tiers if row.tier == "bronze"} == {True}
    assert over_kafka.accepted == over_files.accepted
    assert sorted(backtests.out.read_text().splitlines()) != []


async def test_a_range_of_timestamps_begins_with_empty_counts_and_ends_before_its_end(
    backtests: Backtests,
) -> None:
    await backtests.kafka.create_topics(partitions=PARTITIONS, create_time=True)
    hours = [T + hour * HOUR for hour in range(6)]
    backtests.send_likes(*(at + second for at in hours for second in (1_000, 2_000)))
    programs = backtests.programs()
    await backtests.run(programs)
    assert backtests.starts() == hours
    await backtests.run(programs, Range(from_ms=hours[2] + 1_500, to_ms=hours[4] + 2_000))
    assert backtests.starts() == [hours[3]]  # of hours 2 and 4 only one like each lies within
    summary = await backtests.run(programs, Range(from_ms=T + 100 * HOUR))
    assert (summary.lines, backtests.starts()) == (0, [])


async def test_offsets_say_where_a_partition_begins_and_others_begin_with_their_logs(
    backtests: Backtests,
) -> None:
    await backtests.kafka.create_topics(partitions=PARTITIONS, create_time=True)
    backtests.send_likes(*(T + second for second in range(4)), creator="ada")
    other = next(
        name for name in map(str, range(9)) if partition_of(name, PARTITIONS) != partition_of("ada", 4)
    )
    backtests.send_likes(T, T + 1, creator=other)
    place = f"{backtests.kafka.prefix}likes/{partition_of('ada', PARTITIONS)}"
    programs = backtests.programs()
    summary = await backtests.run(programs, Range(from_offsets={place: 3}))
    assert (summary.accepted, [each["creator_id"] for each in backtests.bonuses().values()]) == (3, [other])
    with pytest.raises(InputError, match=rf"{place}/5 lies outside of the log, 0 to 4"):
        await backtests.run(programs, Range(from_offsets={place: 5}))
    with pytest.raises(InputError, match="bonuses/0, which is no partition of the four input topics"):
        await backtests.run(programs, Range(from_offsets={"bonuses/0": 0}))


async def test_the_history_holds_what_is_committed_of_what_lay_there_at_the_start(
    backtests: Backtests, app_name: str
) -> None:
    """An aborted transaction does not count; one that was open at the start does, once it is committed."""
    kafka = backtests.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": app_name})
    producer.init_transactions(FLUSH_S)

    def like(event_id: str) -> None:
        value = value_of(new_event(event_id, "ada", occurred_at=T))
        producer.produce(kafka.prefix + "likes", value, partition=partition_of("ada", PARTITIONS))

    producer.begin_transaction()
    like("aborted")
    producer.flush(FLUSH_S)
    producer.abort_transaction(FLUSH_S)
    producer.begin_transaction()
    like("open at the start")
    producer.flush(FLUSH_S)
    asked = await survey(backtests.settings, Range())
    producer.commit_transaction(FLUSH_S)
    ends = [spans["likes"].end for spans in asked.spans]
    assert sum(ends) == 3  # two events and the marker of the abort
    summary = await backtests.run(backtests.programs(HEARTS.replace("likes: 2", "likes: 1")))
    assert (summary.lines, summary.turned_away) == (1, {"late": 1})
    [line] = map(json.loads, backtests.rejected.read_text().splitlines())
    assert json.loads(line["value"])["event_id"] == "open at the start"


async def test_kafka_is_left_as_it_was(backtests: Backtests, seed: int) -> None:
    """No topic is made, no group is joined, nothing is committed or written."""
    kafka = backtests.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=500)

    async def state() -> tuple[set[str], set[str], dict[TopicPartition, int]]:
        async with admin_of(kafka.bootstrap) as admin:
            topics, groups = await admin.list_topics(), await admin.list_consumer_groups()
        ends = await logs_of.ends_of(kafka.bootstrap, *kafka.created)
        return set(topics), {group for group, _ in groups}, ends

    before = await state()
    summary = await backtests.run(programs_in(backtests.folder))
    assert summary.bonuses > 0
    after = await state()  # meanwhile Kafka may have let go of groups that are over
    assert (after[0] - before[0], after[1] - before[1], after[2]) == (set(), set(), before[2])
    assert not backtests.work.exists()


async def test_topics_that_are_missing_are_told_and_not_made(backtests: Backtests) -> None:
    with pytest.raises(InputError, match=r"These topics don't exist at .*views.*the topic prefix right\?"):
        await backtests.run(backtests.programs())
    async with admin_of(backtests.kafka.bootstrap) as admin:
        assert not [name for name in await admin.list_topics() if name.startswith(backtests.kafka.prefix)]
    assert not backtests.out.exists()
    assert not backtests.work.exists()
