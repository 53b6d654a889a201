"""What of the machine's cores is used, and by whom, as far as the benchmark's own processes go."""

import os
import time
from pathlib import Path
from typing import NamedTuple, Self

from benchmarks.redis_use import RedisUse

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class CoreUse(NamedTuple):
    """CPU s so far: of all cores, busy and idle, of Redis, and of this process, which is the consumer."""

    busy_s: float
    idle_s: float
    redis_s: float
    consumer_s: float

    @classmethod
    def now(cls, redis_url: str) -> Self:
        """At this moment. Time that a hypervisor gave to others is neither busy nor idle."""
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
        user, nice, system, idle, io_wait, irq, soft_irq, _ = (
            int(ticks) / _TICKS_A_SECOND for ticks in fields
        )
        busy_s = user + nice + system + irq + soft_irq
        return cls(busy_s, idle + io_wait, RedisUse.of(redis_url).cpu_s, time.process_time())

    def since(self, before: "CoreUse") -> "CoreUse":
        """What came on top of ``before``."""
        return CoreUse(
            self.busy_s - before.busy_s,
            self.idle_s - before.idle_s,
            self.redis_s - before.redis_s,
            self.consumer_s - before.consumer_s,
        )

    def shares(self, passed_s: float, **known_s: float) -> dict[str, float]:
        """Shares of one core by name: the ``known_s``, ours, and what is left: Kafka, and strangers."""
        named = {**known_s, "consumer": self.consumer_s, "Redis": self.redis_s}
        named["Kafka and others"] = self.busy_s - sum(named.values())
        named["idle"] = self.idle_s
        return {name: used_s / passed_s for name, used_s in named.items()}
