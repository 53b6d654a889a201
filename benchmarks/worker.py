"""The worker under measurement: ``bonus worker`` as a process of its own, watched from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import cores
from benchmarks.servers import Ground
from tests.kafka.broker import free_ports, leash, tail

TAKE_S = 60.0
LEAST_EVENTS_A_SECOND = 2_000
STOP_S = 30.0
_LOOK_EVERY_S = 0.25
_PROGRESS = ("bonus_events_total", "bonus_partitions_taken")
"""What is looked at again and again: a fraction of a millisecond of the worker's time, where all is some of them."""

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class WorkerFailed(Exception):
    """The worker ended, or stood still; the message has the end of what it logged."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a worker: when (monotonic s), and what it has used and said so far.

    ``cpu_s`` is user and system time, ``waited_s`` the time for which it could have run and had no core, of its main
    thread; ``metrics`` are summed over labels, those that were looked at.
    """

    at_s: float
    cpu_s: float
    waited_s: float
    metrics: dict[str, float]

    @property
    def events(self) -> int:
        """How many records have been counted, turned away, or found to be duplicates."""
        return int(self.metrics.get("bonus_events_total", 0))


class Worker:
    """A running worker process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self._process = process
        self._port = port
        self._output = output
        self.pid = process.pid

    def look(self, *names: str) -> Look:
        """What it says of itself now: all, or metrics of these names. Raises ``URLError`` while it does not serve."""
        wanted = urlencode([("name[]", name) for name in names])
        with urlopen(f"http://127.0.0.1:{self._port}/metrics?{wanted}", timeout=STOP_S) as page:
            text: str = page.read().decode()
        metrics: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                metrics[sample.name] = metrics.get(sample.name, 0.0) + sample.value
        return Look(time.monotonic(), self._cpu_s(), self._waited_s(), metrics)

    def progress(self) -> Look:
        """How far it is: events, and partitions that it serves. Raises ``URLError`` while it does not serve."""
        return self.look(*_PROGRESS)

    def wait_until(self, reached: Callable[[Look], bool], within_s: float) -> Look:
        """Look at its progress again and again; returns the first look that has ``reached`` it.

        Raises ``WorkerFailed``.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise WorkerFailed(f"the worker ended with {self._process.returncode}: {tail(self._output)}")
            try:
                look = self.progress()
            except (URLError, ConnectionError):
                look = None
            if look is not None and reached(look):
                return look
            time.sleep(_LOOK_EVERY_S)
        raise WorkerFailed(f"the worker was not there within {within_s:g} s: {tail(self._output)}")

    def wait_until_taken(self, partitions: int) -> Look:
        """The first look at which it serves so many partitions. Raises ``WorkerFailed``."""
        return self.wait_until(lambda look: look.metrics.get("bonus_partitions_taken") == partitions, TAKE_S)

    def wait_until_counted(self, events: int, within_s: float) -> Look:
        """The first look at which it has counted so many since it started. Raises ``WorkerFailed``."""
        return self.wait_until(lambda look: look.events >= events, within_s)

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def _waited_s(self) -> float:
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9

    def max_rss_mib(self) -> float:
        """The most memory that it has had resident."""
        return self._memory_kib("VmHWM") / 1024

    def rss_bytes(self) -> int:
        """The memory that it has resident now."""
        return self._memory_kib("VmRSS") * 1024

    def _memory_kib(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise WorkerFailed("the worker is gone")

    def stop(self) -> None:
        """End it as an operator does, and with force if that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()


@contextmanager
def running(ground: Ground, programs: Path, core: frozenset[int], *options: str) -> Iterator[Worker]:
    """A worker with a fresh group and these options, on these cores, for as long as the context lasts."""
    [port] = free_ports(1)
    output = programs / "worker.out"
    command = [
        *(sys.executable, "-m", "stream.cli.main", "worker", "--programs", str(programs)),
        *("--kafka", ground.servers.kafka, "--redis", ground.servers.redis),
        *("--group", ground.group, "--topic-prefix", ground.prefix, "--http-port", str(port)),
        *("--allow-create-time", *options),
    ]
    with output.open("wb") as log, cores.on(core):
        process = subprocess.Popen([*leash(), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    worker = Worker(process, port, output)
    try:
        yield worker
    finally:
        worker.stop()
