"""`bonuses` is a ledger with one writer: what lies there when a partition is taken decides what may be paid."""

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from confluent_kafka import Producer

from schemas.bonuses import HEADER_APP
from stream.closing import discard
from tests.kafka.broker import Broker
from tests.kafka.expected import assert_exact
from tests.kafka.headers import send_with_odd_headers
from tests.kafka.logs_of import admin_of, ends_of, readable_ends_of
from tests.kafka.rules_of import all_checkpointed, checkpointed
from tests.kafka.servers import Kafka
from tests.kafka.traffic import FLUSH_S, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 2


def open_transaction(fleet: Fleet, app: bytes | None = None) -> Producer:
    """Somebody else's transaction with a record in `bonuses`, partition 0; it is not ended."""
    producer = Producer(
        {"bootstrap.servers": fleet.kafka.bootstrap, "transactional.id": fleet.group + "-other"}
    )
    producer.init_transactions(FLUSH_S)
    producer.begin_transaction()
    headers: dict[str, str | bytes | None] = {} if app is None else {HEADER_APP: app}
    producer.produce(fleet.kafka.prefix + "bonuses", b"{}", partition=0, headers=headers)
    assert producer.flush(FLUSH_S) == 0
    return producer


async def test_an_open_transaction_is_waited_for(fleet: Fleet, seed: int) -> None:
    """What follows it in `bonuses` can't be read before it ends, so nothing is paid there until then, and the
    worker says so; other partitions go on."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=800)
    other = open_transaction(fleet)
    worker = await fleet.start()
    line = await worker.mentioned("an open transaction holds it back")
    assert f"{kafka.prefix}bonuses/0" in str(line["reason"])
    await worker.said("partition taken", partition=1)
    ends = await ends_of(kafka.bootstrap, kafka.prefix + "bonuses")
    assert [3] == [end for tp, end in ends.items() if tp.partition == 0]  # the take tried an end of its own
    other.abort_transaction(FLUSH_S)
    await worker.said("partition taken", partition=0)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


async def test_what_is_deleted_from_an_input_before_a_first_take_is_over_is_no_gap(
    fleet: Fleet, seed: int
) -> None:
    """That may take as long as an open transaction. Nothing of it was counted, so counts start with what is left."""
    kafka, views = fleet.kafka, TopicPartition(fleet.kafka.prefix + "views", 0)
    await kafka.create_topics(partitions=1)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=400)
    other = open_transaction(fleet)
    worker = await fleet.start()
    await worker.mentioned("an open transaction holds it back")
    async with admin_of(kafka.bootstrap) as admin:
        await admin.delete_records({views: RecordsToDelete(before_offset=50)})
    other.abort_transaction(FLUSH_S)
    taken = await worker.said("partition taken")
    assert taken["positions"] == {"views": 50, "likes": 0, "shares": 0, "comments": 0}
    await fleet.settled()


async def test_a_checkpoint_covers_no_bonus_that_can_not_be_read(fleet: Fleet, seed: int) -> None:
    """Though its commit was acknowledged: who knows how it ends. After half a minute the partition is taken anew."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    topic = kafka.prefix + "bonuses"
    worker = await fleet.start()
    began = await all_checkpointed(fleet, PARTITIONS)
    other = open_transaction(fleet)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=800)
    found = began
    while found[1] == began[1]:  # the other partition's goes on
        found = checkpointed(fleet, PARTITIONS)
        readable = await readable_ends_of(kafka.bootstrap, topic)
        assert found[0].place <= readable[TopicPartition(topic, 0)]
    assert found[0].positions == began[0].positions
    line = await worker.said("partition is taken anew", partition=0)
    assert "though bonuses were committed up to" in str(line["reason"])
    other.abort_transaction(FLUSH_S)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


async def leave_orphan(kafka: Kafka, transactional_id: str, topic: str) -> None:
    """What is left of a transaction whose marker was lost: open in the topic's partition 0, over for Kafka."""
    producer = AIOKafkaProducer(**kafka.options, transactional_id=transactional_id)
    await producer.start()
    await producer.begin_transaction()
    producer._txn_manager._txn_partitions.add(TopicPartition(topic, 0))  # nobody is told
    await (await producer.send(topic, b"orphaned", key=b"", partition=0))
    await discard(producer)


async def test_what_kafka_lost_sight_of_is_ended(gullible: Broker, fleet: Fleet, seed: int) -> None:
    """A transaction of the writer before that no fencing ends, in `bonuses` and in `programs`."""
    kafka = fleet.kafka = Kafka(gullible.bootstrap, prefix="own.")
    await kafka.create_topics(partitions=PARTITIONS)
    bonuses, programs = kafka.prefix + "bonuses", kafka.prefix + "programs"
    await leave_orphan(kafka, f"{fleet.group}-{bonuses}-0", bonuses)
    await leave_orphan(kafka, f"{fleet.group}-{programs}", programs)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=800)
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)
    logs = (bonuses, programs)
    assert await readable_ends_of(kafka.bootstrap, *logs) == await ends_of(kafka.bootstrap, *logs)


@pytest.mark.parametrize(
    ("app", "named"), [(None, "without a name"), (b"another", "'another'")], ids=["nameless", "another"]
)
async def test_a_second_writer_is_refused(fleet: Fleet, app: bytes | None, named: str) -> None:
    """A record of another application ends the worker, with the record's place and the remedy."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    open_transaction(fleet, app).commit_transaction(FLUSH_S)
    worker = await fleet.start()
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert sentence.startswith(f"{kafka.prefix}bonuses/0/0 was written by another application ({named}")
    assert sentence == (await worker.said("worker ended"))["reason"]
    assert "topic prefix" in sentence


async def test_a_second_writer_whose_records_no_client_reads_is_refused(fleet: Fleet) -> None:
    """Likewise, though the record's place is not known."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_with_odd_headers(kafka.bootstrap, kafka.prefix + "bonuses", 0, [b"{}"], first=0)
    worker = await fleet.start()
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert sentence.startswith(f"{kafka.prefix}bonuses/0 holds a record with a header whose name is no text")
    assert "topic prefix" in sentence
