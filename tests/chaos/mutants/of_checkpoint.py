"""Breaks of what a checkpoint waits for, says and compares."""

import asyncio

from schemas.rejections import Origin
from stream.core.outcome import Rejection
from stream.emit.outbox import Outbox, Record
from stream.store import scripts
from stream.worker.checkpointing import Checkpoints
from stream.worker.outgoing import Mark, Outgoing

_GUARD = "if guard[1] ~= ARGV[1] or guard[2] ~= ARGV[2] then return guard end\n"


def before_bonuses() -> None:
    async def at_once(self: Outgoing, bonuses: int) -> None: ...

    def nowhere(self: Outgoing, mark: Mark) -> int:
        return 0

    Outgoing._committed_up_to = at_once  # type: ignore[method-assign]
    Outgoing.end_of = nowhere  # type: ignore[method-assign]


def before_readers() -> None:
    async def at_once(self: Checkpoints, place: int) -> None: ...

    Checkpoints._readable_up_to = at_once  # type: ignore[method-assign]


def before_relays() -> None:
    honest = Outbox.turn_away
    under_way: set[asyncio.Task[None]] = set()

    async def done() -> None: ...

    def turn_away(self: Outbox, record: Record, origin: Origin, rejection: Rejection) -> asyncio.Task[None]:
        under_way.add(honest(self, record, origin, rejection))
        return asyncio.ensure_future(done())

    Outbox.turn_away = turn_away  # type: ignore[method-assign]


def newest_place() -> None:
    def place(self: Outgoing, mark: Mark) -> int:
        return self._ledger.place

    Outgoing.place_of = place  # type: ignore[method-assign]


def no_guard() -> None:
    assert _GUARD in scripts._WRITE
    scripts._WRITE = scripts._WRITE.replace(_GUARD, "")
