"""`bonus migrate` to another Kafka and another Redis, where the group keeps its name and the topics theirs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.moves import assert_paid_once, command, count_all, inputs_of
from tests.kafka.redis_server import RedisServer
from tests.kafka.servers import Kafka
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet

PARTITIONS, RECORDS, CREATORS = 3, 1_200, 80


@pytest.fixture
async def abroad(fleet: Fleet, redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    """The same group in another data centre: servers of its own, topics of the same names."""
    broker = Broker(tmp_path / "kafka", cluster_id="YW5vdGhlci1jbHVzdGVyLg")
    broker.start()
    target = Fleet(Kafka(broker.bootstrap, fleet.kafka.prefix), redis_server.url, fleet.group, fleet.programs)
    await target.kafka.create_topics(partitions=PARTITIONS)
    yield target
    await target.end()
    broker.kill()


async def test_to_another_cluster(fleet: Fleet, abroad: Fleet, seed: int) -> None:
    """Over the move each bonus is paid once; without it the state is refused there, for its offsets mean nothing."""
    await fleet.kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed, RECORDS, CREATORS)
    await count_all(fleet)
    before = await inputs_of(fleet)

    astray = await abroad.start(redis=fleet.redis_url)
    assert await astray.ended() == 1
    [sentence] = astray.sentences
    assert "The state of partition 0 belongs to Kafka cluster" in sentence
    assert "bonus migrate" in sentence

    done = await command(fleet, abroad)
    assert (0, "") == (done.code, done.complained)
    await send_traffic(abroad.kafka.bootstrap, abroad.kafka.prefix, seed + 1, RECORDS, CREATORS)
    await count_all(abroad)
    after = await inputs_of(abroad)
    await assert_paid_once(fleet, abroad, before, after, (PARTITIONS, PARTITIONS), at_least=100)
