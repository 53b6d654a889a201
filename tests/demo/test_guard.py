"""Children of the demo end with it, however it ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from stream.demo.guard import guarded

# Writes to the fifo that it runs, then sleeps; whoever reads the fifo sees its end when the process is gone.
CHILD = """
import os, sys, time
out = os.open(sys.argv[1], os.O_WRONLY)
os.write(out, b"running")
time.sleep(600)
"""


def opened(fifo: Path) -> int:
    os.mkfifo(fifo)
    return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)


def read(pipe: int, within_s: float = 20) -> bytes:
    """The next bytes; empty when the writer has gone. Fails where neither happens."""
    ready, _, _ = select.select([pipe], [], [], within_s)
    assert ready, "the child neither wrote nor ended"
    return os.read(pipe, 100)


def test_a_child_ends_when_its_parent_leaves_the_context(tmp_path: Path) -> None:
    pipe = opened(tmp_path / "fifo")
    with guarded([sys.executable, "-c", CHILD, str(tmp_path / "fifo")], tmp_path / "log"):
        assert read(pipe) == b"running"
    assert read(pipe) == b""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    pipe = opened(tmp_path / "fifo")
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys, time; from pathlib import Path; from stream.demo.guard import guarded\n"
            "with guarded(sys.argv[2:], Path(sys.argv[1])): time.sleep(600)",
            *(str(tmp_path / "log"), sys.executable, "-c", CHILD, str(tmp_path / "fifo")),
        ]
    )
    assert read(pipe) == b"running"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert read(pipe) == b""


def test_the_guard_has_the_exit_code_and_the_output_of_its_child(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('last words'); raise SystemExit(3)"]
    with guarded(command, tmp_path / "log") as guard:
        assert guard.wait(20) == 3
    assert (tmp_path / "log").read_text() == "last words\n"
