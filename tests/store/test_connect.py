"""A Redis that can't be reached, or is not fit to hold state, is refused at the start with one sentence."""

from typing import TYPE_CHECKING

import pytest

from stream.errors import InputError, Unreachable
from stream.store.checkpoint import Delta, IdBatch
from stream.store.cluster import Cluster
from stream.store.layout import BUCKET_MS
from stream.store.store import StateStore
from tests.kafka.broker import free_ports
from tests.kafka.redis_server import RedisServer
from tests.store.conftest import Said

if TYPE_CHECKING:
    from redis.asyncio import Redis

NEEDED_COMMANDS = [
    *("+eval", "+info", "+hmget", "+hset", "+hdel", "+hgetall", "+hkeys", "+unlink"),
    *("+zadd", "+zrem", "+zrange"),
]


def with_login(url: str, login: str) -> str:
    return url.replace("redis://", f"redis://{login}@")


async def test_a_redis_that_comes_up_late_is_waited_for(server: RedisServer, said: Said) -> None:
    """Saying so, and connected in the end."""
    server.kill()

    def say(sentence: str) -> None:
        said(sentence)
        server.start()

    store = await StateStore.connect(server.url, "bonus", timeout_s=20, say=say)
    assert (await store.take(0)).seq == 1
    assert said.sentences[0].startswith("The start waits for Redis at 127.0.0.1:")
    assert "Connection refused" in said.sentences[0]
    await store.close()


async def test_no_redis_is_unreachable_after_the_stated_time(said: Said) -> None:
    """One sentence with the place and the time, and without the password."""
    [port] = free_ports(1)
    with pytest.raises(Unreachable) as refused:
        await StateStore.connect(f"redis://me:s3cret@127.0.0.1:{port}/0", "bonus", timeout_s=0.3, say=said)
    assert str(refused.value) == (
        f"Redis at 127.0.0.1:{port} could not be reached within 0.3 s (Connection refused)."
    )
    assert "s3cret" not in "".join(said.sentences)


@pytest.mark.parametrize("login", ["me:s3cret", ":s3cret"])
async def test_a_wrong_login_is_refused_at_once(
    server: RedisServer, client: "Redis", said: Said, login: str
) -> None:
    """One sentence, without the password; no waiting."""
    await client.config_set("requirepass", "right")
    with pytest.raises(InputError) as refused:
        await StateStore.connect(with_login(server.url, login), "bonus", timeout_s=600, say=said)
    assert "does not let us in (WRONGPASS" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert said.sentences == []


async def test_a_missing_login_is_refused_at_once(server: RedisServer, client: "Redis", said: Said) -> None:
    """The same for none."""
    await client.config_set("requirepass", "right")
    with pytest.raises(InputError, match="does not let us in"):
        await StateStore.connect(server.url, "bonus", timeout_s=600, say=said)


async def test_user_and_password_of_the_url_are_used(
    server: RedisServer, client: "Redis", said: Said
) -> None:
    """As redis-py reads them, percent-encoded where needed; the user needs no more than what is written down."""
    await client.acl_setuser(
        "bonus", enabled=True, passwords=["+p@ss"], keys=["{bonus:*"], commands=NEEDED_COMMANDS
    )
    store = await StateStore.connect(with_login(server.url, "bonus:p%40ss"), "bonus", timeout_s=5, say=said)
    lease = await store.take(0)
    await lease.write(Delta({"a": {"x": 1, "y": None}}, [IdBatch("views", [(0, ["e"])])], {}, b"", {"a": 5}))
    assert (await lease.read(["a"]), len(await lease.ids()), await lease.due(6, 1)) == ([{"x": 1}], 1, ["a"])
    await lease.write(Delta({}, [], {"views": BUCKET_MS}, b"", {"a": None}))
    assert said.sentences == []
    await store.close()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_redis_that_may_evict_is_refused(
    server: RedisServer, client: "Redis", said: Said, policy: str
) -> None:
    """State that disappears by itself would be counted as zero."""
    await client.config_set("maxmemory-policy", policy)
    with pytest.raises(InputError, match=f"maxmemory-policy is {policy}.*set maxmemory-policy to noeviction"):
        await StateStore.connect(server.url, "bonus", timeout_s=5, say=said)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:6379",
        "http://me:s3cret@127.0.0.1:6379",
        "redis://me:s3cret@127.0.0.1:port/0",
        "redis://me:s3cret@127.0.0.1:6379/0?socket_timeout=s3cret",
        "redis://me:s3cret@127.0.0.1:6379/0?no_such_option=s3cret",
        "redis+cluster://me:s3cret@127.0.0.1:6379/3",
        "redis+cluster://me:s3cret@127.0.0.1:port",
        "",
    ],
)
async def test_a_url_that_can_not_be_read_is_refused_without_repeating_it(url: str, said: Said) -> None:
    """It may hold a password, also where the mistake is."""
    with pytest.raises(InputError, match="The Redis URL can't be read: expected redis") as refused:
        await StateStore.connect(url, "bonus", timeout_s=5, say=said)
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("redis://{}/99", "its databases are fewer than the number at the end of the URL"),
        ("redis+cluster://{}", "it is no cluster, so let the URL begin with redis://"),
    ],
)
async def test_what_a_server_can_not_do_is_told_with_what_to_do(
    server: RedisServer, said: Said, url: str, advice: str
) -> None:
    place = server.url.removeprefix("redis://").removesuffix("/0")
    with pytest.raises(InputError, match="can't hold the state .*: " + advice):
        await StateStore.connect(url.format(place), "bonus", timeout_s=5, say=said)


async def test_a_name_that_can_not_be_a_key_is_refused(said: Said) -> None:
    """Before anything is tried."""
    with pytest.raises(InputError, match="application name"):
        await StateStore.connect("redis://127.0.0.1:1", "a{b}", timeout_s=5, say=said)


async def test_nodes_of_a_cluster_may_be_named_by_ipv6() -> None:
    """Also one that is not the first, which newer Pythons' own reading of URLs refuses."""
    cluster = Cluster.to("redis+cluster://me:s3cret@a:6380,[::1]:6381,c")
    assert cluster._seeds == {("a", 6380), ("::1", 6381), ("c", 6379)}
    await cluster.close()
