"""A real Redis Cluster on loopback for tests: masters, a replica each if wanted, and slots that can be moved.

Each node keeps its ports, its directory and what it knows of the cluster over `kill` and `start`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.crc import key_slot

from tests.kafka.broker import CannotRun, free_ports
from tests.kafka.redis_server import RedisServer

SLOTS = 16_384
NODE_TIMEOUT_MS = 2_000
SETTLE_S = 30
_ASK_EVERY_S = 0.05


class ClusterNode(RedisServer):
    """A node, with its append-only log. Others are told that clients reach it at ``announced``, where given."""

    def __init__(self, directory: Path, *, announced: int | None = None) -> None:
        super().__init__(directory, appendonly=True)
        [self.bus_port] = free_ports(1)
        self.announced = announced or self.port

    @contextmanager
    def client(self) -> Iterator["redis.Redis"]:
        """An operator's connection to this very node, past what it announces."""
        with redis.Redis.from_url(self.url, socket_timeout=SETTLE_S, decode_responses=True) as client:
            yield client

    def ask(self, *command: str | int) -> object:
        """One command to this very node."""
        with self.client() as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    @property
    def is_master(self) -> bool:
        """Whether it believes so itself."""
        answer = self.ask("ROLE")
        return isinstance(answer, list) and answer[0] == "master"

    @property
    def id(self) -> str:
        """Its name in the cluster."""
        return str(self.ask("CLUSTER", "MYID"))

    def _options(self) -> list[str]:
        return [
            *super()._options(),
            *("--cluster-enabled", "yes"),
            *("--cluster-port", str(self.bus_port)),
            *("--cluster-announce-ip", "127.0.0.1"),
            *("--cluster-announce-port", str(self.announced)),
            *("--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
            # A replica follows however old its data is: a test wants to see that.
            *("--cluster-replica-validity-factor", "0"),
            *("--cluster-allow-replica-migration", "no"),
            *("--repl-diskless-sync-delay", "0"),
        ]


class RedisCluster:
    """The nodes of a cluster: as many masters as wanted share the slots, the others are their replicas in turn."""

    def __init__(self, nodes: Sequence[ClusterNode], masters: int = 3) -> None:
        self.nodes = nodes
        self._first_masters, self._first_replicas = nodes[:masters], nodes[masters:]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.announced}" for node in nodes)

    def form(self) -> None:
        """Start all nodes and make them one cluster; returns when each knows all slots and its master."""
        for node in self.nodes:
            node.start()
        masters = self._first_masters
        for number, node in enumerate(masters):
            first, last = SLOTS * number // len(masters), SLOTS * (number + 1) // len(masters) - 1
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus_port)
        _until(lambda: all(self._knows_all(node) for node in self.nodes), "all nodes know each other")
        for number, node in enumerate(self._first_replicas):
            node.ask("CLUSTER", "REPLICATE", masters[number % len(masters)].id)
        self.settle()

    def settle(self) -> None:
        """Return when it is whole."""
        _until(self.whole, "all slots are served, and all replicas follow")

    def whole(self) -> bool:
        """Whether every node runs, sees all slots served, and follows its master if it is a replica."""
        return all(_is_well(node) for node in self.nodes)

    def master_of(self, key: str) -> ClusterNode:
        """Who serves a key now, as the masters say themselves."""
        slot = key_slot(key.encode())
        for node in self.nodes:
            if node.is_running and node.is_master and _has(node, slot):
                return node
        raise LookupError(f"nobody has the slot of {key}")

    def replica_of(self, master: ClusterNode) -> ClusterNode:
        """The first replica of a master."""
        name = master.id
        for node in self.nodes:
            if node is not master and f" {name} " in _own_line(node):
                return node
        raise LookupError("there is no replica")

    @contextmanager
    def cut_off(self, replica: ClusterNode) -> Iterator[None]:
        """While the block runs the replica hears nothing of its master, which refuses its password."""
        replica.ask("CONFIG", "SET", "masterauth", "wrong")
        for node in self.nodes:
            if node.is_running and node.is_master:
                node.ask("CLIENT", "KILL", "TYPE", "replica")
        try:
            yield
        finally:
            replica.ask("CONFIG", "SET", "masterauth", "")

    def begin_move(self, key: str, to: ClusterNode) -> ClusterNode:
        """Open the slot of a key at both of its masters; returns the one that has had it."""
        slot, source = key_slot(key.encode()), self.master_of(key)
        to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
        return source

    def move_keys(self, key: str, source: ClusterNode, to: ClusterNode, at_most: int) -> int:
        """Move up to so many keys of the slot; returns how many there were."""
        found = source.ask("CLUSTER", "GETKEYSINSLOT", key_slot(key.encode()), at_most)
        keys = [str(each) for each in found] if isinstance(found, list) else []
        if keys:
            # REPLACE, because a move that was given up half-way may be tried again.
            source.ask("MIGRATE", "127.0.0.1", to.port, "", 0, SETTLE_S * 1_000, "REPLACE", "KEYS", *keys)
        return len(keys)

    def keys_of(self, key: str) -> int:
        """How many keys its master has in the slot of a key."""
        return int(str(self.master_of(key).ask("CLUSTER", "COUNTKEYSINSLOT", key_slot(key.encode()))))

    def end_move(self, key: str, to: ClusterNode) -> None:
        """All masters are told who has the slot, its new one first."""
        slot, name = key_slot(key.encode()), to.id
        for node in [to, *(node for node in self.nodes if node is not to)]:
            if node.is_running and node.is_master:
                node.ask("CLUSTER", "SETSLOT", slot, "NODE", name)

    def kill(self) -> None:
        """All nodes end at once."""
        for node in self.nodes:
            node.kill()

    def _knows_all(self, node: ClusterNode) -> bool:
        lines = str(node.ask("CLUSTER", "NODES")).splitlines()
        return len(lines) == len(self.nodes) and "cluster_state:ok" in str(node.ask("CLUSTER", "INFO"))


def _is_well(node: ClusterNode) -> bool:
    if not node.is_running:
        return False
    try:
        with node.client() as client:
            state = client.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
            role = client.execute_command("ROLE")  # type: ignore[no-untyped-call]
    except redis.RedisError:
        return False
    served = state["cluster_state"] == "ok" if isinstance(state, dict) else "cluster_state:ok" in state
    return served and (role[0] == "master" or role[3] == "connected")


def _own_line(node: ClusterNode) -> str:
    lines = str(node.ask("CLUSTER", "NODES")).splitlines()
    return next(line for line in lines if "myself" in line)


def _has(node: ClusterNode, slot: int) -> bool:
    for part in _own_line(node).split()[8:]:
        first, _, last = part.partition("-")
        if first.isdigit() and int(first) <= slot <= int(last or first):
            return True
    return False


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLE_S
    while not holds():
        if time.monotonic() > deadline:
            raise CannotRun(f"the Redis cluster is not yet so far that {what}")
        time.sleep(_ASK_EVERY_S)
