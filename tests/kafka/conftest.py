"""What the tests of the worker share: a fleet of worker processes on the real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kafka.servers import Kafka
from tests.kafka.workers import Fleet, programs_in


@pytest.fixture
async def fleet(kafka: Kafka, redis_url: str, app_name: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet on the shared broker and Redis, with the sample programmes; topics are the test's to make."""
    fleet = Fleet(kafka, redis_url, app_name, programs_in(tmp_path))
    yield fleet
    await fleet.end()
