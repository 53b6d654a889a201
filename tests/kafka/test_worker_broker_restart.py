"""A Kafka broker that crashes under load: the worker waits for it, and every bonus is there once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from schemas.placement import partition_of
from stream.store.layout import Layout
from stream.worker.body import Body
from tests.kafka.broker import Broker
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import ASK_EVERY_S, bonuses_reach
from tests.kafka.servers import Kafka
from tests.kafka.traffic import Sender, Sent, load, new_event, value_of
from tests.kafka.workers import Fleet

PARTITIONS = 3
BACKLOG = 10_000


@pytest.fixture
def broker(tmp_path: Path, kafka_bootstrap: str) -> Iterator[Broker]:
    """A broker of this test's own; where the shared one can't be had, this one can't either."""
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


async def test_a_broker_that_crashes_and_comes_back_is_waited_for(
    broker: Broker, fleet: Fleet, seed: int
) -> None:
    """Killed in the middle of transactions: the worker lives on, pays what is missing and no more."""
    kafka = fleet.kafka = Kafka(broker.bootstrap, prefix="own.")
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start_serving()
    async with load(kafka.bootstrap, kafka.prefix, seed):
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
        broker.kill()
        broker.start()
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
    await fleet.settled()
    assert worker.code is None
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


async def send_backlog(kafka: Kafka) -> None:
    """Much for the ledger alone in partition 0, ten events a creator; much for `rejected` alone in partition 1."""
    sender = Sender(kafka.bootstrap, kafka.prefix)
    creators = [name for name in map(str, range(BACKLOG // 4)) if partition_of(name, 2) == 0]
    for number in range(BACKLOG):
        event = new_event(f"event-{number}", creators[number // 10], watch_ms=5_000)
        sender.send(Sent("views", value_of(event), partition=0))
        sender.send(Sent("views", b"[]", partition=1))
    await sender.flush()


async def all_checkpointed(fleet: Fleet) -> None:
    """Return when the checkpoints of both partitions cover the backlog."""
    keys = [Layout(fleet.group, number).meta for number in range(2)]
    with redis.Redis.from_url(fleet.redis_url) as client:
        while True:
            bodies = [client.hget(key, "body") for key in keys]
            places = [Body.decode(body).positions["views"] for body in bodies if isinstance(body, bytes)]
            if places == [BACKLOG, BACKLOG]:
                return
            await asyncio.sleep(ASK_EVERY_S)


async def test_no_checkpoint_covers_what_kafka_has_not_acknowledged(broker: Broker, fleet: Fleet) -> None:
    """Kafka crashes in the middle of a backlog, and the worker some checkpoints later: what was counted, and neither
    paid nor relayed, is counted again; what was paid after a checkpoint was cut is not paid again."""
    kafka = fleet.kafka = Kafka(broker.bootstrap, prefix="own.")
    await kafka.create_topics(partitions=2)
    await send_backlog(kafka)
    worker = await fleet.start(checkpoint_interval="20ms", session_timeout="2s")
    await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", BACKLOG // 20)
    broker.kill()
    with pytest.raises(TimeoutError):  # it does not come to that, however long one waits
        await asyncio.wait_for(all_checkpointed(fleet), timeout=1)
    await worker.kill()
    broker.start()
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=1_000)
