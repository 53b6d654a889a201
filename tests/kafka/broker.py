"""A real Kafka broker (KRaft) for tests, alone or one of several, run from the jars that pom.xml names.

The jars are fetched once with Maven into the user's cache and shared by later runs. A broker keeps its port
and its data over `kill` and `start`, so a test can crash it. It dies with the test run, however that ends.
"""

import base64
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple, Self
from xml.etree import ElementTree

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

POM = Path(__file__).with_name("pom.xml")
CLUSTER_ID = "Ym9udXMtc3RyZWFtLXRlcw"
FETCH_SECONDS = 300
FORMAT_SECONDS = 60
START_SECONDS = 120
STOP_SECONDS = 20

SMALL = ("-Xms128m", "-Xmx512m")
QUICK = (*SMALL, "-XX:TieredStopAtLevel=1")
"""Small, and compiled quickly rather than well: most brokers of tests live for seconds."""


class CannotRun(Exception):
    """A server that the tests need can't be had on this machine; the message says why."""


def leash() -> list[str]:
    """The command that ties a child's life to ours: not even a killed test run leaves servers behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


_LEAST_PORT, _PORTS_GIVEN_OUT = 10_000, 32_768
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, other ones at each call, and in each process of a test run.

    They lie below those that the system gives to outgoing connections: while a server is down, one of these, or a
    client's that tries to reach the very server, could take its port.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(_LEAST_PORT + _PROCESS, _PORTS_GIVEN_OUT, _PROCESSES)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in _given:
                found.append(port)
                _given.add(port)
    return found


def tail(path: Path, characters: int = 2_000) -> str:
    """The end of a server's output, for the message of a failure."""
    return path.read_text(errors="replace")[-characters:] if path.exists() else ""


def kafka_version() -> str:
    """The version that pom.xml names."""
    found = ElementTree.parse(POM).find(".//{*}kafka.version")
    assert found is not None
    assert found.text is not None
    return found.text


def jars() -> Path:
    """The folder with the broker's jars: the cached one, or freshly fetched with Maven (54 MB).

    Raises:
        CannotRun: without Java, or without the jars and a Maven that can fetch them.
    """
    if shutil.which("java") is None:
        raise CannotRun("there is no java")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bonus-stream"
    folder = cache / f"kafka-{kafka_version()}"
    if not folder.is_dir():
        if shutil.which("mvn") is None:
            raise CannotRun("there is no mvn to fetch Kafka with")
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    # Beside its place and then renamed: two test runs may fetch at once, and neither sees half a folder.
    fresh = Path(mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        command = [
            "mvn",
            "-B",
            "-q",
            "-f",
            str(POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={fresh}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode != 0:
            raise CannotRun(f"mvn could not fetch Kafka: {done.stdout.strip()[-300:]}")
        try:
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except subprocess.TimeoutExpired:
        raise CannotRun(f"mvn did not fetch Kafka within {FETCH_SECONDS} s") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


class Voter(NamedTuple):
    """A member of the controllers' quorum: ``directory_id`` names the folder that it was formatted with."""

    node_id: int
    controller: str
    directory_id: str

    @classmethod
    def new(cls, node_id: int) -> Self:
        """A voter on a port of its own."""
        [port] = free_ports(1)
        # Kafka writes ids as URL-safe Base64, and refuses one that looks like an option.
        directory_id = base64.urlsafe_b64encode(b"\0" + os.urandom(15)).decode().rstrip("=")
        return cls(node_id, f"127.0.0.1:{port}", directory_id)

    def __str__(self) -> str:
        return f"{self.node_id}@{self.controller}:{self.directory_id}"


class Broker:
    """A Kafka broker's life: `start`, `kill` (SIGKILL), `start` again on the same port and data, `stop`.

    It is a controller too, alone, or one of ``voters``, of which the one at ``place`` is itself. ``settings`` are of
    its properties, beside those that all tests want.
    """

    def __init__(
        self,
        directory: Path,
        voters: Sequence[Voter] = (),
        place: int = 0,
        *,
        java_options: Sequence[str] = QUICK,
        cluster_id: str = CLUSTER_ID,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._settings = settings or {}
        self._cluster_id = cluster_id
        self._output = directory / "broker.out"
        self._voters = voters or [Voter.new(1)]
        self._voter, self._java_options = self._voters[place], java_options
        [self._port] = free_ports(1)
        self._controller_port = int(self._voter.controller.rpartition(":")[2])
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts the broker and returns when it answers a client. The first start formats its directory."""
        if self.is_running:
            return
        properties = self._directory / "server.properties"
        if not properties.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            properties.write_text(self._properties())
            self._format(properties)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash(), *self._java(*self._java_options), "kafka.Kafka", str(properties)],
                cwd=self._directory,
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
        """Ends the broker at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def suspend(self) -> None:
        """Stops it where it is: connections stay, and nothing is answered any more. `kill` ends it all the same."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Ends the broker in order, and with force when that takes too long."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._process.wait()
            self._process = None

    def _java(self, *options: str) -> list[str]:
        return ["java", "-XX:+UseSerialGC", *options, "-cp", f"{jars()}/*"]

    def _format(self, properties: Path) -> None:
        command = self._java(*QUICK)
        command += ["kafka.tools.StorageTool", "format"]
        command += ["--initial-controllers", ",".join(map(str, self._voters))]
        command += ["--cluster-id", self._cluster_id, "--config", str(properties)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False)
        if done.returncode != 0:
            raise CannotRun(f"Kafka could not format its directory: {done.stdout}{done.stderr}")

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        quick = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 100, "log_level": 0}
        client = AdminClient({"bootstrap.servers": self.bootstrap, **quick})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if client.list_topics(timeout=0.5).brokers:
                    return
            except KafkaException:
                continue
        self.kill()
        raise CannotRun(f"Kafka did not answer within {START_SECONDS} s: {tail(self._output)}")

    def _properties(self) -> str:
        copies = len(self._voters)
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": self._voter.node_id,
            "controller.quorum.bootstrap.servers": ",".join(voter.controller for voter in self._voters),
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{self._voter.controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": self._directory / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": min(2, copies),
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1_000,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
            # A killed broker is let in again only when its old session is over.
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 4_000,
            # Segments go by their records' timestamps, and tests write about past days.
            "log.retention.ms": -1,
            # Topics may ask for records of 5 MB.
            "replica.fetch.max.bytes": 8_388_608,
            # The default takes a quarter of the small heap.
            "log.cleaner.dedupe.buffer.size": 8_388_608,
            **self._settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
