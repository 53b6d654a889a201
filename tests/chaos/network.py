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


class _Line:
    """One connection through a wire: the server's end and the worker's."""

    def __init__(self, to_server: asyncio.StreamWriter, to_client: asyncio.StreamWriter) -> None:
        self.ends: dict[Direction, asyncio.StreamWriter] = {"up": to_server, "down": to_client}
        self.torn: Direction | None = None
        """Which end is gone without the other's having been told."""

    def tear(self, end: Direction) -> None:
        """Close one end; the other never hears of it."""
        if self.torn is None:
            self.torn = end
            self.ends[end].transport.abort()

    def end(self, at: Direction, *, abort: bool) -> None:
        """Close an end, as the other one's end has it; not where it is not to hear of that."""
        if self.torn in (None, at):
            (self.ends[at].transport.abort if abort else self.ends[at].close)()

    def reset(self) -> None:
        """Reset both ends."""
        for end in self.ends.values():
            with contextlib.suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.transport.abort()


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
        self._lines: set[_Line] = set()
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
            line.reset()

    def tear(self, end: Direction) -> None:
        """Every connection is half-open from now on: one end is closed, the other hears nothing, not even that."""
        for line in list(self._lines):
            line.tear(end)

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
        line = _Line(to_server, to_client)
        self._lines.add(line)
        try:
            await asyncio.gather(self._pump("up", client, line), self._pump("down", server, line))
        finally:
            self._lines.discard(line)
            to_server.close()
            to_client.close()

    async def _pump(self, direction: Direction, source: asyncio.StreamReader, line: _Line) -> None:
        sink = line.ends[direction]
        try:
            while data := await source.read(_READ_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._open[direction].wait()
                if line.torn is None:
                    sink.write(data)
                    await sink.drain()
        except OSError:
            line.end(direction, abort=True)
        else:
            line.end(direction, abort=False)
