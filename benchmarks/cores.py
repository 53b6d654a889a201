"""Which cores a benchmark runs on: the worker has one to itself, everything else the others.

Without it the broker's threads and the worker push each other around, and CPU time itself varies by a fifth: a
migrated process finds cold caches.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def split(pin: bool) -> tuple[frozenset[int], frozenset[int]]:
    """The worker's core and those of all others; the same for both without ``pin``, or where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if not pin or len(cores) < 2:
        return frozenset(cores), frozenset(cores)
    return frozenset(cores[-1:]), frozenset(cores[:-1])


@contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """Run this thread, and the processes that it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
