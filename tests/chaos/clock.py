"""The clock of a worker's machine, which can jump while the worker runs: what it reads as the time of day is shifted
by what a file says. Monotonic clocks go on, as they do on a machine whose clock is set.
"""

import mmap
import struct
import time
from pathlib import Path

_SHIFT = struct.Struct("d")


class Clock:
    """One machine's clock, as the harness sets it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.jump_to(0.0)

    def jump_to(self, ahead_s: float) -> None:
        """Be so far ahead of the right time from now on; behind where negative."""
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(_SHIFT.pack(ahead_s))


def follow(path: Path) -> None:
    """Have this process read that clock: ``time.time`` and ``time.time_ns``, which all in a worker is told by."""
    with path.open("rb") as file:
        seen = mmap.mmap(file.fileno(), _SHIFT.size, access=mmap.ACCESS_READ)
    right, right_ns = time.time, time.time_ns

    def now() -> float:
        [ahead_s] = _SHIFT.unpack_from(seen)
        return right() + float(ahead_s)

    def now_ns() -> int:
        [ahead_s] = _SHIFT.unpack_from(seen)
        return right_ns() + int(ahead_s * 1e9)

    time.time, time.time_ns = now, now_ns
