"""The law: what is swept was of no use any more, and all that is of no use is swept in the end."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.core import expiry, memory
from stream.core.outcome import Bonus, Rejection
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import (
    TOPICS,
    Award,
    Calendar,
    Lifetime,
    Limits,
    OncePer,
    OncePerWindow,
    Period,
    Rolling,
    Topic,
    Tumbling,
    Window,
)
from tests.builders import DAY, HOUR, Log, program, tier, version
from tests.laws.engine import by_id, chunks
from tests.laws.store import Store
from tests.laws.test_order import reading
from tests.model import bonuses
from tests.strategies import Case, cases, seeds
from tests.strategies.edges import NEW_YORK

patched = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept for rules that may be loaded late: what is proven of those that are loaded is tight."""
    monkeypatch.setattr(expiry, "LATE_RULES_MS", 0)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut deletes a few fields only, so that many checkpoints stand between a sweep and its end."""
    monkeypatch.setattr(memory, "MOST_DELETED", 3)


@given(cases(), seeds)
@patched
@pytest.mark.usefixtures("at_once")
def test_sweeps_anywhere_do_not_show(case: Case, seed: int) -> None:
    """Of any entries, also of such as are in use, while topics are read to their ends."""
    shuffler = random.Random(seed)
    store, ledger, read = Store(), list[Bonus](), []
    partition = Partition(0, Plan(case.programs), case.limits)
    looked_up: dict[Topic, tuple[int, int]] = {}
    for chunk, ends in reading(case.records, shuffler):
        ledger += store.feed(partition, chunk)
        read += chunk
        for topic, (furthest, end) in list(looked_up.items()):
            if partition.positions[topic] >= end:
                partition.caught_up(topic, furthest)
                del looked_up[topic]
        for topic in shuffler.sample(TOPICS, 2):
            looked_up.setdefault(topic, (partition.furthest(), ends[topic]))
        known = sorted({*store.subjects, *partition.memory.entries})
        store.sweep(partition, shuffler.sample(known, shuffler.randint(0, len(known))))
        if shuffler.random() < 0.5:
            store.write(partition.cut(), len(ledger))
        partition.memory.evict(shuffler.randint(0, 3), partition.memory.cuts)
        if shuffler.random() < 0.1:
            store.write(partition.cut(), len(ledger))
            partition = store.open(case, ledger)
    assert by_id(ledger) == bonuses(case.programs, read, case.limits)


@given(cases(), seeds)
@patched
@pytest.mark.usefixtures("slowly")
def test_what_can_go_goes_in_the_end_whoever_crashes_meanwhile(case: Case, seed: int) -> None:
    """All that stays is what `once` awarded, and lifetime counts that have no end."""
    shuffler = random.Random(seed)
    store, ledger = Store(), list[Bonus]()
    partition = Partition(0, Plan(case.programs), case.limits)
    for chunk in chunks(case.records, seed):
        ledger += store.feed(partition, chunk)
        store.sweep(partition, store.overdue(partition))
        store.write(partition.cut(), len(ledger))
    years_later = partition.furthest() + 1_000 * DAY
    for topic in TOPICS:
        partition.apply(topic, [partition.positions[topic]], [years_later], [Rejection("empty", "Empty.")])
    store.write(partition.cut(), len(ledger))
    for _ in range(2_000):
        store.sweep(partition, store.overdue(partition))
        if shuffler.random() < 0.1:
            partition = store.open(case, ledger)
        store.write(partition.cut(), len(ledger))
        partition.memory.evict(shuffler.choice([1_000, 2]), partition.memory.cuts)
        if not store.due:
            break
    assert store.due == {}
    plan = Plan(case.programs)
    for fields in store.subjects.values():
        for field in fields:
            assert field.endswith("/-") or is_endless(plan, field), field


@given(cases(), seeds)
@patched
@pytest.mark.usefixtures("slowly")
def test_whatever_can_go_is_due_in_every_checkpoint(case: Case, seed: int) -> None:
    """So a crash leaves nothing behind that no sweep would find."""
    shuffler = random.Random(seed)
    store, plan = Store(), Plan(case.programs)
    partition = Partition(0, plan, case.limits)
    for chunk in chunks(case.records, seed):
        store.feed(partition, chunk)
        known = sorted({*store.subjects, *partition.memory.entries})
        store.sweep(partition, shuffler.sample(known, shuffler.randint(0, len(known))))
        store.write(partition.cut(), 0)
        partition.memory.evict(shuffler.randint(0, 3), partition.memory.cuts)
        for key, fields in store.subjects.items():
            lasting = all(field.endswith("/-") or is_endless(plan, field) for field in fields)
            assert lasting or key in store.due


def is_endless(plan: Plan, field: str) -> bool:
    """Whether a field is of a lifetime count without an end."""
    counter = plan.counter(field.rpartition(":")[0])
    return counter is not None and all(
        isinstance(judge.version.window, Lifetime) and judge.version.until_ms is None
        for judge in counter.judges
    )


START = 1_772_323_200_000  # 2026-03-01T00:00Z
PERIODS = [Period(unit, zone) for unit in ("day", "week", "month") for zone in ("UTC", NEW_YORK)]
AWARDS: list[Award] = [OncePerWindow(), *map(OncePer, PERIODS)]
ROLLING: list[Window] = [Rolling(DAY, HOUR), Rolling(4 * DAY, DAY), Rolling(80 * DAY, 40 * DAY)]
ALIGNED: list[Window] = [
    *(Tumbling(HOUR), Tumbling(DAY), Tumbling(3 * DAY), Tumbling(50 * DAY)),
    *map(Calendar, PERIODS),
]


@st.composite
def seasons(draw: st.DrawFn) -> Case:
    """A programme that pays anew in each period or window, and a log of half a year."""
    award = draw(st.sampled_from(AWARDS))
    windows = ALIGNED if isinstance(award, OncePerWindow) else ROLLING
    change = START + draw(st.integers(0, 160)) * DAY
    tiers = (tier("first", views=1), tier("second", views=2))
    versions = (
        version(draw(st.sampled_from(windows)), *tiers, number=1, until_ms=change),
        version(draw(st.sampled_from(windows)), *tiers, number=2, from_ms=change, count_from_ms=START),
    )
    log, at = Log(), START
    for step, late in draw(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(STEPS)), min_size=5)):
        at += step
        log.add("views", at - min(late, LATE.allowed_lateness_ms), arrives=at)
    return Case([program(*versions, award=award)], log.records, LATE)


STEPS = [0, 1, HOUR - 1, HOUR, 6 * HOUR, DAY - 1, DAY, DAY + 1, 3 * DAY, 10 * DAY, 31 * DAY, 50 * DAY]
LATE = Limits(allowed_lateness_ms=3 * DAY, dedupe_window_ms=4 * DAY)


@given(seasons(), seeds)
@patched
@pytest.mark.usefixtures("at_once")
def test_a_latch_that_is_swept_is_never_asked_for_again(case: Case, seed: int) -> None:
    """No period, window or version pays twice, months later or at the edge of lateness."""
    store, ledger = Store(), list[Bonus]()
    partition = Partition(0, Plan(case.programs), case.limits)
    for chunk in chunks(case.records, seed):
        ledger += store.feed(partition, chunk)
        store.sweep(partition, list(partition.memory.entries))
        store.write(partition.cut(), len(ledger))
        if len(ledger) % 3 == 0:
            partition = store.open(case, ledger)
    assert by_id(ledger) == bonuses(case.programs, case.records, case.limits)
