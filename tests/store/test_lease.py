"""What a partition's owner reads and writes while Redis is well."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from stream.errors import InputError
from stream.store.checkpoint import Delta, IdBatch, Superseded
from stream.store.layout import BUCKET_MS
from stream.store.store import StateStore
from tests.kafka.redis_server import RedisServer

if TYPE_CHECKING:
    from redis.asyncio import Redis


def counters(subjects: dict[str, dict[str, int | None]], meta: bytes = b"{}") -> Delta:
    return Delta(subjects, [], {}, meta)


async def test_what_was_written_is_read_back_by_the_next_owner(store: StateStore) -> None:
    """Counters, ids and meta; integers of any size; nothing for an unknown subject."""
    lease = await store.take(3)
    assert (lease.seq, lease.meta, await lease.ids()) == (1, None, [])
    ids = [
        IdBatch("views", [(BUCKET_MS - 1, ["e1", "e2"]), (BUCKET_MS, ["e3"])]),
        IdBatch("likes", [(5, ["e1"])]),
    ]
    assert (
        await lease.write(Delta({"a": {"x": -5, "y": 2**80}, "b": {"x": 0}}, ids, {}, b"\x00positions")) == 2
    )

    successor = await store.take(3)
    assert (successor.seq, successor.meta) == (3, b"\x00positions")
    assert await successor.read(["a", "nobody", "b"]) == [{"x": -5, "y": 2**80}, {}, {"x": 0}]
    assert sorted(await successor.ids(), key=lambda batch: batch.topic) == sorted(
        ids, key=lambda batch: batch.topic
    )


async def test_a_take_without_a_checkpoint_has_no_meta(store: StateStore) -> None:
    """Also when somebody had taken the partition before."""
    await store.take(0)
    lease = await store.take(0)
    assert (lease.seq, lease.meta) == (2, None)


async def test_partitions_and_applications_never_meet(store: StateStore, server: RedisServer) -> None:
    """The same subject in another partition, or another application on the same Redis, is another."""
    other_app = await StateStore.connect(server.url, "other", timeout_s=5, say=print)
    leases = [await store.take(0), await store.take(1), await other_app.take(0)]
    for number, lease in enumerate(leases):
        await lease.write(counters({"a": {"x": number}}))
    assert [await lease.read(["a"]) for lease in leases] == [[{"x": 0}], [{"x": 1}], [{"x": 2}]]
    await other_app.close()


async def test_none_deletes_a_field_and_the_last_one_the_subject(store: StateStore, client: "Redis") -> None:
    """What is not counted any more leaves no key behind."""
    lease = await store.take(0)
    await lease.write(counters({"a": {"x": 1, "y": 2}, "b": {"x": 1}}))
    await lease.write(counters({"a": {"x": None, "y": 3, "never": None}, "b": {"x": None}}))
    assert await lease.read(["a", "b"]) == [{"y": 3}, {}]
    assert not await client.exists("{bonus:0}:s:b")


async def test_subjects_are_due_before_a_time_the_oldest_first(store: StateStore, client: "Redis") -> None:
    """As of the last checkpoint, which also moves and ends dues; the time itself is not before it."""
    lease = await store.take(0)
    assert await lease.due(2**53, 10) == []
    await lease.write(Delta({}, [], {}, b"", {"c": 30, "a b": 10, "é{}": 20}))
    assert await lease.due(30, 10) == ["a b", "é{}"]
    assert await (await store.take(0)).due(31, 2) == ["a b", "é{}"]
    lease = await store.take(0)
    await lease.write(Delta({}, [], {}, b"", {"a b": 253_402_300_799_999, "é{}": None, "nobody": None}))
    assert await lease.due(253_402_300_800_000, 10) == ["c", "a b"]
    await lease.write(Delta({}, [], {}, b"", {"a b": None, "c": None}))
    assert not await client.exists("{bonus:0}:due")


async def test_ids_are_forgotten_by_the_floor_and_leave_no_key(store: StateStore, client: "Redis") -> None:
    """Forgetting needs no search, and a new owner doesn't see them either."""
    lease = await store.take(0)
    await lease.write(Delta({}, [IdBatch("views", [(0, ["old"]), (BUCKET_MS, ["young"])])], {}, b""))
    await lease.write(Delta({}, [], {"views": BUCKET_MS + 1}, b""))
    assert await lease.ids() == [IdBatch("views", [(BUCKET_MS, ["young"])])]
    assert await (await store.take(0)).ids() == [IdBatch("views", [(BUCKET_MS, ["young"])])]
    assert await client.keys("*ids*") == ["{bonus:0}:ids:views:1"]


async def test_ids_of_many_checkpoints_come_back_in_the_order_of_arrival(store: StateStore) -> None:
    """Checkpoint 10 follows checkpoint 9, and a batch is a topic's whole memory."""
    lease = await store.take(0)
    arrivals = [(number * BUCKET_MS // 20, [f"e{number}"]) for number in range(45)]
    for arrival in arrivals:
        await lease.write(Delta({}, [IdBatch("views", [arrival])], {}, b""))
    assert await lease.ids() == [IdBatch("views", arrivals)]


async def test_text_comes_back_as_it_went(store: StateStore) -> None:
    """Braces, quotes, spaces, colons and characters outside the BMP, in subjects, fields and ids."""
    strange = ["{other:1}", '"\\', "a b:c", "é", "𝄞", "}{", "x" * 128, "\u2028"]
    lease = await store.take(0)
    subjects: dict[str, dict[str, int | None]] = {text: {text: number} for number, text in enumerate(strange)}
    await lease.write(Delta(subjects, [IdBatch("views", [(1, strange)])], {}, b""))
    assert await lease.read(strange) == list(subjects.values())
    assert await lease.ids() == [IdBatch("views", [(1, strange)])]


async def test_subjects_of_any_size_and_number_are_read_and_written(store: StateStore) -> None:
    """More fields than Lua's stack holds, more subjects than one request asks for."""
    large: dict[str, dict[str, int | None]] = {f"l{n}": {f"f{m}": m for m in range(9_000)} for n in range(5)}
    small: dict[str, dict[str, int | None]] = {f"s{n}": {"x": n} for n in range(1_201)}
    lease = await store.take(0)
    await lease.write(counters(large | small))
    keys = [*small, *large]
    assert dict(zip(keys, await lease.read(keys), strict=True)) == large | small
    await lease.write(counters({key: dict.fromkeys(fields) for key, fields in large.items()}))
    assert await lease.read(list(large)) == [{}] * 5


async def test_no_key_ever_expires(store: StateStore, client: "Redis") -> None:
    """State is forgotten by arrival, never by a clock."""
    lease = await store.take(0)
    await lease.write(Delta({"a": {"x": 1}}, [IdBatch("views", [(0, ["e"])])], {}, b"", {"a": 1}))
    assert {await client.ttl(key) for key in await client.keys("*")} == {-1}


async def test_reads_and_writes_of_one_lease_can_overlap(store: StateStore) -> None:
    """They take turns: a read never meets its own lease's checkpoint half-way."""
    lease = await store.take(0)
    writes = [lease.write(counters({"a": {"x": number}})) for number in range(20)]
    reads = [lease.read(["a"]) for _ in range(20)]
    results = await asyncio.gather(*(work for pair in zip(writes, reads, strict=True) for work in pair))
    assert results == [result for number in range(20) for result in (number + 2, [{"x": number}])]


async def test_a_newer_take_supersedes_the_older_lease(store: StateStore) -> None:
    """The old owner can neither write nor read, nothing of its is applied, and it stays superseded."""
    old = await store.take(0)
    new = await store.take(0)
    for request in (
        lambda: old.write(counters({"a": {"x": 666}})),
        lambda: old.read(["a"]),
        lambda: old.due(1, 1),
        lambda: old.write(counters({})),
    ):
        with pytest.raises(Superseded, match="another owner has taken partition 0"):
            await request()
    assert await new.read(["a"]) == [{}]
    assert await new.write(counters({"a": {"x": 1}})) == 3


async def test_a_superseded_lease_reads_no_ids(store: StateStore) -> None:
    """Ids are state like counters."""
    old = await store.take(0)
    await old.write(Delta({}, [IdBatch("views", [(0, ["e"])])], {}, b""))
    await store.take(0)
    with pytest.raises(Superseded):
        await old.ids()


async def test_another_format_is_refused(store: StateStore, client: "Redis") -> None:
    """One sentence for the operator; the state is left as it is."""
    await store.take(0)
    await client.hset("{bonus:0}:meta", "format", "99")
    before = await client.hgetall("{bonus:0}:meta")
    with pytest.raises(InputError, match="holds partition 0 in format 99, this version knows 1"):
        await store.take(0)
    assert await client.hgetall("{bonus:0}:meta") == before


async def test_a_key_that_is_not_ours_is_found_and_the_half_written_checkpoint_with_it(
    store: StateStore, client: "Redis"
) -> None:
    """State ahead of positions is never taken up: the owner stops, and so does every later take."""
    await client.set("{bonus:0}:s:b", "foreign")
    lease = await store.take(0)
    with pytest.raises(InputError, match=r"state of partition 0 .* is damaged .*WRONGTYPE"):
        await lease.write(counters({"a": {"x": 1}, "b": {"x": 1}}))
    assert await client.hget("{bonus:0}:meta", "seq") == "1"
    with pytest.raises(Superseded):
        await lease.write(counters({}))
    with pytest.raises(
        InputError, match=r"stopped in the middle.*delete all keys that begin with \{bonus:0\}"
    ):
        await store.take(0)


async def test_a_key_that_is_not_ours_is_found_by_a_read(store: StateStore, client: "Redis") -> None:
    """The same sentence."""
    await client.set("{bonus:0}:s:a", "foreign")
    lease = await store.take(0)
    with pytest.raises(InputError, match=r"damaged .*WRONGTYPE"):
        await lease.read(["a"])


async def test_what_cannot_be_read_as_it_was_written_is_told_as_damage(
    store: StateStore, client: "Redis"
) -> None:
    """A count that is no number, ids and meta that are no JSON: never a mistake of ours."""
    lease = await store.take(0)
    await lease.write(
        Delta({"a": {"x": 1}, "b": {"x": 1}}, [IdBatch("views", [(0, ["old"])])], {}, b""),
    )
    await client.hset("{bonus:0}:s:a", "x", "many")
    with pytest.raises(InputError, match=r"partition 0 .* is damaged .*many.*delete all keys"):
        await lease.read(["b", "a"])
    await client.hset("{bonus:0}:ids:views:0", "2", "[")
    with pytest.raises(InputError, match="is damaged"):
        await lease.ids()
    await client.hset("{bonus:0}:meta", "buckets", "[")
    with pytest.raises(InputError, match="is damaged"):
        await store.take(0)
