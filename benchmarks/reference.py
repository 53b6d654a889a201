"""A fixed loop in plain Python, to compare machines and runs by: what a benchmark costs in units of it.

On a shared machine the same code may take half as long again at another time of day. The loop suffers with it, so a
ratio to the loop that was run beside moves less than microseconds do.
"""

import time

_ITERATIONS = 200_000
_ROUNDS = 7


def reference_us() -> float:
    """CPU µs of one iteration of the loop, the best of several rounds. It must never be changed."""
    return min(_round() for _ in range(_ROUNDS)) * 1e6 / _ITERATIONS


def _round() -> float:
    began_s = time.thread_time()
    counts: dict[str, int] = {}
    keys = [f"subject-{number}" for number in range(1_000)]
    head = total = 0
    for number in range(_ITERATIONS):
        key = keys[number * 7 % 1_000]
        counts[key] = counts.get(key, 0) + 1
        if number > head:
            head = number
        total += head % 60
    return time.thread_time() - began_s
