"""A Kafka broker that crashes under load: the worker waits for it, and every bonus is there once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import bonuses_reach
from tests.kafka.servers import Kafka
from tests.kafka.traffic import load, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 3
BACKLOG = 30_000


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
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=50)


async def test_no_checkpoint_covers_what_kafka_has_not_acknowledged(
    broker: Broker, fleet: Fleet, seed: int
) -> None:
    """Kafka crashes in the middle of a backlog, and the worker after it, once its next checkpoints were due: what was
    counted and neither paid nor relayed is counted again."""
    kafka = fleet.kafka = Kafka(broker.bootstrap, prefix="own.")
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, BACKLOG)
    worker = await fleet.start(checkpoint_interval="20ms", session_timeout="2s")
    await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 1)
    broker.kill()
    before = len(worker.lines)
    await worker.mentioned("Unable connect", times=5, since=before)
    await worker.kill()
    broker.start()
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=1_000)
