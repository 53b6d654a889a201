"""What stands still without an error ends the worker, with a sentence; the next one goes on, and every bonus is there
once. ``test_stall_none`` has what is no stall."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.kafka.expected import assert_exact
from tests.kafka.servers import Kafka
from tests.kafka.stalls import STALLS
from tests.kafka.traffic import load, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 2

SAYS = {
    "forgotten": "views/0 has stood at offset",
    "hung-fetch": "nothing more is fetched",
    "dead-agent": "what was fetched does not come through its agent",
    "hung-task": "what was fetched is not applied",
}
"""A part of the sentence, by what stands still."""


@pytest.fixture
async def fleets(fleet: Fleet) -> AsyncIterator[dict[str, Fleet]]:
    """For each stall a fleet with topics and a group of its own: they take their time side by side."""
    prefixes = {name: f"t{uuid4().hex[:12]}." for name in STALLS}
    found = {
        name: Fleet(Kafka(fleet.kafka.bootstrap, prefix), fleet.redis_url, prefix.strip("."), fleet.programs)
        for name, prefix in prefixes.items()
    }
    yield found
    for each in found.values():
        await each.end()
        await each.kafka.delete_topics()


async def assert_ends(name: str, fleet: Fleet, begin: Path, seed: int) -> None:
    """A worker that is struck by this stall under load ends, and says where, for how long, and what it missed."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=500)
    worker = await fleet.run(
        [sys.executable, "-m", "tests.kafka.stalls"],
        stall_timeout="4s",
        drain_timeout="1s",
        test_stall=name,
        test_stall_when=begin,
    )
    await fleet.settled()
    await asyncio.to_thread(begin.touch)
    async with load(kafka.bootstrap, kafka.prefix, seed + 1, rate=300):
        assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert SAYS[name] in sentence
    assert "for 4 s, though its log is committed up to" in sentence


async def test_a_stall_ends_the_worker(fleets: dict[str, Fleet], tmp_path: Path, seed: int) -> None:
    """A partition that is not fetched any more, fetches without an answer, an agent that gets nothing, a task that
    waits for nothing: exit code 1 and one sentence. Who is started then goes on."""
    await asyncio.gather(*(assert_ends(name, fleet, tmp_path / name, seed) for name, fleet in fleets.items()))
    fleet = fleets["forgotten"]
    await fleet.start()
    await fleet.settled()
    await assert_exact(fleet.kafka.bootstrap, fleet.kafka.prefix, fleet.programs, at_least=50)
