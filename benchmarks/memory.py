"""How much memory state takes, in the worker and in Redis, and how many bytes a checkpoint has.

    python -m benchmarks.memory
    python -m benchmarks.memory --cells 2000000 --json memory.json

Three tables: bytes a subject by the number of panes it holds, bytes an event id that is remembered, and bytes of a
checkpoint by how many of 100,000 subjects have changed. Worker memory is what the process has resident, measured in a
process of its own for each row; Redis's is by its own account (``used_memory``).
"""

import asyncio
import gc
import json as json_format
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import uuid4

import redis
import typer

from benchmarks import command, markdown
from benchmarks.apart import apart
from benchmarks.load import SPAN_START_MS
from benchmarks.redis_use import RedisUse
from benchmarks.servers import servers
from schemas.events import Event
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.programs.load import load
from stream.store.checkpoint import Delta, IdBatch
from stream.store.lease import Lease
from stream.store.store import StateStore
from stream.worker.run import gc_thresholds

PANES = (1, 10, 100, 1_000)
MOST_SUBJECTS = 100_000
IDS = 500_000
CHANGED = (100, 1_000, 10_000, 100_000)
_CHUNK = 2_000
# Each chunk comes so long after the last that its ids are the only ones remembered: what is measured are subjects.
_STEP_MS = 2 * 3_600_000
_RULES = """\
program: memory
version: 1
regions: all
subject: creator
window: {rolling: 20000h, step: 2h}
tiers: [{name: one, when: {views: 1000000}, reward: {amount: "1.00", currency: USD}}]
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes a subject with one counter that holds ``panes`` cells; CPU µs to have it back from Redis in memory."""

    panes: int
    subjects: int
    worker_bytes: float
    redis_bytes: float
    read_back_us: float


@dataclass(frozen=True, slots=True)
class Ids:
    """Bytes an event id of ``length`` characters that is remembered."""

    ids: int
    length: int
    worker_bytes: float
    redis_bytes: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint in which ``subjects`` had a cell changed: bytes to Redis, CPU µs of the client and of Redis."""

    subjects: int
    sent_bytes: int
    client_us: float
    redis_us: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured."""

    held: list[Held]
    ids: Ids
    checkpoints: list[Checkpoint]


def main(
    cells: Annotated[int, typer.Option(min=10_000, help="Cells a row of the first table.")] = 400_000,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """How much memory state takes, and how many bytes a checkpoint has."""
    with servers() as on:
        figures = measure(on.redis, cells)
    markdown.show("\n\n".join(tables(figures)))
    if json is not None:
        json.write_text(json_format.dumps(asdict(figures), indent=2) + "\n")


def measure(
    redis_url: str,
    cells: int,
    panes: Sequence[int] = PANES,
    ids: int = IDS,
    most_subjects: int = MOST_SUBJECTS,
) -> Figures:
    """Measure everything against a Redis that nobody else uses meanwhile. Its keys are taken away again."""
    held = [apart(hold, redis_url, each, min(most_subjects, max(1, cells // each))) for each in panes]
    remembered = apart(remember, redis_url, ids)
    changed = [count for count in CHANGED if count <= most_subjects]
    return Figures(held, remembered, apart(change, redis_url, most_subjects, changed))


def tables(figures: Figures) -> Iterator[str]:
    """The three tables, in Markdown."""
    yield markdown.table(
        ["panes held by a subject", "bytes in the worker", "bytes in Redis", "read back, CPU µs"],
        (
            (
                f"{row.panes:,}",
                f"{row.worker_bytes:,.0f}",
                f"{row.redis_bytes:,.0f}",
                f"{row.read_back_us:,.1f}",
            )
            for row in figures.held
        ),
        left=0,
    )
    ids = figures.ids
    yield markdown.table(
        ["characters of an event id", "bytes in the worker", "bytes in Redis"],
        [(str(ids.length), f"{ids.worker_bytes:,.0f}", f"{ids.redis_bytes:,.0f}")],
        left=0,
    )
    yield markdown.table(
        [
            "subjects changed",
            "bytes of the checkpoint",
            "bytes a subject",
            "worker, CPU µs a subject",
            "Redis, CPU µs a subject",
        ],
        (
            (
                f"{row.subjects:,}",
                f"{row.sent_bytes:,}",
                f"{row.sent_bytes / row.subjects:,.0f}",
                f"{row.client_us / row.subjects:.2f}",
                f"{row.redis_us / row.subjects:.2f}",
            )
            for row in figures.checkpoints
        ),
        left=0,
    )


def hold(redis_url: str, panes: int, subjects: int) -> Held:
    """Give every subject a cell in each pane, checkpoint as it grows, and read all back into another memory."""
    state, keys = _partition(), [f"creator-{number:08}" for number in range(subjects)]
    with _Redis(redis_url) as store:
        before, resident = store.use(), _resident_bytes()
        for pane in range(panes):
            _view_each(state, keys, pane, store)
        used = store.use().since(before)
        worker_bytes = _resident_bytes() - resident
        fresh = _partition()
        began_s = time.process_time()
        for first in range(0, subjects, _CHUNK):
            part = keys[first : first + _CHUNK]
            for key, fields in zip(part, store.read(part), strict=True):
                fresh.memory.admit(key, fields)
        read_back_us = (time.process_time() - began_s) * 1e6 / subjects
    return Held(panes, subjects, worker_bytes / subjects, used.memory_bytes / subjects, read_back_us)


def remember(redis_url: str, count: int) -> Ids:
    """Remember event ids that look like UUIDs, and checkpoint them as they come."""
    state = _partition(rules="")
    with _Redis(redis_url) as store:
        before, resident = store.use(), _resident_bytes()
        length = 0
        for first in range(0, count, _CHUNK):
            events = [_event("nobody", SPAN_START_MS, uuid4().hex) for _ in range(_CHUNK)]
            length = len(events[0].event_id)
            _apply(state, events, SPAN_START_MS + first, first, store)
        used = store.use().since(before)
        worker_bytes = _resident_bytes() - resident
    return Ids(count, length, worker_bytes / count, used.memory_bytes / count)


def change(redis_url: str, subjects: int, counts: list[int]) -> list[Checkpoint]:
    """Of so many subjects in memory and in Redis, change some and checkpoint them at once."""
    state, keys = _partition(), [f"creator-{number:08}" for number in range(subjects)]
    found = []
    with _Redis(redis_url) as store:
        _view_each(state, keys, 0, store)
        for turn, count in enumerate(counts, start=1):
            _view_each(state, keys[:count], turn, None)
            before, began_s = store.use(), time.process_time()
            store.write(state.cut())
            client_us = (time.process_time() - began_s) * 1e6
            used = store.use().since(before)
            found.append(Checkpoint(count, used.in_bytes, client_us, used.cpu_s * 1e6))
    return found


class _Redis:
    """A partition's lease for code that does not wait, under a name of its own; its keys go at the end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._app = f"benchmark-{uuid4().hex[:8]}"
        self._loop = asyncio.new_event_loop()
        self._store: StateStore
        self._lease: Lease

    def __enter__(self) -> "_Redis":
        self._store = self._loop.run_until_complete(
            StateStore.connect(self._url, self._app, timeout_s=5, say=print)
        )
        self._lease = self._loop.run_until_complete(self._store.take(0))
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._store.close())
        self._loop.close()
        with redis.Redis.from_url(self._url) as client:
            for key in client.scan_iter(match=f"{{{self._app}:*", count=10_000):
                client.delete(key)

    def use(self) -> RedisUse:
        """What the server has used so far."""
        return RedisUse.of(self._url)

    def write(self, changes: Changes) -> None:
        """Checkpoint them."""
        ids = [IdBatch(topic, runs) for topic, runs in changes.ids.items() if runs]
        delta = Delta(changes.subjects, ids, dict(changes.ids_floor.items()), b"", changes.due)
        self._loop.run_until_complete(self._lease.write(delta))

    def read(self, keys: list[str]) -> list[dict[str, int]]:
        """Their checkpointed fields."""
        return self._loop.run_until_complete(self._lease.read(keys))


def _partition(rules: str = _RULES) -> Partition:
    gc.set_threshold(*gc_thresholds())
    with TemporaryDirectory() as folder:
        if rules:
            Path(folder, "rules.yaml").write_text(rules)
        plan = Plan(load(Path(folder)).programs if rules else ())
    return Partition(0, plan, Limits())


def _view_each(state: Partition, keys: list[str], pane: int, store: _Redis | None) -> None:
    for first in range(0, len(keys), _CHUNK):
        part = keys[first : first + _CHUNK]
        turn = state.positions["views"]
        at_ms = SPAN_START_MS + pane * _STEP_MS
        events = [_event(key, at_ms, f"{turn}-{number}") for number, key in enumerate(part)]
        _apply(state, events, at_ms, turn, store)


def _apply(state: Partition, events: list[Event], at_ms: int, offset: int, store: _Redis | None) -> None:
    state.apply("views", list(range(offset, offset + len(events))), [at_ms] * len(events), events)
    if store is not None:
        store.write(state.cut())


def _event(creator_id: str, at_ms: int, event_id: str) -> Event:
    return Event(event_id, creator_id, "video", "viewer", at_ms, "US")


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    command.run(main)
