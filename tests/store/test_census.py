"""Looking at state without taking it, and listing all of it: what moving it elsewhere asks for."""

from typing import TYPE_CHECKING

import pytest

from stream.store.checkpoint import Delta, IdBatch, Superseded
from stream.store.store import StateStore

if TYPE_CHECKING:
    from redis.asyncio import Redis

META = b"{}"


def subjects(fields: dict[str, dict[str, int | None]], due: dict[str, int | None] | None = None) -> Delta:
    """A checkpoint of these fields alone."""
    return Delta(fields, [], {}, META, due or {})


async def listed(store: StateStore) -> dict[int, set[str]]:
    """All that `entries` lists."""
    found: dict[int, set[str]] = {}
    async for page in store.entries():
        for partition, keys in page.items():
            found.setdefault(partition, set()).update(keys)
    return found


async def test_a_look_reads_what_the_owner_wrote_and_leaves_everything_as_it_is(
    store: StateStore, client: "Redis"
) -> None:
    """The owner does not notice."""
    owner = await store.take(0)
    await owner.write(Delta({"a": {"x": 1}}, [IdBatch("views", [(7, ["e"])])], {}, b"body", {"a": 9}))
    before = await client.hgetall("{bonus:0}:meta")
    look = await store.look(0)
    assert look is not None
    assert (b"body", [{"x": 1}, {}]) == (look.meta, await look.read(["a", "b"]))
    assert ([IdBatch("views", [(7, ["e"])])], [9, None]) == (await look.ids(), await look.dues(["a", "b"]))
    await look.verify()
    assert before == await client.hgetall("{bonus:0}:meta")
    assert await owner.read(["a"]) == [{"x": 1}]


async def test_a_look_at_what_is_not_there_finds_nothing(store: StateStore) -> None:
    """Also where a partition was taken and nothing was written yet."""
    assert await store.look(0) is None
    await store.take(0)
    assert await store.look(0) is None


@pytest.mark.parametrize("change", ["write", "take"])
async def test_a_look_is_superseded_by_whoever_changes_anything(store: StateStore, change: str) -> None:
    """What it reads is of one moment."""
    owner = await store.take(0)
    await owner.write(subjects({"a": {"x": 1}}))
    look = await store.look(0)
    assert look is not None
    await (owner.write(subjects({})) if change == "write" else store.take(0))
    with pytest.raises(Superseded):
        await look.verify()
    with pytest.raises(Superseded):
        await look.dues(["a"])


async def test_every_entry_is_listed_and_nothing_else(store: StateStore, client: "Redis") -> None:
    """Of all partitions, whatever its name; not those of other applications, nor other kinds of keys."""
    keys = ["a", "a\x1fv", "a\x1e7:1:ff", "x}:s:y", "line\nbreak", *(f"c{number}" for number in range(3_000))]
    for partition in (0, 11):
        lease = await store.take(partition)
        fields: dict[str, dict[str, int | None]] = {key: {"x": 1} for key in keys}
        await lease.write(Delta(fields, [IdBatch("views", [(7, ["e"])])], {}, META, {"a": 9}))
    await client.hset("{bonus2:0}:s:other", "x", "1")
    await client.hset("{bonus:0}:t:other", "x", "1")
    assert await listed(store) == {0: set(keys), 11: set(keys)}
