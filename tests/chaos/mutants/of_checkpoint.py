"""Breaks of what a checkpoint waits for, says and compares."""

import asyncio
from collections.abc import Callable

from aiokafka import ConsumerRecord

from stream.core.outcome import Rejection
from stream.emit.outbox import Outbox
from stream.store import scripts
from stream.worker.crew import Crew
from stream.worker.service import Service
from stream.worker.take import Taken

_GUARD = "if guard[1] ~= ARGV[1] or guard[2] ~= ARGV[2] then return guard end\n"


class _Hasty(asyncio.Condition):
    """Makes a checkpoint believe that its bonuses are committed."""

    async def wait_for(self, predicate: Callable[[], object]) -> bool:  # type: ignore[override]
        if "_checkpoint" in getattr(predicate, "__qualname__", ""):
            return True
        return bool(await super().wait_for(predicate))


def before_bonuses() -> None:
    honest = Service.__init__

    def init(self: Service, crew: Crew, taken: Taken) -> None:
        honest(self, crew, taken)
        self._settled = _Hasty()

    Service.__init__ = init  # type: ignore[method-assign]


def before_relays() -> None:
    honest = Outbox.turn_away
    under_way: set[asyncio.Task[None]] = set()

    async def done() -> None: ...

    def turn_away(self: Outbox, record: ConsumerRecord, rejection: Rejection) -> asyncio.Task[None]:
        under_way.add(honest(self, record, rejection))
        return asyncio.ensure_future(done())

    Outbox.turn_away = turn_away  # type: ignore[method-assign]


def newest_place() -> None:
    def place(self: Service, bonuses: int) -> int:
        return self._ledger.place

    Service._place_of = place  # type: ignore[method-assign]


def no_guard() -> None:
    assert _GUARD in scripts._WRITE
    scripts._WRITE = scripts._WRITE.replace(_GUARD, "")
