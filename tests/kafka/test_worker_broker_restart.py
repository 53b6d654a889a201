"""A Kafka broker that crashes under load: the worker waits for it, and every bonus is there once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import bonuses_reach
from tests.kafka.servers import Kafka
from tests.kafka.traffic import load
from tests.kafka.workers import Fleet

PARTITIONS = 3


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
    """Killed in the middle of transactions: the worker lives on, pays what is missing and no more. Killed again, and
    the worker too after its next checkpoints were due: none of them covers what Kafka has not acknowledged."""
    kafka = fleet.kafka = Kafka(broker.bootstrap, prefix="own.")
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start_serving(checkpoint_interval="50ms")
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
        broker.kill()
        broker.start()
        await bonuses_reach(kafka.bootstrap, kafka.prefix + "bonuses", 20)
        assert worker.code is None
        await going.reached(1_000)
        before = len(worker.lines)
        broker.kill()
        await worker.mentioned("Unable connect", times=8, since=before)
        await worker.kill()
        broker.start()
        await fleet.start()
        await going.reached(1_000)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=50)
