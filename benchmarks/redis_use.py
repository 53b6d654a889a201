"""What a Redis server has used so far, by its own account: CPU, bytes over the network, memory."""

from typing import NamedTuple, Self, cast

import redis


class RedisUse(NamedTuple):
    """At one moment. ``cpu_s`` is user and system time; ``in_bytes`` came in and ``out_bytes`` went out so far."""

    cpu_s: float
    in_bytes: int
    out_bytes: int
    memory_bytes: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Ask the server. Its answer, some 5 kB, is in the next one's ``out_bytes``."""
        with redis.Redis.from_url(url) as client:
            info = cast(dict[str, float], client.info())
        return cls(
            info["used_cpu_user"] + info["used_cpu_sys"],
            int(info["total_net_input_bytes"]),
            int(info["total_net_output_bytes"]),
            int(info["used_memory"]),
        )

    def since(self, before: "RedisUse") -> "RedisUse":
        """What came on top of ``before``."""
        return RedisUse(
            self.cpu_s - before.cpu_s,
            self.in_bytes - before.in_bytes,
            self.out_bytes - before.out_bytes,
            self.memory_bytes - before.memory_bytes,
        )
