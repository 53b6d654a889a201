"""A TCP proxy before Redis that spoils one answer: the network between a request and its reply."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from urllib.parse import urlsplit

CHUNK_BYTES = 1 << 20


class Proxy:
    """Passes bytes both ways until it is told otherwise, for the next request that comes."""

    def __init__(self, redis_url: str) -> None:
        self._redis = urlsplit(redis_url)
        self._lose_reply = False
        self._refusals: Iterator[bytes] = iter(())
        self.spoiled = 0
        self.url = ""

    def lose_next_reply(self) -> None:
        """The next request reaches Redis, which answers; then the line is dead before the answer arrives."""
        self._lose_reply = True

    def refuse_next(self, error: str) -> None:
        """The next request gets this error instead of reaching Redis."""
        self._refusals = iter([f"-{error}\r\n".encode()])

    def refuse_all(self, error: str) -> None:
        """Every request gets this error, until `pass_on`."""
        self._refusals = repeat(f"-{error}\r\n".encode())

    def pass_on(self) -> None:
        """Requests reach Redis again."""
        self._refusals = iter(())

    def lead_to(self, redis_url: str) -> None:
        """Who connects from now on reaches another Redis."""
        self._redis = urlsplit(redis_url)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Proxy"]:
        """Serves on a port of its own, in ``url``, while the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}{self._redis.path}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        redis, to_redis = await asyncio.open_connection(self._redis.hostname, self._redis.port)
        back = asyncio.create_task(self._pass_replies(redis, to_client))
        try:
            while request := await client.read(CHUNK_BYTES):
                if refusal := next(self._refusals, None):
                    to_client.write(refusal)
                    self.spoiled += 1
                else:
                    to_redis.write(request)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            to_redis.close()
            to_client.close()

    async def _pass_replies(self, redis: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while reply := await redis.read(CHUNK_BYTES):
            if self._lose_reply:
                self._lose_reply = False
                self.spoiled += 1
                break
            to_client.write(reply)
        to_client.close()
