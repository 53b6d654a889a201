"""The demo itself: starts everything in order, shows what happens, and ends everything in order."""

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from subprocess import Popen
from threading import Event

from rich.console import Console

from stream.demo.broker import PARTITIONS, embedded_broker
from stream.demo.guard import guarded
from stream.demo.redis_server import embedded_redis
from stream.demo.screen import Screen
from stream.demo.traffic import Traffic
from stream.demo.watch import BonusWatch, Progress, worker_progress
from stream.errors import BonusError
from stream.programs import load
from stream.settings import ENV_PREFIX
from stream.topics import TOPICS

TICK_S = 0.05
PROGRESS_EVERY_S = 0.5
START_WITHIN_S = 60
CATCH_UP_WITHIN_S = 10


class WorkerEnded(BonusError):
    """The demo's worker ended by itself, or never began to serve."""


def run(seconds: float | None, rate: int, programs: Path | None) -> None:
    """Run the demo for ``seconds``, or until SIGINT or SIGTERM; ``rate`` is sample events a second.

    Raises InputError for mistakes in ``programs``, WorkerEnded where the worker fails (its log is kept), and
    Unreachable where the embedded servers do.
    """
    with ExitStack() as stack:
        interrupted = stack.enter_context(_interrupted())
        programs = programs or stack.enter_context(as_file(files("stream.demo") / "programs"))
        load(programs)
        broker = stack.enter_context(embedded_broker(TOPICS))
        redis = stack.enter_context(
            embedded_redis(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bonus-"))))
        )
        port = _free_port()
        log = stack.enter_context(_log_file())
        command = worker_command(broker, redis, programs, port)
        worker = stack.enter_context(guarded(command, log, _environment()))
        watch = stack.enter_context(closing(BonusWatch(broker)))
        screen = stack.enter_context(Screen(Console(), seconds))
        show = _Show(worker, log, port, watch, screen, interrupted)
        show.play(Traffic(broker, rate), seconds)


def worker_command(broker: str, redis: str, programs: Path, port: int) -> list[str]:
    """``bonus worker`` for the demo's servers: the embedded broker keeps no LogAppendTime and no check sums."""
    return [
        *(sys.executable, "-m", "stream.cli.main", "worker"),
        *("--kafka", broker, "--redis", redis, "--programs", str(programs), "--group", "bonus-demo"),
        *("--http-port", str(port), "--allow-create-time", "--no-check-crcs", "--drain-timeout", "3s"),
    ]


def _environment() -> dict[str, str]:
    """Ours, without the settings of some real deployment: they are not for the demo's worker."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}


class _Show:
    """The demo from the worker's first breath to the summary."""

    def __init__(
        self,
        worker: Popen[bytes],
        log: Path,
        port: int,
        watch: BonusWatch,
        screen: Screen,
        interrupted: Event,
    ) -> None:
        self._worker = worker
        self._log = log
        self._port = port
        self._watch = watch
        self._screen = screen
        self._interrupted = interrupted
        self._progress = Progress()
        self._asked_s = 0.0

    def play(self, traffic: Traffic, seconds: float | None) -> None:
        """Wait for the worker, send events for ``seconds``, let the worker catch up, sum up."""
        self._wait_until_served()
        self._screen.begin()
        begun_s = time.monotonic()
        elapsed_s = 0.0
        while not self._interrupted.is_set() and (seconds is None or elapsed_s < seconds):
            traffic.send_due()
            elapsed_s = time.monotonic() - begun_s
            self._look(traffic.sent, elapsed_s)
        traffic.finish()
        self._catch_up(traffic.sent, elapsed_s)
        self._screen.show_summary(traffic.sent, self._progress, elapsed_s)

    def _wait_until_served(self) -> None:
        deadline_s = time.monotonic() + START_WITHIN_S
        while self._progress.partitions < PARTITIONS and not self._interrupted.is_set():
            self._look(0, 0)
            if time.monotonic() > deadline_s:
                raise self._ended(f"The worker did not begin to serve within {START_WITHIN_S} s")

    def _catch_up(self, sent: int, elapsed_s: float) -> None:
        deadline_s = time.monotonic() + CATCH_UP_WITHIN_S
        while self._progress.read < sent and time.monotonic() < deadline_s:
            self._look(sent, elapsed_s)
        self._look(sent, elapsed_s)

    def _look(self, sent: int, elapsed_s: float) -> None:
        """Show what is new; takes ``TICK_S`` at least where nothing is."""
        for bonus in self._watch.new(TICK_S):
            self._screen.show_bonus(bonus)
        if self._worker.poll() is not None:
            raise self._ended(f"The worker ended with exit code {self._worker.returncode}")
        now_s = time.monotonic()
        if now_s - self._asked_s >= PROGRESS_EVERY_S:
            self._asked_s = now_s
            self._progress = worker_progress(self._port) or self._progress
            self._screen.show_progress(sent, self._progress, elapsed_s)

    def _ended(self, what: str) -> WorkerEnded:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return WorkerEnded(
            f"{what}; its log is {self._log}, its last line: {lines[-1] if lines else '(none)'}"
        )


@contextmanager
def _interrupted() -> Iterator[Event]:
    """An event that SIGINT or SIGTERM sets, once; a second one interrupts as usual."""
    interrupted = Event()

    def note(number: int, _: object) -> None:
        interrupted.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _log_file() -> Iterator[Path]:
    """A file for the worker's log, which is kept only where an error names it."""
    handle, name = tempfile.mkstemp(prefix="bonus-demo-worker-", suffix=".log")
    os.close(handle)
    log, named = Path(name), False
    try:
        yield log
    except WorkerEnded:
        named = True
        raise
    finally:
        if not named:
            log.unlink(missing_ok=True)
