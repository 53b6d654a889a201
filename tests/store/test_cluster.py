"""A Redis Cluster holds the state as one Redis does, also while slots move and masters fail."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest

from stream.errors import InputError, Unreachable
from stream.store.checkpoint import Delta, Superseded
from stream.store.cluster import Cluster
from stream.store.layout import Layout
from stream.store.link import Link, Place
from stream.store.store import StateStore
from tests.kafka.broker import CannotRun, free_ports
from tests.kafka.redis_cluster import ClusterNode, RedisCluster
from tests.kafka.servers import unavailable
from tests.store.conftest import Said

PARTITIONS = 12
OVER_S = 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """Three masters with a replica each."""
    folder = tmp_path_factory.mktemp("cluster")
    cluster = RedisCluster([ClusterNode(folder / str(number)) for number in range(6)])
    try:
        cluster.form()
        yield cluster
    except CannotRun as why:
        unavailable("Redis", why)
    finally:
        cluster.kill()


@pytest.fixture
async def store(cluster: RedisCluster, said: Said, app_name: str) -> AsyncIterator[StateStore]:
    """A store that was told of one node alone."""
    cluster.settle()
    store = await StateStore.connect(_seed(cluster), app_name, timeout_s=5, say=said)
    yield store
    await store.close()


def _seed(cluster: RedisCluster) -> str:
    return f"redis+cluster://127.0.0.1:{cluster.nodes[0].port}"


def counters(**subjects: int) -> Delta:
    return Delta({key: {"x": value} for key, value in subjects.items()}, [], {}, b"{}")


async def test_partitions_lie_on_all_masters(store: StateStore, cluster: RedisCluster, app_name: str) -> None:
    """Each whole on one of them: a checkpoint of several keys is written and read back."""
    leases = [await store.take(number) for number in range(PARTITIONS)]
    for lease in leases:
        await lease.write(counters(a=1, b=2))
        assert await lease.read(["a", "b", "c"]) == [{"x": 1}, {"x": 2}, {}]
    masters = {cluster.master_of(Layout(app_name, number).meta).port: number for number in range(PARTITIONS)}
    assert len(masters) == 3


async def test_a_moved_slot_is_followed(
    store: StateStore, cluster: RedisCluster, app_name: str, said: Said
) -> None:
    """Key by key and as a whole, with nobody told of it."""
    lease, meta = await store.take(0), Layout(app_name, 0).meta
    await lease.write(counters(a=1, b=2))
    to = _another_master(cluster, meta)
    source = cluster.begin_move(meta, to)
    assert await lease.read(["a", "b"]) == [{"x": 1}, {"x": 2}], "nothing has moved yet"
    while cluster.move_keys(meta, source, to, 100):
        pass
    assert await lease.read(["a", "b"]) == [{"x": 1}, {"x": 2}], "all has moved, and is asked for there"
    cluster.end_move(meta, to)
    await lease.write(counters(a=5, c=6))
    assert await lease.read(["a", "c"]) == [{"x": 5}, {"x": 6}]
    assert said.sentences == []


@pytest.mark.parametrize("moved_first", ["some", "all"])
async def test_a_checkpoint_waits_while_its_keys_are_at_two_masters(
    store: StateStore, cluster: RedisCluster, app_name: str, said: Said, moved_first: str
) -> None:
    """Also one that brings a new key, which is at neither; it is written once the move is over, and once."""
    lease, meta = await store.take(0), Layout(app_name, 0).meta
    await lease.write(counters(**{f"s{number}": number for number in range(40)}))
    to = _another_master(cluster, meta)
    source = cluster.begin_move(meta, to)
    cluster.move_keys(meta, source, to, 20 if moved_first == "some" else 100)
    writing = asyncio.create_task(lease.write(counters(new=7, s1=8)))
    await said.until("TRYAGAIN")
    assert not writing.done()
    while cluster.move_keys(meta, source, to, 100):
        pass
    cluster.end_move(meta, to)
    assert await asyncio.wait_for(writing, OVER_S) == lease.seq == 3
    assert await lease.read(["new", "s1", "s2"]) == [{"x": 7}, {"x": 8}, {"x": 2}]


async def test_a_replica_that_follows_has_the_state(
    store: StateStore, cluster: RedisCluster, app_name: str
) -> None:
    """The same lease goes on with it."""
    lease, meta = await store.take(0), Layout(app_name, 0).meta
    await lease.write(counters(a=1))
    old = cluster.master_of(meta)
    replica = cluster.replica_of(old)
    old.ask("WAIT", 1, OVER_S * 1_000)
    old.kill()
    try:
        replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
        await asyncio.wait_for(lease.write(counters(b=2)), OVER_S)
        assert await lease.read(["a", "b"]) == [{"x": 1}, {"x": 2}]
    finally:
        old.start()


async def test_a_replica_that_was_behind_supersedes_the_owner(
    store: StateStore, cluster: RedisCluster, app_name: str
) -> None:
    """What its master had acknowledged alone is gone, and that is found out by the next request."""
    lease, meta = await store.take(0), Layout(app_name, 0).meta
    await lease.write(counters(a=1))
    old = cluster.master_of(meta)
    replica = cluster.replica_of(old)
    old.ask("WAIT", 1, OVER_S * 1_000)
    with cluster.cut_off(replica):
        await lease.write(counters(a=2))
        old.kill()
        replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    try:
        with pytest.raises(Superseded, match="holds checkpoint 2 of partition 0, not 3"):
            await asyncio.wait_for(lease.read(["a"]), OVER_S)
    finally:
        old.start()


async def test_the_address_of_one_node_is_refused(cluster: RedisCluster, said: Said) -> None:
    """It has a part of the state only: the sentence says what to write instead."""
    with pytest.raises(InputError, match=r"is a node of a cluster: let the URL begin with redis\+cluster://"):
        await StateStore.connect(cluster.nodes[0].url, "bonus", timeout_s=5, say=said)


async def test_each_master_must_be_fit(cluster: RedisCluster, said: Said) -> None:
    """One that may evict is as bad as all."""
    other = next(node for node in cluster.nodes[1:] if node.is_master)
    other.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(InputError, match=f"127.0.0.1:{other.port} may drop state"):
            await StateStore.connect(_seed(cluster), "bonus", timeout_s=5, say=said)
    finally:
        other.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


async def test_nodes_that_are_away_are_passed_over(cluster: RedisCluster, said: Said) -> None:
    """One that answers suffices; none is said after the stated time."""
    [nobody] = free_ports(1)
    url = f"redis+cluster://127.0.0.1:{nobody},127.0.0.1:{cluster.nodes[1].port}"
    store = await StateStore.connect(url, "bonus", timeout_s=5, say=said)
    await store.close()
    with pytest.raises(Unreachable, match=f"the cluster 127.0.0.1:{nobody} could"):
        await StateStore.connect(f"redis+cluster://127.0.0.1:{nobody}", "bonus", timeout_s=0.3, say=said)


async def test_addresses_that_nobody_has_any_more_are_forgotten() -> None:
    """Pods come back under other addresses: each old one would take a time-out whenever slots are asked for."""
    closed, generation = list[Place](), 0

    class Pod:
        def __init__(self, place: Place) -> None:
            self.place = place

        async def ask(self, command: object) -> object:
            host = f"pod-{generation}".encode()
            return [(0, 8_000, (host, 1)), (8_001, 16_383, (host, 2))]

        async def close(self) -> None:
            closed.append(self.place)

    redis = Cluster([("seed", 6379)], lambda place: cast(Link, Pod(place)))
    for generation in range(4):
        assert {f"pod-{generation}"} == {link.place[0] for link in cast(list[Pod], await redis.servers())}
    assert {("seed", 6379), ("pod-3", 1), ("pod-3", 2)} == set(redis._to_ask)
    assert {(f"pod-{number}", port) for number in range(3) for port in (1, 2)} == set(closed)


def _another_master(cluster: RedisCluster, key: str) -> ClusterNode:
    has = cluster.master_of(key)
    return next(node for node in cluster.nodes if node is not has and node.is_master)
