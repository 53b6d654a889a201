"""One run: the load, the plan's faults beside it, quiet, and the verdict."""

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import verdict
from tests.chaos.history import PROGRAM, History
from tests.chaos.plan import At
from tests.chaos.setup import PREFIX, Setup
from tests.chaos.world import World
from tests.kafka.rules_of import put
from tests.kafka.traffic import load

QUIET_S = 5.0
"""The load goes on so long after the last fault: a Redis that went back is found out by the next checkpoint."""

SETTLED_WITHIN_S = 90.0
RATE = 400

_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: ``settings`` are those of workers, ``seconds`` the least that the load lasts. A ``history`` lies
    in the logs before workers start; its records, and all that follow, keep their producers' timestamps."""

    seed: int
    plan: Sequence[At]
    seconds: float = 0.0
    setup: Setup = field(default_factory=Setup)
    rate: int = RATE
    settings: Mapping[str, object] = field(default_factory=dict)
    settled_within_s: float = SETTLED_WITHIN_S
    history: History | None = None


@dataclass(slots=True)
class Report:
    """What was seen: ``faults`` by kind, and in how many partitions the model was asked too (``modelled``).

    ``failure`` is None where every bonus is there once, and no other.
    """

    faults: Counter[str] = field(default_factory=Counter)
    records: int = 0
    bonuses: int = 0
    modelled: int = 0
    takes: int = 0
    taken_anew: int = 0
    seconds: float = 0.0
    points: list[str] = field(default_factory=list)
    failure: str | None = None


def patience_s(seconds: float) -> float:
    """How long a run of so many seconds may take to settle.

    Who has to begin anew from an emptied Redis at the very end reads all of its history, on slow cores at three times
    the speed at which it came.
    """
    return 2 * SETTLED_WITHIN_S + seconds / 2


def under_mutant(name: str | None) -> Mapping[str, object]:
    """The settings of workers that break the protocol so, or don't."""
    return {} if name is None else {"test_mutant": name}


async def run(order: Order, folder: Path, say: Callable[[str], None]) -> Report:
    """Carry the order out in ``folder``, and hold what workers wrote against what engine and model make of the logs.

    A fault that can't be carried out is a failure, too; the others go on.
    """
    report, failures, began = Report(), list[str](), time.monotonic()
    async with World.open(
        folder, order.setup, order.settings, create_time=order.history is not None
    ) as world:
        try:
            if order.history is not None:
                put(world.fleet.programs, "history.yaml", PROGRAM)
                await order.history.send(world.brokers.bootstrap, order.seed)
            await world.start_workers()
            failures += await _fire(world, order, report, say)
            await _judge(world, order, report)
        except AssertionError as error:
            failures.append(str(error))
        if world.broken:
            failures += ["a worker ended by itself:", *world.broken]
        report.takes, report.taken_anew = world.said("partition taken"), world.said("partition is taken anew")
        report.points = world.points_reached
    report.failure = "\n".join(failures) or None
    report.seconds = time.monotonic() - began
    return report


async def _fire(world: World, order: Order, report: Report, say: Callable[[str], None]) -> list[str]:
    """A sentence for each fault that could not be carried out."""
    async with load(world.brokers.bootstrap, PREFIX, order.seed, order.rate):
        began = time.monotonic()
        striking = [_strike(world, at, began, report, say) for at in order.plan]
        hindered = await asyncio.gather(*striking)
        await world.mend()
        await asyncio.sleep(max(QUIET_S, began + order.seconds - time.monotonic()))
    return [sentence for sentence in hindered if sentence is not None]


async def _strike(
    world: World, at: At, began: float, report: Report, say: Callable[[str], None]
) -> str | None:
    await asyncio.sleep(began + at.at_s - time.monotonic())
    say(f"{time.monotonic() - began:7.1f} s  {at.fault}")
    try:
        await at.fault.strike(world)
    except Exception as error:
        return f"could not be carried out: {at.fault}: {type(error).__name__}: {error}"
    report.faults[at.fault.name] += 1
    return None


async def _judge(world: World, order: Order, report: Report) -> None:
    """All three, also where one fails: what stands still may be wrong besides."""
    failures = list[str]()
    for judge in (
        world.settled(order.settled_within_s),
        world.stop_workers(),
        _compare(world, order.seed, report),
    ):
        try:
            await judge
        except (AssertionError, TimeoutError) as error:
            failures.append(str(error) or _told(error))
    assert not failures, "\n".join(failures)


def _told(error: Exception) -> str:
    """Where it failed, and what was compared there: outside of pytest an assertion says nothing by itself."""
    last = traceback.TracebackException.from_exception(error, capture_locals=True).stack[-1]
    seen = [f"{name} = {value[:_SHOWN]}" for name, value in (last.locals or {}).items()]
    return "\n".join([f"{type(error).__name__}: {last.line}", *seen])


async def _compare(world: World, seed: int, report: Report) -> None:
    seen = await verdict.judge(world, seed)
    report.records, report.bonuses, report.modelled = seen.records, seen.bonuses, seen.modelled
