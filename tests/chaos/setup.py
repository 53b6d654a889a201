"""What a run is set up with: how many workers and brokers, and which kind of Redis."""

from dataclasses import dataclass
from typing import Literal

RedisKind = Literal["one", "cluster"]

PARTITIONS = 4
SESSION_S = 3.0
PREFIX = "chaos."
GROUP = "chaos"
REDIS_MASTERS = 3
"""Of a cluster, with a replica each."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Three brokers hold three copies of everything; a cluster of Redis spreads the partitions over its masters; the
    partitions of named workers wait for their return."""

    workers: int = 3
    brokers: int = 1
    redis: RedisKind = "one"
    named: bool = False

    @property
    def redis_nodes(self) -> int:
        """How many servers keep the state."""
        return 2 * REDIS_MASTERS if self.redis == "cluster" else 1

    def __str__(self) -> str:
        kafka = "1 broker" if self.brokers == 1 else f"{self.brokers} brokers"
        redis = "one Redis" if self.redis == "one" else f"a Redis Cluster of {self.redis_nodes} nodes"
        return f"{kafka}, {redis}, {self.workers} {'named ' if self.named else ''}workers"
