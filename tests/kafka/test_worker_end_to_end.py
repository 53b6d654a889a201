"""From events in Kafka to bonuses in Kafka, through a worker process as an operator runs it."""

import json
import sys

from confluent_kafka import Producer

from schemas.bonuses import HEADER_APP
from schemas.placement import partition_of
from stream.core.rules import TOPICS
from stream.programs.load import load as load_programs
from tests.kafka import expected, logs_of
from tests.kafka.expected import assert_bonuses, assert_exact
from tests.kafka.malformed import malformed, unusual
from tests.kafka.traffic import FLUSH_S, Sender, Sent, Traffic, new_event, send_traffic, value_of
from tests.kafka.workers import Fleet

PARTITIONS = 4


async def test_bonuses_are_those_of_the_model(fleet: Fleet, seed: int) -> None:
    """Of a log with everything in it, both Kafka clients read each bonus of the brute-force model once, and no
    other; tiers over one topic agree in every field."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    sender, traffic = Sender(kafka.bootstrap, kafka.prefix), Traffic(seed)
    for record in [*unusual(PARTITIONS), *(bad for _, bad in malformed(PARTITIONS, large_bytes=70_000))]:
        sender.send(record)
        for _ in range(40):
            sender.send(traffic.next())
    await sender.flush()
    await fleet.start()
    await fleet.settled()

    programs = load_programs(fleet.programs).programs
    inputs = await logs_of.read(kafka.bootstrap, *(kafka.prefix + topic for topic in TOPICS))
    due = expected.of_model(inputs, kafka.prefix, programs)
    assert len(due) >= 50
    found = await logs_of.read(kafka.bootstrap, kafka.prefix + "bonuses")
    assert_bonuses(due, found, programs)
    for record in (record for held in found.values() for record in held):
        assert record.headers == ((HEADER_APP, fleet.group.encode()),)
    others = logs_of.read_with_librdkafka(kafka.bootstrap, kafka.prefix + "bonuses", fleet.group + "-reader")
    assert sorted(due) == sorted(json.loads(message.value() or b"{}")["bonus_id"] for message in others)


async def test_what_a_producers_transaction_aborted_does_not_count(fleet: Fleet) -> None:
    """Inputs are read committed: the same events are worth a bonus where their transaction was committed."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": fleet.group + "-producer"})
    producer.init_transactions(FLUSH_S)
    await fleet.start()
    for creator, commits in (("aborted", False), ("committed", True), ("aborted again", False)):
        producer.begin_transaction()
        for number in range(5):
            value = value_of(new_event(f"{creator} {number}", creator, watch_ms=5_000))
            producer.produce(kafka.prefix + "views", value, partition=partition_of(creator, PARTITIONS))
        producer.flush(FLUSH_S)
        if commits:
            producer.commit_transaction(FLUSH_S)
        else:
            producer.abort_transaction(FLUSH_S)
    plain = Sender(kafka.bootstrap, kafka.prefix)
    for number in range(PARTITIONS):
        plain.send(Sent("views", b"[]", partition=number))
    await plain.flush()
    await fleet.settled()
    due = await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs)
    assert ["committed"] == [bonus.creator_id for bonus in due.bonuses.values()]


async def test_the_faust_command_runs_the_same_worker(fleet: Fleet, seed: int) -> None:
    """`faust -A stream.app worker` takes its settings from the environment, and ends on SIGTERM."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=500)
    worker = await fleet.run([sys.executable, "-m", "faust", "-A", "stream.app", "worker"])
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=10)
    worker.terminate()
    assert await worker.ended() == 0
