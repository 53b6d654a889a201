"""Who takes part: for each peer how it is started, how much of the load it gets, and what limits it.

A peer is measured in the form that people actually use and, where that is another one, also with the tool's own
rolling windows. Limits are those of the form as it stands here, not of what could be built around it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from benchmarks.peers.build import Builds
from benchmarks.servers import Ground
from stream.core import partition

ENGINE = "bonus-stream"


class Share(Enum):
    """Of which load a peer gets all: what is slow gets less, or it would take hours."""

    FULL = 1
    TENTH = 10
    HUNDREDTH = 100
    THOUSANDTH = 1_000


class Windows(Enum):
    """What the peer's windows are, and so what is expected of it."""

    ROLLING = "rolling"
    TUMBLING = "tumbling"


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer is told: where it runs, its group, its output topic, a folder of its own."""

    ground: Ground
    group: str
    output: str
    folder: Path
    programs: Path

    @property
    def arguments(self) -> list[str]:
        """The command line's end, the same for all peers."""
        return [
            self.ground.servers.kafka,
            self.ground.prefix,
            self.group,
            self.output,
            str(self.folder),
        ]


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool in one form. ``limits`` is what its users live with."""

    name: str
    tool: str
    form: str
    limits: str
    share: Share
    version: Callable[[Builds], str]
    command: Callable[[Builds, Told], list[str]]
    windows: Windows = Windows.ROLLING

    def group(self, ground: Ground) -> str:
        """Its consumer group; the engine's is the ground's own, whose keys in Redis are taken away with it."""
        return ground.group if self.name == ENGINE else f"{ground.group}.{self.name}"

    def output(self, ground: Ground) -> str:
        """Its output topic: the engine's is fixed, each other has one of its own."""
        return ground.prefix + ("bonuses" if self.name == ENGINE else f"{self.name}-bonuses")


def _worker(_: Builds, told: Told) -> list[str]:
    servers = told.ground.servers
    return [
        *(sys.executable, "-m", "stream.cli.main", "worker", "--programs", str(told.programs)),
        *("--kafka", servers.kafka, "--redis", servers.redis, "--group", told.group),
        *("--topic-prefix", told.ground.prefix, "--allow-create-time"),
    ]


def _python(module: str, *options: str) -> Callable[[Builds, Told], list[str]]:
    return lambda _, told: [
        sys.executable,
        "-m",
        f"benchmarks.peers.loops.{module}",
        *options,
        *told.arguments,
    ]


def _quix(module: str) -> Callable[[Builds, Told], list[str]]:
    return lambda builds, told: [
        str(builds.quix()),
        "-m",
        f"benchmarks.peers.loops.{module}",
        *told.arguments,
    ]


def _java(module: str, main: str, *options: str) -> Callable[[Builds, Told], list[str]]:
    return lambda builds, told: [
        *("java", "-Xms1g", "-Xmx4g", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *options,
        *("-cp", f"{builds.java(module)}/*", f"peers.{main}", *told.arguments),
    ]


def _installed(distribution: str) -> Callable[[Builds], str]:
    return lambda builds: builds.installed(distribution)


_BUILD = "its core as Python" if partition.__file__.endswith(".py") else "its core compiled"

PEERS = (
    Peer(
        ENGINE,
        "bonus-stream",
        f"`bonus worker`, {_BUILD}",
        "needs a Redis beside Kafka; a partition is never faster than one core",
        Share.FULL,
        Builds.own,
        _worker,
    ),
    Peer(
        "plain-confluent",
        "plain loop, confluent-kafka",
        "panes by hand in dicts",
        "loses all counts at a crash or a rebalance, and each bonus may then be lost or doubled",
        Share.FULL,
        _installed("confluent-kafka"),
        _python("plain_confluent"),
    ),
    Peer(
        "plain-aiokafka",
        "plain loop, aiokafka",
        "panes by hand in dicts",
        "loses all counts at a crash or a rebalance, and each bonus may then be lost or doubled",
        Share.FULL,
        _installed("aiokafka"),
        _python("plain_aiokafka"),
    ),
    Peer(
        "flink",
        "Flink",
        "panes by hand in a keyed process function, a checkpoint a second",
        "shows a bonus only with the next checkpoint; its rules are code: a change is a redeployment",
        Share.FULL,
        lambda builds: builds.pinned("flink.version"),
        _java("flink", "Panes", "-Dcheckpoint.ms=1000"),
    ),
    Peer(
        "flink-10s",
        "Flink",
        "panes by hand, a checkpoint every ten seconds",
        "shows a bonus up to ten seconds late; its rules are code: a change is a redeployment",
        Share.FULL,
        lambda builds: builds.pinned("flink.version"),
        _java("flink", "Panes", "-Dcheckpoint.ms=10000"),
    ),
    Peer(
        "flink-sliding",
        "Flink",
        "its own sliding windows, 24 h by 1 min, fired at each event",
        "can't keep up: an event is in 1,440 windows; looks up no event ids",
        Share.HUNDREDTH,
        lambda builds: builds.pinned("flink.version"),
        _java("flink", "Sliding"),
    ),
    Peer(
        "streams",
        "Kafka Streams",
        "panes by hand in the Processor API, exactly-once, stores in memory",
        "shows a bonus only with the next commit (1 s); its rules are code: a change is a redeployment",
        Share.FULL,
        lambda builds: builds.pinned("kafka.version"),
        _java("streams", "Panes"),
    ),
    Peer(
        "streams-hopping",
        "Kafka Streams",
        "its own hopping windows (DSL), 24 h by 1 min",
        "can't keep up: an event is in 1,440 windows; looks up no event ids",
        Share.THOUSANDTH,
        lambda builds: builds.pinned("kafka.version"),
        _java("streams", "Hopping"),
    ),
    Peer(
        "quix",
        "Quix Streams",
        "panes by hand in its state, exactly-once",
        "shows a bonus only with the next commit (1 s); its rules are code: a change is a redeployment",
        Share.TENTH,
        lambda builds: builds.required("quixstreams"),
        _quix("quix_panes"),
    ),
    Peer(
        "quix-hopping",
        "Quix Streams",
        "its own hopping windows, 24 h by 1 min",
        "can't keep up: an event is in 1,440 windows; looks up no event ids",
        Share.THOUSANDTH,
        lambda builds: builds.required("quixstreams"),
        _quix("quix_hopping"),
    ),
    Peer(
        "faust-tumbling",
        "Faust",
        "tables with tumbling windows of 24 h",
        "counts no rolling window; delivers at least once, so a crash may double bonuses; forgets windows by the "
        "clock, or never, as here",
        Share.TENTH,
        _installed("faust-streaming"),
        _python("faust_windows", "tumbling"),
        Windows.TUMBLING,
    ),
    Peer(
        "faust-hopping",
        "Faust",
        "tables with hopping windows, 24 h by 1 min",
        "can't keep up: an event is in 1,440 windows; delivers at least once; forgets windows by the clock, or "
        "never, as here",
        Share.THOUSANDTH,
        _installed("faust-streaming"),
        _python("faust_windows", "hopping"),
    ),
)
