"""The clock of a worker under fire is the one that the harness sets."""

import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.clock import Clock

HOUR_S = 3_600.0
SHOWS = (
    "import sys, time; from pathlib import Path; from tests.chaos.clock import follow\n"
    "follow(Path(sys.argv[1]))\n"
    "for _ in sys.stdin: print(time.time(), time.time_ns() / 1e9, time.monotonic(), flush=True)\n"
)


def test_a_clock_jumps_under_a_running_process(tmp_path: Path) -> None:
    """Ahead, back and to where it was; a monotonic clock goes on."""
    clock = Clock(tmp_path / "clock")
    command = [sys.executable, "-c", SHOWS, str(clock.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen: list[tuple[float, ...]] = []
        for ahead_s in (0.0, HOUR_S, -HOUR_S, 0.0):
            clock.jump_to(ahead_s)
            process.stdin.write("\n")
            process.stdin.flush()
            now, now_ns, monotonic_s = map(float, process.stdout.readline().split())
            seen.append((now - time.time() - ahead_s, now_ns - time.time() - ahead_s, monotonic_s))
        process.stdin.close()
    off, off_ns, went_on = zip(*seen, strict=True)
    assert all(abs(off_s) < HOUR_S / 2 for off_s in (*off, *off_ns))
    assert list(went_on) == sorted(went_on)
