"""The Redis under fire, one or a cluster: what it acknowledged is on its disk, and an older state can be put back."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import redis

from stream.store.layout import Layout
from stream.worker.body import Body
from tests.chaos.setup import GROUP, PARTITIONS, REDIS_MASTERS
from tests.kafka.redis_cluster import ClusterNode, RedisCluster
from tests.kafka.redis_server import RedisServer

_ASK_S = 2.0


class Redises:
    """All servers that keep the state, and their ``url`` for workers who come through the wires.

    ``cluster`` is None where there is one server alone.
    """

    def __init__(self, folder: Path, wire_ports: Sequence[int]) -> None:
        folders = [folder / f"redis-{number + 1}" for number in range(len(wire_ports))]
        self.cluster: RedisCluster | None = None
        self.nodes: Sequence[RedisServer]
        if len(wire_ports) == 1:
            self.nodes = [RedisServer(folders[0], appendonly=True)]
            self.url = f"redis://127.0.0.1:{wire_ports[0]}/0"
        else:
            self.nodes = nodes = [
                ClusterNode(each, announced=port) for each, port in zip(folders, wire_ports, strict=True)
            ]
            self.cluster = RedisCluster(nodes, REDIS_MASTERS)
            self.url = self.cluster.url

    def form(self) -> None:
        """The first start."""
        if self.cluster is None:
            self.start()
        else:
            self.cluster.form()

    def start(self) -> None:
        """Start those that don't run."""
        for node in self.nodes:
            node.start()

    def kill(self) -> None:
        """They all crash."""
        for node in self.nodes:
            node.kill()

    def settle(self) -> None:
        """Return when a cluster is whole again."""
        if self.cluster is not None:
            self.cluster.settle()

    def back_up(self, to: Path) -> None:
        """Copy what all masters hold now; a replica has nothing of its own."""
        for number, node in enumerate(self.nodes):
            if isinstance(node, ClusterNode) and not node.is_master:
                continue
            node.copy_log(to / str(number))

    def put_back(self, backup: Path) -> None:
        """They crash, and start with what a backup holds."""
        self.kill()
        for number, node in enumerate(self.nodes):
            node.replace_log(backup / str(number))
        self.start()

    def lose_disks(self) -> None:
        """They crash, and start with nothing."""
        self.kill()
        for node in self.nodes:
            node.replace_log(None)
        self.start()

    def tell(self, *command: str | int) -> bool:
        """Give every server a command; whether all have done it. A replica need not do what writes."""
        for node in self.nodes:
            with redis.Redis.from_url(node.url, socket_timeout=_ASK_S) as client:
                try:
                    with contextlib.suppress(redis.ReadOnlyError):
                        client.execute_command(*command)
                except (redis.RedisError, OSError):
                    return False
        return True

    def bodies(self) -> dict[int, Body]:
        """What the checkpoints say of themselves, by partition, where there is one that can be read now."""
        found: dict[int, Body] = {}
        for number in range(PARTITIONS):
            meta = Layout(GROUP, number).meta
            with contextlib.suppress(redis.RedisError, OSError, LookupError):
                server = self.nodes[0] if self.cluster is None else self.cluster.master_of(meta)
                with redis.Redis.from_url(server.url, socket_timeout=_ASK_S) as client:
                    body = client.hget(meta, "body")
                if isinstance(body, bytes):
                    found[number] = Body.decode(body)
        return found
