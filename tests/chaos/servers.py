"""The servers under fire: a broker whose workers come through a wire, and a Redis that keeps what it acknowledged."""

import shutil
from pathlib import Path

from tests.kafka.broker import Broker, free_ports
from tests.kafka.redis_server import RedisServer


class WiredBroker(Broker):
    """A broker with a second listener, which clients reach at ``wire_port`` alone; ``bootstrap`` stays direct."""

    def __init__(self, directory: Path, wire_port: int) -> None:
        super().__init__(directory)
        [self.workers_port] = free_ports(1)
        self._wire_port = wire_port

    def _properties(self) -> str:
        direct, workers = f"PLAINTEXT://{self.bootstrap}", f"WORKERS://127.0.0.1:{self.workers_port}"
        settings = {
            "listeners": f"{direct},{workers},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"{direct},WORKERS://127.0.0.1:{self._wire_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,WORKERS:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        lines = super()._properties().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in settings]
        return "".join(
            f"{line}\n" for line in [*kept, *(f"{name}={value}" for name, value in settings.items())]
        )


class LastingRedis(RedisServer):
    """A Redis with its append-only log, written before it answers; it can be put back to an older state.

    The log is a folder from Redis 7 on, and one file before.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, appendonly=True)
        self._logs = (directory / "appendonlydir", directory / "appendonly.aof")
        self.port = self._port

    def snapshot(self, to: Path) -> None:
        """Copy what it holds now into a new folder, as a backup does."""
        to.mkdir()
        for log in self._logs:
            if log.is_dir():
                shutil.copytree(log, to / log.name)
            elif log.exists():
                shutil.copy(log, to / log.name)

    def put_back(self, snapshot: Path) -> None:
        """A crash, and a start with what an older snapshot holds."""
        self.kill()
        self._delete_logs()
        for log in self._logs:
            kept = snapshot / log.name
            if kept.exists():
                kept.rename(log)
        self.start()

    def lose_disk(self) -> None:
        """A crash, and a start with nothing."""
        self.kill()
        self._delete_logs()
        self.start()

    def _delete_logs(self) -> None:
        for log in self._logs:
            if log.is_dir():
                shutil.rmtree(log)
            else:
                log.unlink(missing_ok=True)

    def _options(self) -> list[str]:
        # Never rewritten, so that a copy made while it runs is a state that it once had.
        return [*super()._options(), *("--auto-aof-rewrite-percentage", "0")]
