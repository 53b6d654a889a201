"""What keeps a worker from starting: one sentence for whoever must act, and the right exit code."""

import asyncio
import socket
from dataclasses import dataclass

import msgspec
import pytest
import redis
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from stream.core.rules import TOPICS
from stream.store.layout import Layout
from stream.topics import planned
from tests.kafka.broker import free_ports
from tests.kafka.logs_of import admin_of
from tests.kafka.redis_server import RedisServer
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet

LATE = """
program: late
version: 0
regions: all
subject: creators
window: {rolling: 24h, step: 7m}
tiers: [{name: one, when: {views: 1}, reward: {amount: "1.00", currency: USD}}]
"""


@dataclass
class Refusal:
    """How a worker ended that could not start."""

    code: int
    sentence: str


async def refusal(fleet: Fleet, *, lines: int = 1, **settings: object) -> Refusal:
    """Start a worker that can't: it ends by itself and says why in one sentence, or so many lines."""
    worker = await fleet.start(**settings)
    code = await worker.ended()
    assert len(worker.sentences) == lines, str(worker)
    assert not any("exception" in line or "Crashed" in str(line["event"]) for line in worker.lines), str(
        worker
    )
    return Refusal(code, "\n".join(worker.sentences))


async def test_kafka_that_is_not_there_is_waited_for_no_longer_than_told(fleet: Fleet) -> None:
    """By default a start waits for a minute, which is longer than a test has patience."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    found = await refusal(fleet, kafka=address, connect_timeout="2s")
    assert (3, f"Kafka at {address} could not be reached within 2 s, or refused the connection.") == (
        found.code,
        found.sentence,
    )


async def test_redis_that_is_not_there_is_waited_for_no_longer_than_told(fleet: Fleet) -> None:
    await fleet.kafka.create_topics()
    address = f"127.0.0.1:{free_ports(1)[0]}"
    found = await refusal(fleet, redis=f"redis://:secret@{address}/0", connect_timeout="8s")
    assert found.code == 3
    assert f"Redis at {address} could not be reached within 8 s" in found.sentence
    assert "secret" not in found.sentence


async def test_missing_topics_are_named(fleet: Fleet) -> None:
    found = await refusal(fleet)
    assert found.code == 1
    assert "bonus topics create" in found.sentence
    for topic in (*TOPICS, "bonuses", "rejected", "late"):
        assert fleet.kafka.prefix + topic in found.sentence


async def test_partition_counts_that_differ_are_named(fleet: Fleet) -> None:
    kafka = fleet.kafka
    async with admin_of(kafka.bootstrap) as admin:
        [plan] = [plan for plan in planned(kafka.prefix, 3, 1) if plan.name.endswith("likes")]
        await admin.create_topics([NewTopic(plan.name, 3, 1, topic_configs=dict(plan.configs))])
    await kafka.create_topics(partitions=2)
    found = await refusal(fleet)
    assert found.code == 1
    assert f"{kafka.prefix}likes 3" in found.sentence
    assert f"{kafka.prefix}views 2" in found.sentence


async def test_inputs_with_producers_timestamps_need_consent(fleet: Fleet) -> None:
    await fleet.kafka.create_topics(create_time=True)
    found = await refusal(fleet)
    assert found.code == 1
    assert "--allow-create-time" in found.sentence
    worker = await fleet.start(allow_create_time=True)
    await worker.said("partition taken")


async def test_a_port_that_is_in_use_is_named(fleet: Fleet) -> None:
    """As by the second of two workers on one machine."""
    await fleet.kafka.create_topics()
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        found = await refusal(fleet, http_port=port)
    assert found == Refusal(
        1, f"--http-port {port} of --http-host 0.0.0.0 can't be listened at: Address already in use."
    )


async def test_every_mistake_in_the_programmes_is_told_at_once(fleet: Fleet) -> None:
    (fleet.programs / "late.yaml").write_text(LATE)
    found = await refusal(fleet, lines=3)
    assert found.code == 1
    assert ["late.yaml:3", "late.yaml:5", "late.yaml:6"] == [
        line.partition(": ")[0] for line in found.sentence.splitlines()
    ]


async def test_a_redis_that_may_evict_is_refused(fleet: Fleet, redis_server: RedisServer) -> None:
    await fleet.kafka.create_topics()
    fleet.redis_url = redis_server.url
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    found = await refusal(fleet)
    assert found.code == 1
    assert "set maxmemory-policy to noeviction" in found.sentence


# State that does not belong to these logs


@pytest.fixture
async def stopped(fleet: Fleet) -> Fleet:
    """A fleet whose only worker was stopped, with a checkpoint at the ends of logs that hold records."""
    await fleet.kafka.create_topics(partitions=1)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed=7, records=100)
    worker = await fleet.start()
    await fleet.settled()
    worker.terminate()
    assert await worker.ended() == 0
    return fleet


FOREIGN: dict[str, dict[str, object]] = {
    "belongs to Kafka cluster another": {"cluster": "another"},
    "made with 3 partitions, the topics now have 1": {"partitions": 3},
    "written by another release": {"unheard_of": 1},
}
"""What the sentence says, and what is different in the checkpoint."""


async def test_state_of_other_logs_is_refused(stopped: Fleet) -> None:
    """Its offsets mean nothing here: another cluster's, of other partitions, by another release."""
    key = Layout(stopped.group, 0).meta
    with redis.Redis.from_url(stopped.redis_url) as client:
        body = client.hget(key, "body")
        assert isinstance(body, bytes)
        for words, changes in FOREIGN.items():
            document = msgspec.json.decode(body, type=dict[str, object])
            client.hset(key, "body", msgspec.json.encode(document | changes).decode())
            found = await refusal(stopped)
            assert found.code == 1
            assert words in found.sentence


async def test_deleted_records_that_were_not_counted_need_consent(stopped: Fleet) -> None:
    """The sentence names place and remedy; with --accept-gap the worker counts what is left."""
    kafka, views = stopped.kafka, TopicPartition(stopped.kafka.prefix + "views", 0)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed=8, records=200)
    async with admin_of(kafka.bootstrap) as admin:
        await admin.delete_records({views: RecordsToDelete(before_offset=120)})
    found = await refusal(stopped)
    assert found.code == 1
    assert f"{views.topic}/0: the state goes on at offset" in found.sentence
    assert "the log holds 120 to" in found.sentence
    assert "--accept-gap" in found.sentence

    worker = await stopped.start(accept_gap=True)
    await worker.said("gap accepted")
    await stopped.settled()


async def test_a_topic_that_was_made_anew_needs_consent(stopped: Fleet) -> None:
    """The state's offsets lie behind the end of the new log."""
    kafka, name = stopped.kafka, stopped.kafka.prefix + "likes"
    async with admin_of(kafka.bootstrap) as admin:
        await admin.delete_topics([name])
        async with asyncio.timeout(10):
            while name in await admin.list_topics():
                pass
    await kafka.create_topics(partitions=1)
    found = await refusal(stopped)
    assert found.code == 1
    assert f"{name}/0: the state goes on at offset" in found.sentence
    assert "the log holds 0 to 0" in found.sentence

    worker = await stopped.start(accept_gap=True)
    await worker.said("gap accepted")
    await send_traffic(kafka.bootstrap, kafka.prefix, seed=9, records=100)
    await stopped.settled()


async def test_a_ledger_without_its_beginning_needs_consent_where_the_state_is_lost(stopped: Fleet) -> None:
    """Nobody knows any more who was paid there. The sentence says what comes of going on, and how that is done."""
    kafka, bonuses = stopped.kafka, TopicPartition(stopped.kafka.prefix + "bonuses", 0)
    async with admin_of(kafka.bootstrap) as admin:
        begins = await admin.delete_records({bonuses: RecordsToDelete(before_offset=-1)})
    assert begins[bonuses] > 0
    with redis.Redis.from_url(stopped.redis_url) as client:
        client.delete(*client.scan_iter(match=f"{Layout(stopped.group, 0).tag}:*"))
    found = await refusal(stopped)
    assert found.code == 1
    assert f"{bonuses.topic}/0 begins at offset {begins[bonuses]}" in found.sentence
    assert "would be paid again" in found.sentence
    assert "--accept-gap" in found.sentence

    worker = await stopped.start(accept_gap=True)
    await worker.said("partition taken", checkpoint=None)
    await stopped.settled()
    worker.terminate()
    assert await worker.ended() == 0
    await stopped.start_serving()  # once is enough
