"""`bonus migrate`: over the whole life of a group that was moved, each bonus is paid once and none is missing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stream.topics import PARTITIONED
from tests.kafka.moves import (
    add_partitions,
    assert_paid_once,
    command,
    count_all,
    inputs_of,
    keys_of,
    moved,
    send_again,
    since,
)
from tests.kafka.servers import Kafka
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet

RECORDS, CREATORS = 1_200, 80


@asynccontextmanager
async def another(fleet: Fleet, prefix: str | None = None) -> AsyncIterator[Fleet]:
    """The group that the state is moved to: of the same servers, on other topics if they have another prefix."""
    kafka = Kafka(fleet.kafka.bootstrap, fleet.kafka.prefix if prefix is None else prefix)
    target = Fleet(kafka, fleet.redis_url, fleet.group + "-moved", fleet.programs)
    yield target
    await target.end()
    await kafka.delete_topics()


async def first_life(fleet: Fleet, seed: int, partitions: int) -> None:
    """A group that has counted all there is, and is stopped."""
    await fleet.kafka.create_topics(partitions=partitions)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed, RECORDS, CREATORS)
    await count_all(fleet)


@pytest.mark.parametrize(("before", "after"), [(4, 6), (6, 4)])
async def test_to_other_topics_with_another_number_of_partitions(
    fleet: Fleet, seed: int, before: int, after: int
) -> None:
    """Counts go on with their creators, nothing is paid twice, what was accepted before is a duplicate after, and
    the old state stays as it was. The command says what it did, and what it would do."""
    await first_life(fleet, seed, before)
    old, old_inputs = keys_of(fleet), await inputs_of(fleet)
    async with another(fleet, fleet.kafka.prefix + "next.") as target:
        await target.kafka.create_topics(partitions=after)
        assert "can be moved" in (await command(fleet, target, "--dry-run")).said
        assert {} == keys_of(target)
        done = await command(fleet, target)
        assert (0, "") == (done.code, done.complained)
        assert f"were moved to group {target.group} ({after} partitions)." in done.said
        assert old == keys_of(fleet)
        await send_again(target, fleet.kafka.prefix, old_inputs, last=20)
        await send_traffic(target.kafka.bootstrap, target.kafka.prefix, seed + 1, RECORDS, CREATORS)
        await count_all(target)
        new_inputs = await inputs_of(target)
        await assert_paid_once(fleet, target, old_inputs, new_inputs, (before, after), at_least=100)


async def test_to_more_partitions_of_the_same_topics(fleet: Fleet, seed: int) -> None:
    """Added while nothing is produced; the logs go on where they were read to."""
    await first_life(fleet, seed, 2)
    old_inputs = await inputs_of(fleet)
    await add_partitions(fleet.kafka, PARTITIONED, 3)
    async with another(fleet) as target:
        await moved(fleet, target)
        await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed + 1, RECORDS, CREATORS)
        await count_all(target)
        new_inputs = since(await inputs_of(target), old_inputs)
        await assert_paid_once(fleet, target, old_inputs, new_inputs, (2, 3), at_least=100)


async def test_to_a_second_group_on_the_same_topics(fleet: Fleet, seed: int) -> None:
    """Also twice over: what was done is left alone, with all that has been counted since."""
    await first_life(fleet, seed, 3)
    old_inputs = await inputs_of(fleet)
    async with another(fleet) as target:
        await moved(fleet, target)
        await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed + 1, RECORDS, CREATORS)
        await count_all(target)
        counted = keys_of(target)
        assert (await moved(fleet, target)).done_before
        assert counted == keys_of(target)
        new_inputs = since(await inputs_of(target), old_inputs)
        await assert_paid_once(fleet, target, old_inputs, new_inputs, (3, 3), at_least=100)
