"""A move that must not be made is refused before anything is written; one that was broken off is made to its end."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import redis

from schemas.placement import partition_of
from stream.core.rules import TOPICS
from stream.errors import BonusError, InputError
from stream.migrate import Terms
from stream.migrate import move as steps
from stream.migrate.survey import Holds
from stream.store.store import StateStore
from stream.topics import PARTITIONED
from stream.worker.body import Body
from tests.kafka.logs_of import ends_of, read
from tests.kafka.moves import add_partitions, count_all, keys_of, moved, stop
from tests.kafka.traffic import Sender, Sent, new_event, send_traffic, value_of
from tests.kafka.workers import Fleet

PARTITIONS = 2


@pytest.fixture
async def counted(fleet: Fleet) -> Fleet:
    """A group that has counted all there is, and is stopped."""
    await fleet.kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, 7, 200, 20)
    await count_all(fleet)
    return fleet


@pytest.fixture
async def successor(counted: Fleet) -> AsyncIterator[Fleet]:
    """The group that goes on with it, on topics of its own."""
    kafka = replace(counted.kafka, prefix=counted.kafka.prefix + "next.", created=[])
    await kafka.create_topics(partitions=3)
    target = Fleet(kafka, counted.redis_url, counted.group + "-moved", counted.programs)
    yield target
    await target.end()
    await kafka.delete_topics()


async def refused(source: Fleet, target: Fleet, terms: Terms | None = None) -> str:
    """The sentence with which a move is refused; neither side is changed by it."""
    before = keys_of(source), keys_of(target)
    with pytest.raises(BonusError) as refusal:
        await moved(source, target, terms)
    assert before == (keys_of(source), keys_of(target))
    assert refusal.value.exit_code == 1
    return str(refusal.value)


async def bodies_of(fleet: Fleet, partitions: int) -> list[Body]:
    """What the checkpoints of a group say."""
    store = await StateStore.connect(fleet.redis_url, fleet.group, timeout_s=5, say=print)
    found = []
    for number in range(partitions):
        lease = await store.look(number)
        assert lease is not None
        assert lease.meta is not None
        found.append(Body.decode(lease.meta))
    await store.close()
    return found


async def sentence_of(fleet: Fleet) -> str:
    """The one sentence with which a worker of the group can't start; nothing that it opened is left open."""
    worker = await fleet.start()
    assert await worker.ended() == 1, str(worker)
    assert not [line for line in worker.lines if "Unclosed" in str(line["event"])], str(worker)
    [sentence] = worker.sentences
    return sentence


async def test_what_stands_against_a_move_is_told_and_nothing_is_changed(
    counted: Fleet, successor: Fleet
) -> None:
    """Each with what to do about it."""
    assert "written over itself" in await refused(counted, counted)
    nobody = Fleet(counted.kafka, counted.redis_url, "nobody", counted.programs)
    assert "holds no checkpoint of its partition 0" in await refused(nobody, successor)

    worker = await counted.start_serving(PARTITIONS)  # from here on it has nothing to write
    assert f"The group {counted.group} has a worker" in await refused(counted, successor)
    await stop(worker)

    await send_traffic(counted.kafka.bootstrap, counted.kafka.prefix, 9, 50, 20)
    sentence = await refused(counted, successor)
    assert "and was counted up to" in sentence
    assert "hold the producers" in sentence

    await count_all(counted)
    await send_traffic(successor.kafka.bootstrap, successor.kafka.prefix, 8, 50, 20)
    assert "--target-holds" in await refused(counted, successor)
    await count_all(successor)
    assert "has state of its own already" in await refused(counted, successor, Terms("new"))


async def test_what_the_new_inputs_hold_already_is_counted_or_skipped(
    counted: Fleet, successor: Fleet
) -> None:
    """As it is said: new events from the start of the logs, copies not at all."""
    kafka = successor.kafka
    await send_traffic(kafka.bootstrap, kafka.prefix, 8, 50, 20)
    ends = await ends_of(kafka.bootstrap, *(kafka.prefix + topic for topic in TOPICS))
    expected: dict[Holds, int] = {"new": 0, "counted": sum(ends.values())}
    for holds, offsets in expected.items():
        target = Fleet(kafka, successor.redis_url, f"{counted.group}-{holds}", successor.programs)
        await moved(counted, target, Terms(holds))
        assert offsets == sum(sum(body.positions.values()) for body in await bodies_of(target, 3))


async def test_a_move_that_was_broken_off_is_made_to_its_end(
    counted: Fleet, successor: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then no worker goes on with what is there of it."""
    at_the_end, written = steps._end, 0

    async def dies_half_way(*args: object) -> None:
        nonlocal written
        written = len(keys_of(successor))
        raise ConnectionError("the machine went away")

    monkeypatch.setattr(steps, "_end", dies_half_way)
    with pytest.raises(ConnectionError):
        await moved(counted, successor)
    assert written > 50
    assert "A move of state into this group has not come to its end" in await sentence_of(successor)

    monkeypatch.setattr(steps, "_end", at_the_end)
    assert (await moved(counted, successor)).done_before is False
    assert (await moved(counted, successor)).done_before is True
    await stop(await successor.start_serving())


async def test_state_that_is_used_meanwhile_is_not_moved(
    counted: Fleet, successor: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes a partition of the old group makes what was read of it worthless. What is there of the move is
    not gone on with either: it would be mixed with what there is now."""
    move_ids = steps._move_ids

    async def meanwhile(*args: object) -> None:
        store = await StateStore.connect(counted.redis_url, counted.group, timeout_s=5, say=print)
        await store.take(1)
        await store.close()
        await move_ids(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as used:
        used.setattr(steps, "_move_ids", meanwhile)
        with pytest.raises(InputError, match="Somebody used the state while it was moved"):
            await moved(counted, successor)
    assert "an unfinished move of something else already" in await refused(counted, successor)


async def test_moved_state_that_is_lost_is_not_counted_anew(counted: Fleet, successor: Fleet) -> None:
    """Its logs begin with the move: they know neither the counts nor what was paid before."""
    await moved(counted, successor)
    with redis.Redis.from_url(successor.redis_url) as client:
        backup = {key: client.dump(key) for key in keys_of(successor)}
        client.delete(*backup)
    assert "a part of which `bonus migrate` brought" in await sentence_of(successor)
    with redis.Redis.from_url(successor.redis_url) as client:
        for key, dump in backup.items():
            client.restore(key, 0, dump, replace=True)
    await stop(await successor.start_serving())


async def test_records_left_unread_when_partitions_were_added_need_consent(counted: Fleet) -> None:
    """With it the logs go on where they were read to: what lies in its place still is counted."""
    kafka = counted.kafka
    stays, goes = (
        next(name for name in map(str, range(99)) if (partition_of(name, 2), partition_of(name, 3)) == place)
        for place in ((0, 0), (0, 1))
    )
    sender = Sender(kafka.bootstrap, kafka.prefix)
    for creator in (stays, goes):
        sender.send(Sent("comments", value_of(new_event("left", creator, source="search")), creator, 0))
    await sender.flush()
    await add_partitions(kafka, PARTITIONED, 3)
    target = Fleet(kafka, counted.redis_url, counted.group + "-moved", counted.programs)
    assert "and was counted up to" in await refused(counted, target)
    await moved(counted, target, Terms(accept_unread=True))
    await count_all(target)
    paid = [
        record.key
        for records in (await read(kafka.bootstrap, kafka.prefix + "bonuses")).values()
        for record in records
    ]
    assert stays.encode() in paid
    assert goes.encode() not in paid
    rejected = await read(kafka.bootstrap, kafka.prefix + "rejected")
    errors = [
        dict(record.headers)["error"]
        for records in rejected.values()
        for record in records
        if record.key == goes.encode()
    ]
    assert errors == [b"wrong_partition"]
