"""One peer's run: started on the core for it, watched from outside, its awards read back and compared.

Progress is what its consumer group has committed; nothing is asked of the peer itself. CPU is user and system time
of its process and of all that it started; the servers' is that of the broker and the Redis started for the run.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks import cores
from benchmarks.peers import topics
from benchmarks.peers.build import Builds
from benchmarks.peers.catalogue import Peer, Told
from benchmarks.peers.figures import Figures, Look, steady, verdict
from benchmarks.peers.job import Award
from tests.kafka.broker import CannotRun, leash, tail

PATIENCE_S = 900.0
AWARDS_S = 15.0
STOP_S = 20.0
_LOOK_EVERY_S = 0.2
_MIB = 1 << 20


def run(
    peer: Peer, builds: Builds, told: Told, due: set[Award], events: int, core: frozenset[int]
) -> Figures:
    """Run a peer over all the ``events`` of its ground; a peer that can't says why in its figures."""
    figures = Figures(
        name=peer.name,
        tool=peer.tool,
        version=peer.version(builds),
        form=peer.form,
        limits=peer.limits,
        windows=peer.windows.value,
        events=events,
        steady=None,
        cpu_us_from_start=0.0,
        max_rss_mib=0.0,
        verdict=None,
        failed=None,
    )
    try:
        command = peer.command(builds, told)
        told.folder.mkdir()
        topics.make(told.ground, told.output)
        with _running(command, told.folder / "out", core) as process:
            looks, most_bytes = _watch(process, told, events)
            _await_awards(told, due)
        return {
            **figures,
            "steady": steady(looks, events),
            "cpu_us_from_start": looks[-1].cpu_s * 1e6 / events,
            "max_rss_mib": most_bytes / _MIB,
            "verdict": verdict(due, topics.awards(told.ground, told.output)),
        }
    except CannotRun as why:
        return {**figures, "failed": str(why)}
    finally:
        topics.remove(told.ground, told.group)


def _await_awards(told: Told, due: set[Award]) -> None:
    """Bonuses may show a moment after the positions that cover them; those that never do are told by the verdict."""
    deadline = time.monotonic() + AWARDS_S
    while time.monotonic() < deadline and not due <= set(topics.awards(told.ground, told.output)):
        time.sleep(_LOOK_EVERY_S)


@contextmanager
def _running(command: list[str], output: Path, core: frozenset[int]) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as log, cores.on(core):
        process = subprocess.Popen([*leash(), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[bytes], told: Told, events: int) -> tuple[list[Look], int]:
    """Look at a peer until it has committed all events; returns the looks, and the most memory it was seen with."""
    progress = topics.Progress(told.ground, told.group)
    began_s, looks, most_bytes = time.monotonic(), list[Look](), 0
    try:
        while not looks or looks[-1].events < events:
            time.sleep(_LOOK_EVERY_S)
            if process.poll() is not None:
                raise CannotRun(f"it ended with {process.returncode}: {tail(told.folder / 'out', 600)}")
            now_s = time.monotonic() - began_s
            if now_s > PATIENCE_S:
                raise CannotRun(f"it had {looks[-1].events:,} of {events:,} events after {PATIENCE_S:g} s")
            peer, servers = _families(process.pid)
            looks.append(Look(now_s, _cpu_s(peer), _cpu_s(servers), progress.events()))
            most_bytes = max(most_bytes, sum(each.memory_info().rss for each in peer))
    except psutil.NoSuchProcess:
        raise CannotRun(f"it ended: {tail(told.folder / 'out', 600)}") from None
    finally:
        progress.close()
    return looks, most_bytes


def _families(pid: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The peer's processes, and the others that this one started: the servers."""
    ours = psutil.Process().children(recursive=True)
    its = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    return [each for each in ours if each.pid in its], [each for each in ours if each.pid not in its]


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:4]) for each in processes)
