"""A connection that is gone without our having been told: whoever asks over it finds out, and asks over another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from stream import topics
from stream.core.rules import TOPICS
from stream.errors import Unreachable
from stream.rulebook.follow import Follower
from stream.transport import identity, log_ends
from stream.transport.identity import Logs
from stream.transport.kafka import KafkaTrouble, TopicPartition
from stream.transport.log_ends import LogEnds
from tests.chaos.brokers import Brokers
from tests.chaos.network import Wire
from tests.kafka.servers import Kafka
from tests.kafka.workers import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory, wire: Wire) -> AsyncIterator[Kafka]:
    """A broker that is reached through the wire, with the topics."""
    brokers = Brokers(tmp_path_factory.mktemp("brokers"), [port := await wire.start()])
    wire.lead_to(brokers.all[0].workers_port)
    await brokers.start()
    try:
        await topics.create(Kafka(brokers.bootstrap, "").options, partitions=1)
        yield Kafka(f"127.0.0.1:{port}", "")
    finally:
        await brokers.kill()


async def test_a_look_at_the_logs_does_not_stay_with_it(
    kafka: Kafka, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look fails, which is told; the next one goes well."""
    monkeypatch.setattr(identity, "BROKER_S", 1.0)
    logs = await Logs.open(kafka.options, TOPICS)
    try:
        await logs.confirm()
        wire.tear("up")
        with pytest.raises(KafkaTrouble, match="asking for the topics' ids failed"):
            await logs.confirm()
        await logs.confirm()
    finally:
        await logs.close()


async def _answer(
    ask: Callable[[list[TopicPartition]], Awaitable[object]], tps: list[TopicPartition]
) -> object:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(KafkaTrouble):
                return await ask(tps)


@pytest.mark.parametrize("question", ["starts", "ends", "committed_ends", "committed"])
async def test_whoever_asks_for_offsets_does_not_stay_with_it(
    kafka: Kafka, wire: Wire, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """The question may fail; asked again it is answered."""
    monkeypatch.setattr(log_ends, "REQUEST_S", 1.0)
    asking = await LogEnds.open(kafka.options, "group")
    ask, tps = getattr(asking, question), [TopicPartition(topic, 0) for topic in TOPICS]
    try:
        before = await _answer(ask, tps)  # nobody coordinates the group at first
        wire.tear("up")
        with contextlib.suppress(KafkaTrouble):
            await ask(tps)
        assert await ask(tps) == before
    finally:
        await asking.close()


async def test_whoever_follows_the_rules_does_not_stay_with_it(kafka: Kafka, wire: Wire) -> None:
    """All three questions are answered in the end."""
    options = {**kafka.options, "request_timeout_ms": 1_000}
    follower = await Follower.open(options, topics.RULES)
    try:
        for ask in (follower.catch_up, follower.read_to_end, follower.is_held_back):
            wire.tear("up")
            with contextlib.suppress(Unreachable):
                await ask()
            await ask()
    finally:
        await follower.close()
