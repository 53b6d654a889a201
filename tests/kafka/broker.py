"""A real Kafka broker (KRaft, one node) for tests, run from the jars that pom.xml names.

The jars are fetched once with Maven into the user's cache and shared by later runs. A broker keeps its port
and its data over `kill` and `start`, so a test can crash it. It dies with the test run, however that ends.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp
from xml.etree import ElementTree

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

POM = Path(__file__).with_name("pom.xml")
FETCH_SECONDS = 300
FORMAT_SECONDS = 60
START_SECONDS = 60
STOP_SECONDS = 20


class CannotRun(Exception):
    """A server that the tests need can't be had on this machine; the message says why."""


def leash() -> list[str]:
    """The command that ties a child's life to ours: not even a killed test run leaves servers behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on. All are held until all are found, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()


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


class Broker:
    """A Kafka broker's life: `start`, `kill` (SIGKILL), `start` again on the same port and data, `stop`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._output = directory / "broker.out"
        self._port, self._controller_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts the broker and returns when it answers a client. The first start formats its directory."""
        if self._process is not None:
            return
        properties = self._directory / "server.properties"
        if not properties.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            properties.write_text(self._properties())
            self._format(properties)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash(), *self._java("-Xms128m", "-Xmx512m"), "kafka.Kafka", str(properties)],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._await_answer(self._process)

    def kill(self) -> None:
        """Ends the broker at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

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
        # The short-lived JVM compiles little: C1 alone makes it a second faster.
        command = self._java("-Xmx128m", "-XX:TieredStopAtLevel=1")
        command += ["kafka.tools.StorageTool", "format", "--standalone"]
        command += ["--cluster-id", "Ym9udXMtc3RyZWFtLXRlcw", "--config", str(properties)]
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
        controller = f"127.0.0.1:{self._controller_port}"
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": controller,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": self._directory / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
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
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
