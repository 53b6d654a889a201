"""The deployment's topics on a real broker: made safe, left alone where they exist, checked before a start."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stream.errors import InputError, Unreachable
from stream.topics import PARTITIONED, TOPICS, create, verify
from tests.kafka.broker import free_ports
from tests.kafka.servers import Kafka


async def make(kafka: Kafka, topic: str, partitions: int, **configs: str) -> None:
    """Makes one topic as an operator would by hand, with Kafka's own defaults."""
    name = f"{kafka.prefix}{topic}"
    kafka.created.append(name)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        response = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        assert [code for _, code, _ in response.topic_errors] == [0]
        async with asyncio.timeout(10):
            # The controller has it; what the broker tells follows within milliseconds.
            while name not in await admin.list_topics():
                pass
    finally:
        await admin.close()


async def setting(kafka: Kafka, topic: str, key: str) -> str:
    """What a topic's setting is on the broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, kafka.prefix + topic, {key: None})
        [response] = await admin.describe_configs([resource])
        [(_, _, _, _, [entry])] = response.resources
        return str(entry[1])
    finally:
        await admin.close()


async def test_all_are_made_with_one_partition_count(kafka: Kafka) -> None:
    """A first `create` makes every topic, and a worker may start at once."""
    kafka.created = [kafka.prefix + topic for topic in TOPICS]
    findings = await create(kafka.options, prefix=kafka.prefix, partitions=3)

    assert [(kafka.prefix + topic, "created") for topic in TOPICS] == [(f.topic, f.kind) for f in findings]
    assert await verify(kafka.options, prefix=kafka.prefix) == 3


@pytest.mark.parametrize(
    ("topic", "key", "expected"),
    [
        *(
            (topic, "message.timestamp.type", "LogAppendTime")
            for topic in ("views", "likes", "shares", "comments")
        ),
        *((topic, "cleanup.policy", "delete") for topic in PARTITIONED),
        ("programs", "cleanup.policy", "compact"),
        ("bonuses", "retention.ms", "-1"),
        ("bonuses", "retention.bytes", "-1"),
        ("rejected", "max.message.bytes", "8388608"),
        ("late", "max.message.bytes", "8388608"),
    ],
)
async def test_what_is_made_is_safe(kafka: Kafka, topic: str, key: str, expected: str) -> None:
    """Inputs in step by the broker's clock, a ledger that is kept, relays that take what inputs carry."""
    await kafka.create_topics(partitions=1)
    assert expected == await setting(kafka, topic, key)


async def test_a_second_create_changes_nothing(kafka: Kafka) -> None:
    """Everything is as planned, and says so."""
    await kafka.create_topics(partitions=2)
    findings = await create(kafka.options, prefix=kafka.prefix, partitions=2)
    assert {"fine"} == {finding.kind for finding in findings}


async def test_what_differs_is_said_and_left_alone(kafka: Kafka) -> None:
    """An input made by hand keeps its settings; the sentence names the setting, its value and a safe one."""
    await make(kafka, "views", 2)
    kafka.created += [kafka.prefix + topic for topic in TOPICS if topic != "views"]
    findings = await create(kafka.options, prefix=kafka.prefix, partitions=2)

    assert ["differs"] + ["created"] * 7 == [finding.kind for finding in findings]
    assert "message.timestamp.type=CreateTime where LogAppendTime is safe" in findings[0].sentence
    assert await setting(kafka, "views", "message.timestamp.type") == "CreateTime"


async def test_another_partition_count_is_told_apart(kafka: Kafka) -> None:
    """It is the one difference that makes the command fail; the topics that are missing are still made."""
    await make(kafka, "likes", 2, message_timestamp_type="LogAppendTime")
    kafka.created += [kafka.prefix + topic for topic in TOPICS if topic != "likes"]
    findings = await create(kafka.options, prefix=kafka.prefix, partitions=3)

    kinds = {finding.topic.removeprefix(kafka.prefix): finding.kind for finding in findings}
    assert dict.fromkeys(TOPICS, "created") | {"likes": "partitions differ"} == kinds
    with pytest.raises(InputError, match=r"Partition counts differ .*likes 2"):
        await verify(kafka.options, prefix=kafka.prefix)


async def test_missing_topics_get_as_many_partitions_as_the_others_have(kafka: Kafka) -> None:
    """Where nobody says how many: what the command makes, a worker can run on."""
    await make(kafka, "likes", 3, message_timestamp_type="LogAppendTime")
    kafka.created += [kafka.prefix + topic for topic in TOPICS if topic != "likes"]
    kinds = {finding.kind for finding in await create(kafka.options, prefix=kafka.prefix)}
    assert kinds == {"created", "fine"}
    assert await verify(kafka.options, prefix=kafka.prefix) == 3


async def test_a_worker_makes_the_topic_of_programmes_itself(kafka: Kafka) -> None:
    """The other seven are enough to start on."""
    for topic in PARTITIONED:
        await make(kafka, topic, 2, message_timestamp_type="LogAppendTime")
    kafka.created += [kafka.prefix + topic for topic in TOPICS]
    assert await verify(kafka.options, prefix=kafka.prefix) == 2
    assert await setting(kafka, "programs", "cleanup.policy") == "compact"


async def test_relays_take_what_an_existing_input_carries(kafka: Kafka) -> None:
    """An input that was made for larger records gets a `rejected` with room for them and our headers."""
    await make(kafka, "views", 1, max_message_bytes="20000000")
    await kafka.create_topics(partitions=1)
    assert int(await setting(kafka, "rejected", "max.message.bytes")) > 20_000_000


async def test_too_few_brokers_is_a_sentence(kafka: Kafka) -> None:
    """A replication that the cluster can't give is the operator's mistake, in Kafka's words."""
    with pytest.raises(InputError, match="replication factor of 3"):
        await create(kafka.options, prefix=kafka.prefix, replication=3)


async def test_missing_topics_are_named(kafka: Kafka) -> None:
    """A worker without topics says which, and what makes them."""
    with pytest.raises(InputError, match=rf"{kafka.prefix}views, .*bonus topics create"):
        await verify(kafka.options, prefix=kafka.prefix)


async def test_producers_clocks_are_refused_unless_allowed(kafka: Kafka) -> None:
    """CreateTime inputs need --allow-create-time."""
    await make(kafka, "shares", 2)
    await kafka.create_topics(partitions=2)
    with pytest.raises(InputError, match=rf"timestamps: {kafka.prefix}shares\..*--allow-create-time"):
        await verify(kafka.options, prefix=kafka.prefix)
    assert await verify(kafka.options, prefix=kafka.prefix, allow_create_time=True) == 2


@pytest.mark.parametrize(
    ("configs", "says"),
    [
        (
            {"retention_ms": "604800000", "cleanup_policy": "compact"},
            [
                "cleanup.policy=compact, but must keep what was paid for ever: set delete.",
                "retention.ms=604800000, but must keep what was paid for ever: set -1.",
            ],
        ),
        (None, []),
    ],
    ids=["by hand", "by create"],
)
async def test_a_ledger_that_forgets_is_told(
    kafka: Kafka, configs: dict[str, str] | None, says: list[str]
) -> None:
    """A sentence for each setting by which what was paid goes; a worker starts all the same."""
    if configs is not None:
        await make(kafka, "bonuses", 1, **configs)
    await kafka.create_topics(partitions=1)
    said = list[str]()
    assert await verify(kafka.options, prefix=kafka.prefix, say=said.append) == 1
    assert sorted(said) == [f"{kafka.prefix}bonuses has {each}" for each in says]


async def test_no_broker_is_unreachable() -> None:
    """Nobody listens there: exit code 3, and the sentence names the address."""
    [port] = free_ports(1)
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        await verify({"bootstrap_servers": [f"127.0.0.1:{port}"]}, within_s=0.5)
