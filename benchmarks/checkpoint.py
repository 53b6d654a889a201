"""What a checkpoint and a read-back cost: client CPU, wall time, and how long other clients of Redis wait.

    python benchmarks/checkpoint.py redis://127.0.0.1:6379/0

10,000 subjects with two changed fields and a new due each, and 10,000 event ids, as one checkpoint; then the same
subjects read back. Dues seldom change, so this is the most they cost. Beside each stands the plain way, a MULTI of a
HSET and ZADD (HGETALL) a subject packed by redis-py, and the ratio.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

import redis.asyncio

from stream.store.checkpoint import Delta, IdBatch
from stream.store.layout import Layout
from stream.store.store import StateStore

SUBJECTS = 10_000
FIELDS = 2
ROUNDS = 5
PARTITION = 0


class Cost(NamedTuple):
    """Of one round: client CPU and wall time in ms, and the longest PING of another client in ms."""

    cpu_ms: float
    wall_ms: float
    stall_ms: float


def delta(round_number: int) -> Delta:
    """A checkpoint's worth of changes: new fields each round, as panes come and go."""
    subjects: dict[str, dict[str, int | None]] = {
        f"creator-{number:08d}": {f"{metric}:{29_000_000 + round_number}": number for metric in range(FIELDS)}
        for number in range(SUBJECTS)
    }
    ids = [f"{round_number}-{number:016x}" for number in range(SUBJECTS)]
    due = dict.fromkeys(subjects, 3_600_000 * round_number)
    return Delta(subjects, [IdBatch("views", [(1_000 * round_number, ids)])], {}, b"{}" * 250, due)


async def cost(url: str, work: Callable[[int], Awaitable[object]]) -> Cost:
    """Runs the rounds while a process of its own sends PINGs."""
    pinger = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PINGER, url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert pinger.stdout is not None
    await pinger.stdout.readline()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for round_number in range(ROUNDS):
        await work(round_number)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    stall_ms, _ = await pinger.communicate(b"enough\n")
    return Cost(cpu_s * 1e3 / ROUNDS, wall_s * 1e3 / ROUNDS, float(stall_ms))


_PINGER = """
import select, sys, time, redis
client = redis.Redis.from_url(sys.argv[1])
client.ping()
print("ready", flush=True)
worst = 0.0
while not select.select([sys.stdin], [], [], 0.0005)[0]:
    start = time.perf_counter()
    client.ping()
    worst = max(worst, time.perf_counter() - start)
print(worst * 1e3)
"""


def show(name: str, fields: int, ours: Cost, plain: Cost) -> None:
    """One line a way, and the ratio. ``fields`` were written or read, of all subjects together."""
    for way, figures in (("ours", ours), ("plain", plain)):
        print(
            f"{name:10} {way:6} CPU {figures.cpu_ms:6.1f} ms ({figures.cpu_ms * 1e3 / fields:.2f} µs a field, "
            f"{figures.cpu_ms * 1e3 / SUBJECTS:.2f} µs a subject)   wall {figures.wall_ms:6.1f} ms   "
            f"others wait {figures.stall_ms:5.1f} ms"
        )
    print(f"{name:10} ratio  CPU {plain.cpu_ms / ours.cpu_ms:.1f} times cheaper")


async def main(url: str) -> None:
    """Measures writing and reading, ours and plain, and takes its keys away again."""
    app = f"benchmark-{uuid4().hex[:8]}"
    deltas = [delta(number) for number in range(ROUNDS)]
    subjects = list(deltas[0].subjects)
    store = await StateStore.connect(url, app, timeout_s=5, say=print)
    lease = await store.take(PARTITION)
    client = redis.asyncio.Redis.from_url(url)
    layout = Layout(app + "-plain", PARTITION)

    async def plain_write(number: int) -> None:
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch(layout.meta)
            await pipe.hmget(layout.meta, "owner", "seq")
            pipe.multi()  # type: ignore[no-untyped-call]
            for subject, fields in deltas[number].subjects.items():
                pipe.hset(
                    layout.subject(subject), mapping={field: str(value) for field, value in fields.items()}
                )
                pipe.zadd(layout.due, {subject: deltas[number].due[subject] or 0})
            for batch in deltas[number].ids:
                pipe.hset(layout.ids((batch.topic, 0)), str(number), str(batch.arrivals))
            pipe.hset(layout.meta, mapping={"seq": number, "body": deltas[number].meta})
            await pipe.execute()

    async def plain_read(number: int) -> None:
        async with client.pipeline(transaction=True) as pipe:
            for subject in subjects:
                pipe.hgetall(layout.subject(subject))
            for found in await pipe.execute():
                {field.decode(): int(value) for field, value in found.items()}

    try:
        ours = await cost(url, lambda number: lease.write(deltas[number]))
        show("checkpoint", SUBJECTS * FIELDS, ours, await cost(url, plain_write))
        ours = await cost(url, lambda number: lease.read(subjects))
        show("read-back", SUBJECTS * FIELDS * ROUNDS, ours, await cost(url, plain_read))
    finally:
        async for key in client.scan_iter(match=f"{{{app}*", count=1_000):
            await client.unlink(key)
        await client.aclose()
        await store.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    asyncio.run(main(sys.argv[1]))
