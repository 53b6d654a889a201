"""What each thing that is kept costs: bytes in the worker's memory, and in Redis.

    python -m benchmarks.sizes
    python -m benchmarks.sizes --json sizes.json

Each kind is made many times over: in a process of its own, whose resident memory is looked at before and after, and
in Redis by the store's own checkpoints. Beside what was measured stands the formula (``benchmarks.bounds``).
"""

import asyncio
import json as json_format
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import uuid4

import redis
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from benchmarks.bounds import IN_REDIS, IN_REDIS_LARGE, IN_WORKER, SMALL_FIELDS, Held
from stream.core.intake import Intake
from stream.core.memory import Memory
from stream.core.places import places_key
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.core.subject import subject_key
from stream.programs.load import load
from stream.store.checkpoint import Delta, IdBatch
from stream.store.store import StateStore
from tests.kafka.redis_server import RedisServer

PROGRAMS = Path(__file__).parent / "soak" / "programs"
IDS = "event ids"

_AT_MS = 1_767_225_600_000
_PANE_MS = 60_000
_A_CHECKPOINT = 10_000
_COUNT = 1_000  # in a cell: Python keeps one object of each small number only


@dataclass(frozen=True, slots=True)
class Kind:
    """A thing that is kept, and what one of it holds."""

    name: str
    one: Held
    many: int


KINDS = (
    Kind("subject, awarded once", Held(1, 0, 0, 0, 0), 100_000),
    Kind("subject, 1 pane", Held(1, 1, 1, 0, 0), 100_000),
    Kind("subject, 2 counters of 1 pane", Held(1, 2, 2, 0, 0), 50_000),
    Kind("subject, 10 panes", Held(1, 1, 10, 0, 0), 50_000),
    Kind("subject, 100 panes", Held(1, 1, 100, 0, 0), 10_000),
    Kind("subject, 1,440 panes", Held(1, 1, 1_440, 0, 0), 1_000),
    Kind("bucket, 1 place", Held(1, 0, 0, 1, 0), 100_000),
    Kind("bucket, 1,000 places", Held(1, 0, 0, 1_000, 0), 200),
    Kind(IDS, Held(0, 0, 0, 0, 1), 500_000),
)


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of one of a kind: measured, and by the formula."""

    kind: str
    worker: float
    worker_formula: int
    redis: float
    redis_formula: int


def main(
    scale: Annotated[float, typer.Option(min=0.01, help="How many of each, in relation to the usual.")] = 1.0,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """What each thing that is kept costs, in the worker's memory and in Redis."""
    with TemporaryDirectory(prefix="bonus-benchmark-") as folder:
        server = RedisServer(Path(folder))  # our own: what others write into one would count
        server.start()
        try:
            sizes = [measure(kind, max(100, round(kind.many * scale)), server.url) for kind in KINDS]
        finally:
            server.kill()
    table = Table(title="bytes of one, measured and by the formula", title_justify="left")
    for column in ("", "worker", "formula", "Redis", "formula"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for size in sizes:
        figures = (size.worker, size.worker_formula, size.redis, size.redis_formula)
        table.add_row(size.kind, *(f"{figure:,.0f}" for figure in figures))
    Console().print(table)
    if json is not None:
        json.write_text(json_format.dumps([asdict(size) for size in sizes], indent=2) + "\n")


def measure(kind: Kind, many: int, redis_url: str) -> Size:
    """Make so many of a kind, in a process of its own and in Redis."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        worker = process.submit(in_worker, kind, many).result() / many
    in_redis = asyncio.run(_in_redis(kind, many, redis_url)) / many
    is_small = kind.one.cells + kind.one.places <= SMALL_FIELDS
    formula = kind.one.bytes(IN_REDIS if is_small else IN_REDIS_LARGE)
    return Size(kind.name, worker, kind.one.bytes(IN_WORKER), in_redis, formula)


def in_worker(kind: Kind, many: int) -> int:
    """How much this process grows by ``many`` of a kind; what they are made of is gone afterwards."""
    if kind.one.ids:
        return _ids_in_worker(many)
    plan = Plan(load(PROGRAMS).programs)
    memory, before = Memory(plan, complete=False), _rss()
    for number in range(many):
        memory.admit(*_entry(kind.one, plan, number))
    return _rss() - before


def _ids_in_worker(many: int) -> int:
    intake, before = Intake(Limits()), _rss()
    for number in range(many):
        intake.arrival = _AT_MS + number // 10
        intake.is_new(_id(number))
        if number % _A_CHECKPOINT == 0:
            intake.take_fresh()
    intake.take_fresh()
    return _rss() - before


def _rss() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell how much memory a process has resident")


def _entry(one: Held, plan: Plan, number: int) -> tuple[str, dict[str, int]]:
    """Key and fields of an entry as a checkpoint holds them."""
    (gates, _), creator = plan.fed("views", "US"), f"creator-{number:09}"
    if one.places:
        gate = gates[0]
        period = gate.local.pane_of(_AT_MS)
        viewers = {f"viewer-{number:09}-{viewer:07}": 1 for viewer in range(one.places)}
        return places_key(creator, gate, period, next(iter(viewers))), viewers
    if not one.series:
        return creator, {"!creator-views/noticed/-": 1}
    rolling = [name for name, counter in plan.region("US").counters.items() if counter.step_ms == _PANE_MS]
    first = _AT_MS // _PANE_MS
    panes = range(first, first + one.cells // one.series)
    return subject_key(creator, f"video-{number:09}"), {
        f"{name}:{pane}": _COUNT + pane - first for name in rolling[: one.series] for pane in panes
    }


def _id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


async def _in_redis(kind: Kind, many: int, url: str) -> int:
    """How much Redis grows by ``many`` of a kind, written by checkpoints as a worker writes them."""
    plan, app = Plan(load(PROGRAMS).programs), f"sizes-{uuid4().hex[:8]}"
    store = await StateStore.connect(url, app, timeout_s=5, say=print)
    try:
        with redis.Redis.from_url(url) as client:
            lease = await store.take(0)
            before = _used(client.info("memory"))
            a_checkpoint = max(1, _A_CHECKPOINT // (kind.one.cells + kind.one.places + 1))
            for start in range(0, many, a_checkpoint):
                await lease.write(_delta(kind.one, plan, range(start, min(many, start + a_checkpoint))))
            grown = _used(client.info("memory")) - before
            for key in client.scan_iter(match=f"{{{app}:*", count=10_000):
                client.delete(key)
            return grown
    finally:
        await store.close()


def _delta(one: Held, plan: Plan, numbers: range) -> Delta:
    if one.ids:
        runs = [(_AT_MS + start, [_id(start + nth) for nth in range(10)]) for start in numbers[::10]]
        return Delta({}, [IdBatch("views", runs)], {}, b"")
    entries: Mapping[str, Mapping[str, int | None]] = dict(_entry(one, plan, number) for number in numbers)
    return Delta(entries, [], {}, b"", dict.fromkeys(entries, _AT_MS))


def _used(info: Mapping[str, object]) -> int:
    used = info["used_memory"]
    assert isinstance(used, int)
    return used


if __name__ == "__main__":
    command.run(main)
