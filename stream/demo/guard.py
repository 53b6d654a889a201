"""Child processes that end with their parent, however it ends.

A guard (this module, as a process) starts the command in a session of its own, so that Ctrl-C in the terminal
reaches only the parent, which ends its children in the right order. The guard holds a pipe from the parent: when
that closes, because the parent closed it or was killed, the guard ends the command. It exits with its exit code.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

GRACE_S = 10


@contextmanager
def guarded(
    command: Sequence[str], output: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` with its output in a file; at the end SIGTERM, and SIGKILL after ``GRACE_S`` seconds.

    ``environment`` is all of its environment; by default it is ours.
    Yields the guard's process: ``poll()`` gives the command's exit code once it has ended by itself.
    """
    with output.open("wb") as out:
        guard = subprocess.Popen(
            [sys.executable, "-m", __name__, *command],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        yield guard
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait()


def main(command: Sequence[str]) -> int:
    """Run ``command`` until it ends or our standard input does; its exit code, 128 + n after signal n."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_parent(child: subprocess.Popen[bytes]) -> None:
    # Not through sys.stdin, whose lock this thread would still hold when the interpreter ends.
    while os.read(0, 1024):
        pass
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
