"""What looking a key up in a dict costs, and nothing else: the least that state in memory can cost as it grows.

Keys are drawn evenly, and are strings of their own: what is found is compared, as for the creator of an event.
"""

import random
import time
from typing import NamedTuple

from benchmarks.apart import apart

LOOKUPS = 200_000


class Lookup(NamedTuple):
    """CPU µs a lookup among so many keys."""

    keys: int
    lookup_us: float


def measure(most_keys: int, rounds: int, seed: int) -> list[Lookup]:
    """A thousand keys, then ten times as many each, up to ``most_keys``; each the best of ``rounds``."""
    sizes = [10**power for power in range(3, 8) if 10**power <= most_keys]
    taken = [[apart(_lookup_us, size, seed) for size in sizes] for _ in range(rounds)]
    return [Lookup(*best) for best in zip(sizes, map(min, zip(*taken, strict=True)), strict=True)]


def _lookup_us(size: int, seed: int) -> float:
    held = dict.fromkeys(map(_key, range(size)))
    draw = random.Random(seed)
    keys = [_key(draw.randrange(size)) for _ in range(LOOKUPS)]
    began_s = time.thread_time()
    for key in keys:
        held[key]
    return (time.thread_time() - began_s) * 1e6 / LOOKUPS


def _key(number: int) -> str:
    return f"creator-{number:08}"
