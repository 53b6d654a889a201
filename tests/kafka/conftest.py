"""What tests share: a fleet of worker processes on the real servers, and brokers of a test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.servers import Kafka, started
from tests.kafka.workers import Fleet, programs_in


@pytest.fixture
async def fleet(kafka: Kafka, redis_url: str, app_name: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet on the shared broker and Redis, with the sample programmes; topics are the test's to make."""
    fleet = Fleet(kafka, redis_url, app_name, programs_in(tmp_path))
    yield fleet
    await fleet.end()


@pytest.fixture
def gullible(tmp_path: Path) -> Iterator[Broker]:
    """A broker that does not ask the coordinator whether a record's transaction has begun."""
    settings = {"transaction.partition.verification.enable": "false"}
    with started(Broker(tmp_path / "broker", settings=settings), "Kafka") as broker:
        yield broker
