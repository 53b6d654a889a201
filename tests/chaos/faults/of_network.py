"""What a network does to one wire."""

import asyncio

from tests.chaos.network import Direction, Wire

_SLOW_S = 0.25
_RESETS_EVERY_S = 0.5


async def cut(wire: Wire, trouble: str, directions: tuple[Direction, ...], for_s: float) -> None:
    """``slow``: each piece of data takes a quarter of a second. ``silent``: nothing arrives, all of it later.
    ``reset``: no connection lives long."""
    if trouble == "slow":
        wire.delay_s = _SLOW_S
        await asyncio.sleep(for_s)
        wire.delay_s = 0.0
    elif trouble == "silent":
        wire.hold(directions)
        await asyncio.sleep(for_s)
        wire.let_go(directions)
    else:
        assert trouble == "reset", trouble
        for _ in range(round(for_s / _RESETS_EVERY_S)):
            wire.reset()
            await asyncio.sleep(_RESETS_EVERY_S)
