"""Breaks of what a checkpoint waits for, says and compares."""

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
    async def at_once(self: Outgoing, records: int) -> None: ...

    Outgoing._relayed_up_to = at_once  # type: ignore[method-assign]


def newest_place() -> None:
    def place(self: Outgoing, mark: Mark) -> int:
        return self._ledger.place

    Outgoing.place_of = place  # type: ignore[method-assign]


def no_guard() -> None:
    assert _GUARD in scripts._WRITE
    scripts._WRITE = scripts._WRITE.replace(_GUARD, "")
