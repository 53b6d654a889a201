"""Redis goes away, refuses, loses its data or goes back in time: nothing is lost and nothing is applied twice."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis as Operator

from stream.errors import InputError
from stream.store.checkpoint import Delta, IdBatch, Superseded
from stream.store.layout import BUCKET_MS
from stream.store.store import StateStore
from tests.kafka.redis_server import RedisServer
from tests.store.conftest import PATIENCE_S, Said
from tests.store.proxy import Proxy

if TYPE_CHECKING:
    from redis.asyncio import Redis

META = "{bonus:0}:meta"

REFUSALS = [
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "EXECABORT Transaction discarded because of previous errors.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ASK 3999 127.0.0.1:6381",
    "MOVED 3999 127.0.0.1:6381",
    "CLUSTERDOWN The cluster is down",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "BUSY Redis is busy running a script.",
    "NOAUTH Authentication required.",
]


async def ask(redis: "Redis", *words: str) -> object:
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


def counters(subjects: dict[str, dict[str, int | None]]) -> Delta:
    return Delta(subjects, [], {}, b"{}")


async def test_a_wiped_redis_supersedes_the_owner(store: StateStore, client: "Redis") -> None:
    """Reads too: an empty answer would look like a subject without counts."""
    writer, reader = await store.take(0), await store.take(1)
    await client.flushall()
    with pytest.raises(Superseded, match="has lost partition 0"):
        await writer.write(counters({"a": {"x": 1}}))
    with pytest.raises(Superseded, match="has lost partition 1"):
        await reader.read(["a"])
    assert (await store.take(0)).meta is None


async def test_another_owner_with_the_same_seq_is_another_owner(store: StateStore, client: "Redis") -> None:
    """A wiped Redis starts at seq 1 again; the old owner still has no right to write."""
    old = await store.take(0)
    await client.flushall()
    new = await store.take(0)
    assert new.seq == old.seq
    with pytest.raises(Superseded, match="another owner has taken partition 0"):
        await old.write(counters({"a": {"x": 666}}))
    assert await new.read(["a"]) == [{}]


async def test_a_redis_that_went_back_in_time_supersedes_the_owner(
    forgetful: RedisServer, said: Said
) -> None:
    """A crash brings the last snapshot back; what was acknowledged since is gone, and the seq shows it."""
    store = await StateStore.connect(forgetful.url, "bonus", timeout_s=5, say=said)
    reader, writer = await store.take(0), await store.take(1)
    for lease in (reader, writer):
        await lease.write(counters({"a": {"x": 1}}))
    async with Operator.from_url(forgetful.url) as operator:
        await operator.save()
    for lease in (reader, writer):
        await lease.write(counters({"a": {"x": 2}}))
    forgetful.restart()
    with pytest.raises(Superseded, match="holds checkpoint 2 of partition 0, not 3"):
        await reader.read(["a"])
    with pytest.raises(Superseded, match="holds checkpoint 2 of partition 1, not 3"):
        await writer.write(counters({"a": {"x": 3}}))
    assert await (await store.take(1)).read(["a"]) == [{"x": 1}]
    await store.close()


async def test_crashes_in_the_middle_of_writing_apply_every_checkpoint_once(
    store: StateStore, server: RedisServer
) -> None:
    """kill -9 at any moment of a row of checkpoints, and back with what was acknowledged."""
    lease = await store.take(0)
    crash: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(0))
    for number in range(60):
        if number % 20 == 10:
            await crash
            crash = asyncio.create_task(asyncio.to_thread(server.restart))
        changes: dict[str, dict[str, int | None]] = {f"s{n}": {f"f{number}": number} for n in range(200)}
        arrivals = [(number * 60_000, [f"e{number}"])]
        assert (
            await lease.write(Delta(changes, [IdBatch("views", arrivals)], {}, b"%d" % number)) == number + 2
        )
    await crash

    successor = await store.take(0)
    assert (successor.seq, successor.meta) == (62, b"59")
    expected = {f"f{number}": number for number in range(60)}
    assert await successor.read([f"s{n}" for n in range(200)]) == [expected] * 200
    assert await successor.ids() == [IdBatch("views", [(n * 60_000, [f"e{n}"]) for n in range(60)])]


async def test_a_checkpoint_whose_answer_was_lost_is_applied_once(server: RedisServer, said: Said) -> None:
    """The request went through and the line broke before the reply: the second try finds it done."""
    async with Proxy(server.url).listening() as proxy:
        store = await StateStore.connect(proxy.url, "bonus", timeout_s=5, say=said)
        lease = await store.take(0)
        proxy.lose_next_reply()
        assert await lease.write(Delta({"a": {"x": 1}}, [IdBatch("views", [(1, ["e"])])], {}, b"first")) == 2
        assert proxy.spoiled == 1
        assert await lease.write(counters({"a": {"y": 2}})) == 3
        assert await lease.read(["a"]) == [{"x": 1, "y": 2}]
        assert await lease.ids() == [IdBatch("views", [(1, ["e"])])]
        await store.close()


async def test_a_take_whose_answer_was_lost_is_one_take(server: RedisServer, said: Said) -> None:
    """The second try finds its own owner in Redis."""
    async with Proxy(server.url).listening() as proxy:
        store = await StateStore.connect(proxy.url, "bonus", timeout_s=5, say=said)
        proxy.lose_next_reply()
        lease = await store.take(0)
        assert (proxy.spoiled, lease.seq) == (1, 1)
        assert await lease.write(counters({"a": {"x": 1}})) == 2
        await store.close()


async def test_a_failover_behind_one_address_is_followed(
    server: RedisServer, client: "Redis", tmp_path: Path, said: Said
) -> None:
    """The old master lives on as a replica, and connections to it as well."""
    promoted = RedisServer(tmp_path / "promoted")
    promoted.start()
    try:
        async with Proxy(server.url).listening() as proxy, Operator.from_url(promoted.url) as operator:
            await ask(operator, "REPLICAOF", "127.0.0.1", str(server.port))
            store = await StateStore.connect(proxy.url, "bonus", timeout_s=5, say=said)
            lease = await store.take(0)
            await lease.write(counters({"a": {"x": 1}}))
            async with asyncio.timeout(PATIENCE_S):
                while await ask(client, "WAIT", "1", "1000") != 1:  # less than the client waits for an answer
                    pass
            await ask(operator, "REPLICAOF", "NO", "ONE")
            await ask(client, "REPLICAOF", "127.0.0.1", str(promoted.port))
            proxy.lead_to(promoted.url)
            async with asyncio.timeout(PATIENCE_S):
                assert await lease.write(counters({"a": {"x": 2}})) == 3
            await store.close()
            assert await operator.hgetall("{bonus:0}:s:a") == {b"x": b"2"}
    finally:
        promoted.kill()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.split()[0])
async def test_a_refusal_is_waited_out_with_the_same_checkpoint(
    forgetful: RedisServer, said: Said, refusal: str
) -> None:
    """Whatever it is: takes, checkpoints, read-backs and ids go on where they were, and the operator is told."""
    async with Proxy(forgetful.url).listening() as proxy:
        store = await StateStore.connect(proxy.url, "bonus", timeout_s=5, say=said)
        proxy.refuse_next(refusal)
        lease = await store.take(0)
        proxy.refuse_next(refusal)
        assert await lease.write(Delta({"a": {"x": 1}}, [IdBatch("views", [(1, ["e"])])], {}, b"")) == 2
        proxy.refuse_next(refusal)
        assert await lease.read(["a"]) == [{"x": 1}]
        proxy.refuse_next(refusal)
        assert await lease.ids() == [IdBatch("views", [(1, ["e"])])]
        assert proxy.spoiled == 4
        await store.close()
    held = [sentence for sentence in said.sentences if " waits for Redis at 127.0.0.1:" in sentence]
    assert [sentence.split(" of ")[0] for sentence in held] == [
        "The take",
        "The checkpoint",
        "The read-back",
        "The read-back",
    ]
    assert sum(" goes on: " in sentence for sentence in said.sentences) == 4


async def test_a_full_redis_holds_the_checkpoint_until_there_is_room(
    store: StateStore, client: "Redis", said: Said
) -> None:
    """None of it is applied before, all of it after, and both moments are said."""
    lease = await store.take(0)
    await client.config_set("maxmemory", 1)
    writing = asyncio.create_task(lease.write(counters({"a": {"x": 1}, "b": {"x": None}})))
    sentence = await said.until("OOM")
    assert sentence.startswith("The checkpoint of partition 0 waits for Redis at 127.0.0.1:")
    assert sentence.endswith("raise its maxmemory.")
    assert await client.hgetall(META) == await client.hgetall(META) | {"seq": "1"}
    assert not await client.exists("{bonus:0}:s:a")
    await client.config_set("maxmemory", "0")
    assert await writing == 2
    assert "The checkpoint of partition 0 goes on" in await said.until("goes on")
    assert await lease.read(["a"]) == [{"x": 1}]


async def test_a_replica_holds_the_checkpoint_until_it_is_the_master(
    store: StateStore, client: "Redis", said: Said
) -> None:
    """A failover that is not finished yet: held, said, done."""
    lease = await store.take(0)
    await client.replicaof("127.0.0.1", "1")
    writing = asyncio.create_task(lease.write(counters({"a": {"x": 1}})))
    await said.until("READONLY")
    await client.replicaof("NO", "ONE")
    assert await writing == 2
    assert await lease.read(["a"]) == [{"x": 1}]


async def test_a_checkpoint_that_stopped_in_the_middle_is_finished_or_found(
    store: StateStore, client: "Redis", said: Said
) -> None:
    """While it is half-written nobody else takes it up; written again to its end it is whole."""
    lease = await store.take(0)
    await lease.write(Delta({}, [IdBatch("views", [(0, ["old"])])], {}, b""))
    await client.acl_setuser("default", enabled=True, commands=["-unlink"])
    writing = asyncio.create_task(lease.write(Delta({"a": {"x": 1}}, [], {"views": BUCKET_MS}, b"")))
    await said.until("partition 0 waits")
    with pytest.raises(InputError, match=r"a checkpoint stopped in the middle, at \{bonus:0\}:ids:views:0"):
        await store.take(0)
    await client.acl_setuser("default", enabled=True, commands=["+unlink"])
    assert await writing == 3
    assert await (await store.take(0)).read(["a"]) == [{"x": 1}]


async def test_an_owner_that_was_superseded_during_an_outage_finds_out_after_it(
    server: RedisServer, store: StateStore, said: Said
) -> None:
    """A held checkpoint is never forced on a newer owner."""
    async with Proxy(server.url).listening() as proxy:
        cut_off = await StateStore.connect(proxy.url, "bonus", timeout_s=5, say=said)
        lease = await cut_off.take(0)
        proxy.refuse_all("READONLY You can't write against a read only replica.")
        writing = asyncio.create_task(lease.write(counters({"a": {"x": 666}})))
        await said.until("READONLY")
        successor = await store.take(0)
        proxy.pass_on()
        with pytest.raises(Superseded, match="another owner has taken partition 0"):
            await writing
        assert await successor.read(["a"]) == [{}]
        await cut_off.close()


async def test_a_held_checkpoint_can_be_cancelled_and_ends_the_lease(
    store: StateStore, client: "Redis", said: Said
) -> None:
    """Nobody knows whether Redis will still apply it, so the partition has to be taken anew."""
    lease = await store.take(0)
    await client.config_set("maxmemory", 1)
    writing = asyncio.create_task(lease.write(counters({"a": {"x": 1}})))
    await said.until("OOM")
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await client.config_set("maxmemory", "0")
    with pytest.raises(Superseded, match="given up before its result was known"):
        await lease.read(["a"])
    assert await (await store.take(0)).write(counters({"a": {"x": 1}})) == 3
