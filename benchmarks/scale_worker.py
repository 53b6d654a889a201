"""Spot checks of the whole worker as one thing grows: subjects, programmes, the window, worker processes.

Kafka and Redis are real, and shared by the cores with the workers. All records are in the topics before the workers
start; measured is from the moment at which every worker has its share of the partitions. So every subject is new when
it is met, other than in ``scale_core``.

Workers that share partitions take them from one another, and hold nothing in memory then: they read back what they
meet, as one does that was started again. So what two cost is compared with one after a restart.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import cores, worker
from benchmarks.command import CannotMeasure
from benchmarks.load import Load, fill
from benchmarks.redis_use import RedisUse
from benchmarks.scale_core import VIDEOS, Point, write_programs
from benchmarks.servers import Ground, Servers, ground
from benchmarks.worker import LEAST_EVENTS_A_SECOND, TAKE_S, Look, Worker
from stream.settings import in_ms, parse_duration

PARTITIONS = 4
_VIEWERS = 200_000


def _usual() -> Point:
    return Point("tiers", "", paying=2)


@dataclass(frozen=True, slots=True)
class Spot:
    """What is run: ``workers`` processes under the programmes of ``point``, ``pinned`` to a core or to none.

    ``restarted`` ones come after another has counted a quarter of ``MORE`` times the events, and are measured over
    half of what is left: none has run out of work then.
    """

    label: str
    point: Point = field(default_factory=_usual)
    workers: int = 1
    pinned: bool = True
    restarted: bool = False


MORE = 4


SPOTS = (
    Spot("as usual"),
    Spot("1,000 subjects", Point("subjects", "", creators=200, paying=2)),
    Spot("600,000 subjects", Point("subjects", "", creators=100_000, paying=2)),
    Spot("30 programmes, all pay", Point("programs", "", programs=30, paying=30)),
    Spot("window of 1h", Point("windows", "", window="{rolling: 1h}", span="2h", paying=2)),
    Spot("window of 30d", Point("windows", "", window="{rolling: 30d}", span="60d", paying=2)),
    Spot("after a restart", restarted=True),
    Spot("one process, no core of its own, after a restart", pinned=False, restarted=True),
    Spot("two processes, no core of their own, after a restart", workers=2, pinned=False, restarted=True),
)


@dataclass(frozen=True, slots=True)
class WorkerCost:
    """What an event cost the workers and Redis. ``waited`` is the share of their time without a core."""

    label: str
    workers: int
    events: int
    cpu_us: float
    events_a_second: float
    waited: float
    rss_mib: float
    redis_cpu_us: float
    redis_in_bytes: float
    redis_out_bytes: float


def measure(on: Servers, spot: Spot, events: int, seed: int) -> WorkerCost:
    """Fill topics of its own, and have the workers count it all, or as much of it as they are measured over."""
    point = spot.point
    if spot.restarted:
        events *= MORE
    load = Load(events, point.creators, VIDEOS, _VIEWERS, in_ms(parse_duration(point.span)), seed)
    own_core = cores.split(spot.pinned)[0]
    with ExitStack() as ends:
        folders = [Path(ends.enter_context(TemporaryDirectory())) for _ in range(spot.workers)]
        write_programs(folders[0], point)
        for folder in folders[1:]:
            shutil.copytree(folders[0], folder, dirs_exist_ok=True)
        place = ends.enter_context(ground(on, PARTITIONS))
        fill(on.kafka, place.prefix, load)
        if spot.restarted:
            with worker.running(place, folders[0], own_core) as before:
                before.wait_until_counted(events // 4, _patience_s(events))
        workers = [ends.enter_context(worker.running(place, folder, own_core)) for folder in folders]
        for each in workers:
            each.wait_until_taken(place.partitions // len(workers))
        return _watch(place, spot, workers, events)


def _watch(place: Ground, spot: Spot, workers: Sequence[Worker], events: int) -> WorkerCost:
    redis_before, first = RedisUse.of(place.servers.redis), _looks(workers)
    if spot.restarted:
        least = _counted(first) + (events - place.committed()) // 2
        workers[0].wait_until(lambda _: _counted(_looks(workers)) >= least, _patience_s(events))
        reached = durable = _looks(workers)
    else:
        workers[0].wait_until(lambda _: _counted(_looks(workers)) >= events, _patience_s(events))
        reached = _looks(workers)
        workers[0].wait_until(lambda _: place.committed() >= events, TAKE_S)
        durable = _looks(workers)
    redis_used = RedisUse.of(place.servers.redis).since(redis_before)
    measured = _counted(durable) - _counted(first)
    if measured <= 0:
        raise CannotMeasure("All events were counted before every worker had its share: run more of them.")
    passed_s = reached[0].at_s - first[0].at_s
    return WorkerCost(
        label=spot.label,
        workers=len(workers),
        events=measured,
        cpu_us=_more(first, durable, lambda look: look.cpu_s) * 1e6 / measured,
        events_a_second=measured / passed_s,
        waited=_more(first, reached, lambda look: look.waited_s) / passed_s,
        rss_mib=sum(each.max_rss_mib() for each in workers),
        redis_cpu_us=redis_used.cpu_s * 1e6 / measured,
        redis_in_bytes=redis_used.in_bytes / measured,
        redis_out_bytes=redis_used.out_bytes / measured,
    )


def _patience_s(events: int) -> float:
    return TAKE_S + events / LEAST_EVENTS_A_SECOND


def _looks(workers: Sequence[Worker]) -> list[Look]:
    return [each.progress() for each in workers]


def _counted(looks: Sequence[Look]) -> int:
    return sum(look.events for look in looks)


def _more(before: Sequence[Look], after: Sequence[Look], figure: Callable[[Look], float]) -> float:
    return sum(map(figure, after)) - sum(map(figure, before))
