"""What every test shares: the real servers, Hypothesis's profiles, the seed, and the order of the run."""

import os
import random

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.kafka.servers"]

SERVERS = {"kafka_bootstrap", "redis_session", "redis_server", "secured_kafka", "secured_redis"}

settings.register_profile(
    "dev",
    # Where CI is set, Hypothesis would take a profile of its own, with the same examples each time.
    parent=settings.get_profile("default"),
    max_examples=100,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", parent=settings.get_profile("dev"), max_examples=10_000)
settings.load_profile("dev")


@pytest.fixture
def seed() -> int:
    """The seed of a random test; a failure shows it, and ``BONUS_TEST_SEED`` repeats it."""
    given = os.environ.get("BONUS_TEST_SEED")
    chosen = int(given) if given else random.randrange(2**32)
    print(f"repeat with BONUS_TEST_SEED={chosen}")
    return chosen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The laws first, which take no server; what needs one last."""
    items.sort(key=lambda item: not SERVERS.isdisjoint(getattr(item, "fixturenames", ())))
