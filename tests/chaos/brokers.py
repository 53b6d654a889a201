"""The brokers under fire, and who has which part among them. Workers reach each through a wire of its own."""

import asyncio
import contextlib
import json
import re
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from confluent_kafka import ElectionType, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._metadata import TopicMetadata
from confluent_kafka.admin._resource import ResourceType

from tests.kafka.broker import Broker, Voter, free_ports, jars, tail

INTERNAL = {"group": "__consumer_offsets", "transaction": "__transaction_state"}
"""The topics whose partitions' leaders are the coordinators."""

_ASK_S = 2.0
_PATIENCE_S = 120.0
_TOOL_S = 60
_AGAIN_S = 0.2
_LEADER = re.compile(r"^LeaderId:\s+(\d+)", re.MULTILINE)


class WiredBroker(Broker):
    """A broker with a second listener, which clients reach at ``wire_port`` alone; ``bootstrap`` stays direct."""

    def __init__(self, directory: Path, wire_port: int, voters: Sequence[Voter], place: int) -> None:
        super().__init__(directory, voters, place)
        [self.workers_port] = free_ports(1)
        self.node_id = voters[place].node_id
        self._wire_port = wire_port

    def fill_disk(self, within_s: float) -> None:
        """Nothing more can be written to a file, as on a full disk; returns when that has ended the broker."""
        if self._process is None:
            return
        _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (1, hard))
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"a broker that can't write has not ended within {within_s:g} s: {tail(self._output)}"
            ) from None
        self.kill()

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


class Brokers:
    """All brokers of a cluster, each a controller too."""

    def __init__(self, folder: Path, wire_ports: Sequence[int]) -> None:
        voters = [Voter.new(number + 1) for number in range(len(wire_ports))]
        self.all = [
            WiredBroker(folder / f"broker-{number + 1}", port, voters, number)
            for number, port in enumerate(wire_ports)
        ]
        self.bootstrap = ",".join(broker.bootstrap for broker in self.all)

    async def start(self) -> None:
        """Start those that don't run, all at once: one alone would wait for a majority."""
        await asyncio.gather(*(asyncio.to_thread(broker.start) for broker in self.all))

    async def kill(self) -> None:
        """They all crash."""
        await asyncio.gather(*(asyncio.to_thread(broker.kill) for broker in self.all))

    def settle(self) -> None:
        """Return when every partition has a leader, and all of its copies are in step."""
        behind: list[str] = []
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            behind = [
                f"{topic}/{number} (led by {held.leader}, in step {held.isrs})"
                for topic, found in self._topics().items()
                for number, held in found.partitions.items()
                if held.leader < 0 or len(held.isrs) < len(held.replicas)
            ]
            if not behind:
                return
            time.sleep(_AGAIN_S)
        raise AssertionError(f"within {_PATIENCE_S:g} s these were not in step: {behind}")

    def leader_of(self, topic: str, partition: int) -> WiredBroker:
        """Who leads a partition, once somebody does."""
        for _ in _tries(f"a leader of {topic}/{partition}"):
            found = self._topics().get(topic)
            if found is not None and partition in found.partitions and found.partitions[partition].leader > 0:
                return self.all[found.partitions[partition].leader - 1]
        raise AssertionError

    def coordinator_of(self, kind: str, name: str) -> WiredBroker:
        """Who coordinates a ``group``, or a ``transaction`` by its transactional id."""
        for _ in _tries(INTERNAL[kind]):
            found = self._topics().get(INTERNAL[kind])
            if found is not None and found.partitions:
                return self.leader_of(INTERNAL[kind], _java_hash(name) % len(found.partitions))
        raise AssertionError

    def controller(self) -> WiredBroker:
        """Who leads the quorum of controllers, once somebody does."""
        for _ in _tries("a controller"):
            told = self._tool("org.apache.kafka.tools.MetadataQuorumCommand", "describe", "--status")
            if found := _LEADER.search(told):
                return self.all[int(found[1]) - 1]
        raise AssertionError

    def move_leaders(self, folder: Path, topics: Sequence[str]) -> None:
        """Reassign all partitions of the topics, so that another copy of each is the first, and have it lead."""
        known, moved = self._topics(), list[dict[str, object]]()
        for topic in topics:
            for number, partition in known[topic].partitions.items():
                [first, *others] = partition.replicas
                moved.append({"topic": topic, "partition": number, "replicas": [*others, first]})
        plan = folder / "reassignment.json"
        plan.write_text(json.dumps({"version": 1, "partitions": moved}))
        reassign = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"
        self._tool(reassign, "--reassignment-json-file", str(plan), "--execute")
        self.elect_preferred()

    def elect_preferred(self) -> None:
        """Each partition is led by its first copy, where that is in step."""
        places = [
            TopicPartition(topic, number)
            for topic, held in self._topics().items()
            for number in held.partitions
        ]
        admin = self._admin()
        for _ in _tries("somebody to hold an election"):
            with contextlib.suppress(KafkaException):
                admin.elect_leaders(ElectionType.PREFERRED, places).result(_PATIENCE_S)
                return

    def verify_transactions(self, verify: bool) -> None:
        """Whether brokers ask the coordinator if a transaction has begun before they take its first record."""
        for broker in self.all:
            self._set(
                ResourceType.BROKER,
                str(broker.node_id),
                "transaction.partition.verification.enable",
                str(verify).lower(),
            )

    def limit(self, topic: str, largest_bytes: int) -> None:
        """Set the largest record that a topic takes."""
        self._set(ResourceType.TOPIC, topic, "max.message.bytes", str(largest_bytes))

    def _set(self, kind: ResourceType, of: str, setting: str, value: str) -> None:
        entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(kind, of, incremental_configs=[entry])
        admin = self._admin()  # gone, it answers nothing
        for _ in _tries(f"somebody to set {setting} of {of}"):
            with contextlib.suppress(KafkaException):
                asked = admin.incremental_alter_configs([resource], request_timeout=_ASK_S)
                asked[resource].result(_PATIENCE_S)
                return

    def _topics(self) -> Mapping[str, TopicMetadata]:
        for _ in _tries("its topics"):
            with contextlib.suppress(KafkaException):
                return self._admin().list_topics(timeout=_ASK_S).topics
        raise AssertionError

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def _tool(self, tool: str, *arguments: str) -> str:
        """What one of Kafka's own tools says; nothing where it could not reach anybody."""
        java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", f"{jars()}/*"]
        command = [*java, tool, "--bootstrap-server", self.bootstrap, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=False)
        return done.stdout if done.returncode == 0 else ""


def _tries(what: str) -> Iterator[None]:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        yield
        time.sleep(_AGAIN_S)
    raise AssertionError(f"within {_PATIENCE_S:g} s Kafka had not found {what}")


def _java_hash(text: str) -> int:
    """Java's ``String.hashCode`` without its sign, by which Kafka finds a coordinator's partition."""
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
