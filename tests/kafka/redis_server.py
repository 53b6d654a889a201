"""A real Redis server for tests. It keeps its port and its directory over `kill` and `start`."""

import shutil
import subprocess
import time
from pathlib import Path

import redis

from tests.kafka.broker import CannotRun, free_ports, leash, tail

START_SECONDS = 10

_LOGS = ("appendonlydir", "appendonly.aof")
"""The append-only log is a folder from Redis 7 on, and one file before."""


class RedisServer:
    """A Redis server's life: `start`, `kill` it (SIGKILL), `start` again, `stop`.

    Without ``appendonly`` a killed server comes back empty: the Redis that lost everything. With it, what was
    acknowledged is there again.
    """

    def __init__(self, directory: Path, *, appendonly: bool = False) -> None:
        self._directory = directory
        self._output = directory / "redis.out"
        self._appendonly = appendonly
        [self.port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts the server and returns when it answers a PING.

        Raises:
            CannotRun: there is no ``redis-server`` on the path, or it did not come up.
        """
        if self.is_running:
            return
        program = shutil.which("redis-server")
        if program is None:
            raise CannotRun("there is no redis-server (apt-get install redis-server)")
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash(), program, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._await_answer(self._process)

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Ends the server at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """A crash and a new start, on the same port and with the data that the crash left."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Ends the server in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def copy_log(self, to: Path) -> None:
        """Copy the append-only log as it is now into a new folder, as a backup does."""
        to.mkdir(parents=True)
        for name in _LOGS:
            log = self._directory / name
            if log.is_dir():
                shutil.copytree(log, to / name)
            elif log.exists():
                shutil.copy(log, to / name)

    def replace_log(self, by: Path | None) -> None:
        """While it does not run: put a copy of the append-only log back, or nothing."""
        for name in _LOGS:
            log = self._directory / name
            if log.is_dir():
                shutil.rmtree(log)
            else:
                log.unlink(missing_ok=True)
            if by is not None and (by / name).exists():
                (by / name).rename(log)

    def _options(self) -> list[str]:
        return [
            *("--bind", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--dir", str(self._directory)),
            *("--save", ""),
            *("--appendonly", "yes" if self._appendonly else "no"),
            *("--appendfsync", "always"),
            # Never rewritten, so that a copy made while it runs is a state that it once had.
            *("--auto-aof-rewrite-percentage", "0"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
            while time.monotonic() < deadline:
                if process.poll() is not None:
                    break
                try:
                    client.ping()
                except (redis.ConnectionError, redis.TimeoutError):
                    time.sleep(0.01)
                else:
                    return
        self.kill()
        raise CannotRun(f"redis-server did not answer within {START_SECONDS} s: {tail(self._output)}")
