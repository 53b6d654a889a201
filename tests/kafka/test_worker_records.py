"""What becomes of records that can't be accepted: each is found again, whole, and holds nothing up."""

import random
from collections.abc import Mapping

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import NewTopic

from schemas.placement import partition_of
from stream.topics import planned
from tests.kafka import logs_of
from tests.kafka.expected import Origin, assert_exact, by_origin
from tests.kafka.headers import SHOWN, send_with_odd_headers
from tests.kafka.logs_of import admin_of, ends_of
from tests.kafka.malformed import HEADERS, LARGE_BYTES, malformed, unusual
from tests.kafka.servers import Kafka
from tests.kafka.traffic import Sender, Sent, Traffic, new_event, value_of
from tests.kafka.workers import Fleet

PARTITIONS = 4
FLOOD = 20_000
CUT_BYTES = 65_536


async def make_topics(kafka: Kafka, partitions: int, most_bytes: Mapping[str, int]) -> None:
    """Make the topics, some of them with another largest record than planned."""
    topics = [
        NewTopic(
            kafka.prefix + plan.name,
            partitions,
            1,
            topic_configs={**plan.configs, "max.message.bytes": str(most_bytes[plan.name])},
        )
        for plan in planned("", partitions, 1)
        if plan.name in most_bytes
    ]
    async with admin_of(kafka.bootstrap) as admin:
        made = await admin.create_topics(topics)
    assert {code for _, code, _ in made.topic_errors} == {0}
    await kafka.create_topics(partitions=partitions)


async def rejected(kafka: Kafka) -> dict[Origin, ConsumerRecord]:
    """The records of `rejected` by where they come from."""
    return by_origin(await logs_of.read(kafka.bootstrap, kafka.prefix + "rejected"))


async def send_all(kafka: Kafka, records: list[Sent]) -> None:
    sender = Sender(kafka.bootstrap, kafka.prefix)
    for record in records:
        sender.send(record)
    await sender.flush()


async def test_nothing_is_dropped_in_silence(fleet: Fleet, seed: int) -> None:
    """Of good and bad ones mixed, each bad one lies in its topic with key, value, headers and reason; each good
    one counts."""
    kafka = fleet.kafka
    await make_topics(kafka, PARTITIONS, {"views": 8_000_000})
    bad = list(malformed(PARTITIONS))
    mixed, traffic = [record for _, record in bad], Traffic(seed, creators=8)
    mixed += [*unusual(PARTITIONS), *(traffic.next() for _ in range(400))]
    random.Random(seed).shuffle(mixed)
    await fleet.start()
    await send_all(kafka, mixed)
    await fleet.settled()

    due = await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=10)
    codes = [why.code for record, why in due.turned_away.values() if record.headers == HEADERS]
    assert sorted(code for code, _ in bad) == sorted(codes)


async def test_a_headers_name_that_is_no_text_is_no_poison(fleet: Fleet) -> None:
    """What comes beside it and behind it is counted, and the record itself is told with what can be read of it."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=1)
    views = kafka.prefix + "views"
    await send_with_odd_headers(kafka.bootstrap, views, 0, [b"[]", b"{", value_of(new_event("one", "ada"))])
    await fleet.start()
    await fleet.settled()

    found = await rejected(kafka)
    assert found.keys() == {(views, 0, 0), (views, 0, 1)}
    assert [name for name, _ in found[views, 0, 1].headers][:2] == ["plain", SHOWN]


async def test_what_rejected_cannot_take_is_cut(fleet: Fleet) -> None:
    """The record is there with the beginning of its value, and says how long it was; others are whole."""
    kafka = fleet.kafka
    await make_topics(kafka, 1, {"views": 8_000_000, "rejected": 200_000})
    value, small = random.Random(0).randbytes(LARGE_BYTES), Sent("views", b"[]", key="ada")
    await fleet.start()
    await send_all(kafka, [small])
    await fleet.settled()
    await send_all(kafka, [Sent("views", value, key="ada"), small])
    await fleet.settled()

    found = await rejected(kafka)
    before, cut, after = (found[kafka.prefix + "views", 0, offset] for offset in range(3))
    assert cut.value == value[: len(cut.value)]
    assert len(cut.value) >= CUT_BYTES
    assert dict(cut.headers)["truncated"] == str(LARGE_BYTES).encode()
    assert dict(cut.headers)["error"] == b"too_large"
    for whole in (before, after):
        assert (whole.value, "truncated" in dict(whole.headers)) == (b"[]", False)


async def test_key_and_headers_stay_where_only_the_value_is_too_large(fleet: Fleet) -> None:
    """A `rejected` that takes little gets as much of a value as fits beside them; they go last, the origin never."""
    kafka = fleet.kafka
    await make_topics(kafka, 1, {"rejected": 20_000})
    value, large = random.Random(0).randbytes(60_000), random.Random(1).randbytes(30_000)
    await fleet.start()
    await send_all(
        kafka,
        [
            Sent("views", value, key="ada", headers=HEADERS),
            Sent("views", b"[]", key="ada", headers=(("large", large),)),
            Sent("views", b"[]", key="a" * 30_000, headers=HEADERS),
        ],
    )
    await fleet.settled()

    found = await rejected(kafka)
    cut, without_headers, bare = (found[kafka.prefix + "views", 0, offset] for offset in range(3))
    assert (cut.key, cut.value) == (b"ada", value[:16_384])
    assert tuple(cut.headers)[: len(HEADERS)] == tuple(HEADERS)
    assert dict(cut.headers)["truncated"] == b"60000"
    assert (without_headers.key, without_headers.value) == (b"ada", b"")
    assert (bare.key, bare.value) == (None, b"")
    for record in (without_headers, bare):
        assert [name for name, _ in record.headers] == ["error", "error_detail", "origin", "truncated"]


async def test_a_producer_with_another_partitioner_is_told_so(fleet: Fleet) -> None:
    """librdkafka's default places keys by CRC32: what it puts in the wrong partition is rejected, with the remedy."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    sender = Sender(kafka.bootstrap, kafka.prefix, partitioner="consistent_random")
    creators = [f"creator-{number}" for number in range(40)]
    for creator in creators:
        sender.send(Sent("views", value_of(new_event(creator, creator)), key=creator))
    await sender.flush()
    await fleet.start()
    await fleet.settled()

    placed = await logs_of.read(kafka.bootstrap, kafka.prefix + "views")
    misplaced = {
        (record.topic, record.partition, record.offset)
        for records in placed.values()
        for record in records
        if partition_of(record.key.decode(), PARTITIONS) != record.partition
    }
    assert len(misplaced) > len(creators) // 2
    found = await rejected(kafka)
    assert misplaced == found.keys()
    for record in found.values():
        assert dict(record.headers)["error"] == b"wrong_partition"
        assert b"partitioner=murmur2_random" in dict(record.headers)["error_detail"]


async def test_a_flood_of_records_that_can_not_be_counted_is_relayed(fleet: Fleet) -> None:
    """Each once, since nothing fails meanwhile, and the partition goes on."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=1)
    flood = [Sent("views", b"{" * 300, key="ada") for _ in range(FLOOD)]
    await send_all(kafka, [*flood, *(Sent("likes", b"[]" * 8_000, key="ada") for _ in range(FLOOD // 20))])
    worker = await fleet.start()
    await fleet.settled()
    topic = kafka.prefix + "rejected"
    assert await ends_of(kafka.bootstrap, topic) == {TopicPartition(topic, 0): FLOOD + FLOOD // 20}
    assert not [line for line in worker.lines if line["event"] == "partition is taken anew"]
