"""A wire between workers and a server: a TCP proxy on loopback whose traffic can be slowed, held and cut."""

import asyncio
import contextlib
import socket
import struct
from typing import Literal

Direction = Literal["up", "down"]
"""Towards the server, towards the workers."""

_READ_BYTES = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """Passes bytes both ways, until told otherwise.

    What is held in a direction is kept, and delivered when that is over, also where the sender is gone by then: as a
    network does whose packets are sent again.
    """

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._target = ("127.0.0.1", 0)
        self._open: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._holds: dict[Direction, int] = {"up": 0, "down": 0}
        self._lines: set[asyncio.StreamWriter] = set()
        self.delay_s = 0.0
        """How long each piece of data takes, either way."""
        for gate in self._open.values():
            gate.set()

    async def start(self) -> int:
        """Listen; the port. Whoever connects before ``lead_to`` is refused."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def lead_to(self, port: int) -> None:
        """Where the server listens, on loopback."""
        self._target = ("127.0.0.1", port)

    def hold(self, directions: tuple[Direction, ...]) -> None:
        """Deliver nothing in these directions, until ``let_go``; holds may overlap."""
        for direction in directions:
            self._holds[direction] += 1
            self._open[direction].clear()

    def let_go(self, directions: tuple[Direction, ...]) -> None:
        """End one hold of each."""
        for direction in directions:
            self._holds[direction] -= 1
            if self._holds[direction] == 0:
                self._open[direction].set()

    def reset(self) -> None:
        """Every connection is reset, at both of its ends."""
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            line.transport.abort()

    def close(self) -> None:
        """Stop listening, drop every connection."""
        self.reset()
        if self._server is not None:
            self._server.close()

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            to_client.transport.abort()
            return
        pumps = [self._pump("up", client, to_server), self._pump("down", server, to_client)]
        await asyncio.gather(*pumps)

    async def _pump(
        self, direction: Direction, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        self._lines.add(sink)
        try:
            while data := await source.read(_READ_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._open[direction].wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            sink.transport.abort()
        finally:
            self._lines.discard(sink)
            sink.close()
