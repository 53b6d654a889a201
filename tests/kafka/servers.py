"""The real servers as fixtures: a Kafka broker for the whole test run, Redis for the run or for one test.

``BONUS_TEST_KAFKA`` (host:port) and ``BONUS_TEST_REDIS`` (URL) name servers to use instead of our own. Where
neither can be had the tests are skipped with one line; with ``CI=true`` that is a failure.
"""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol, TypeVar
from uuid import uuid4

import pytest
import redis
from _pytest.outcomes import Skipped
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream import topics
from stream.core.rules import TOPICS as INPUTS
from tests.kafka.broker import Broker, CannotRun
from tests.kafka.redis_server import RedisServer


@dataclass
class Kafka:
    """A broker to test against, and the topics of one test, whose names start with its ``prefix``."""

    bootstrap: str
    prefix: str
    created: list[str] = field(default_factory=list)

    @property
    def options(self) -> dict[str, object]:
        """The keyword arguments of aiokafka's clients."""
        return {"bootstrap_servers": self.bootstrap}

    async def create_topics(
        self, prefix: str | None = None, partitions: int = 4, *, create_time: bool = False
    ) -> str:
        """Makes the topics, with the test's own prefix or another, and returns the prefix.

        With ``create_time`` the inputs keep the producers' timestamps, so that a test can place records in time.
        """
        prefix = self.prefix if prefix is None else prefix
        if create_time:
            await self._make_create_time_inputs(prefix, partitions)
        await topics.create(self.options, prefix=prefix, partitions=partitions, replication=1)
        self.created += [prefix + topic for topic in topics.TOPICS]
        return prefix

    async def _make_create_time_inputs(self, prefix: str, partitions: int) -> None:
        # Kafka refuses timestamps more than an hour ahead by default.
        configs = {"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**63 - 1)}
        async with self._admin() as admin:
            await admin.create_topics(
                [NewTopic(prefix + topic, partitions, 1, topic_configs=configs) for topic in INPUTS]
            )

    async def delete_topics(self) -> None:
        """Takes the test's topics away, so that a long run does not pile up partitions."""
        if self.created:
            async with self._admin() as admin:
                await admin.delete_topics(self.created)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


class _Server(Protocol):
    def start(self) -> None: ...

    def kill(self) -> None: ...


S = TypeVar("S", bound=_Server)


@contextmanager
def started(server: S, service: str) -> Iterator[S]:
    """A server of a test's own while the block runs. It is killed then: nobody needs its data any more."""
    try:
        server.start()
    except CannotRun as why:
        unavailable(service, why)
    try:
        yield server
    finally:
        server.kill()


class NoServer(Skipped):
    """Skips a test because a server can't be had."""


def unavailable(service: str, why: CannotRun) -> NoReturn:
    """Skips the test; in CI nothing may be skipped."""
    sentence = f"{service} is needed and can't be had: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    raise NoServer(sentence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Gives all tests that lack a server one place, so that pytest folds them into one line."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, NoServer):
        report.longrepr = (__file__, 0, str(call.excinfo.value))
    return report


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Kafka broker that lives as long as the test run."""
    given = os.environ.get("BONUS_TEST_KAFKA")
    if given:
        yield given
        return
    with started(Broker(tmp_path_factory.mktemp("kafka")), "Kafka") as broker:
        yield broker.bootstrap


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> AsyncIterator[Kafka]:
    """A broker, and a topic prefix that is this test's alone."""
    broker = Kafka(bootstrap=kafka_bootstrap, prefix=f"t{uuid4().hex[:12]}.")
    yield broker
    await broker.delete_topics()


@pytest.fixture(scope="session")
def redis_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis that lives as long as the test run."""
    given = os.environ.get("BONUS_TEST_REDIS")
    if given:
        yield given
        return
    with started(RedisServer(tmp_path_factory.mktemp("redis")), "Redis") as server:
        yield server.url


@pytest.fixture
def redis_url(redis_session: str) -> str:
    """The URL of a Redis: our own, emptied, or the given one as it is, so name keys by `app_name`."""
    if not os.environ.get("BONUS_TEST_REDIS"):
        with redis.Redis.from_url(redis_session) as client:
            client.flushall()
    return redis_session


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of this test alone, to crash: it comes back empty, as one without persistence does."""
    with started(RedisServer(tmp_path_factory.mktemp("redis")), "Redis") as server:
        yield server


@pytest.fixture
def app_name() -> str:
    """An application name that no other test uses: for consumer groups, transactional ids and Redis keys."""
    return f"t{uuid4().hex[:12]}"
