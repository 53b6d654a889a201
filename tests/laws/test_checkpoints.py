"""The law: workers may stop, crash and move anywhere; what they award together is what one would have."""

import random

from hypothesis import given

from stream.core.outcome import Bonus
from stream.core.partition import Partition
from stream.core.plan import Plan
from tests.laws.engine import by_id, chunks, feed, run
from tests.laws.store import Store
from tests.model import bonuses
from tests.strategies import Case, cases, interleaved, seeds


@given(cases(), seeds)
def test_stopping_and_moving_after_any_checkpoint_does_not_show(case: Case, seed: int) -> None:
    records = interleaved(case.records, seed)
    shuffler = random.Random(seed)
    store, ledger = Store(), list[Bonus]()
    partition = Partition(0, Plan(case.programs), case.limits)
    for chunk in chunks(records, seed):
        ledger += store.feed(partition, chunk)
        if shuffler.random() < 0.3:
            store.write(partition.cut(), len(ledger))
            partition = store.open(case, ledger)
    assert by_id(ledger) == bonuses(case.programs, records, case.limits)


@given(cases(removes=False) | cases(one_topic=True), seeds)
def test_a_crash_anywhere_loses_nothing_and_pays_nothing_twice(case: Case, seed: int) -> None:
    """Records since the checkpoint are read again, in another order of topics; bonuses since are in the ledger."""
    shuffler = random.Random(seed)
    store, ledger = Store(), list[Bonus]()
    for life in range(shuffler.randint(1, 4), -1, -1):
        partition = store.open(case, ledger)
        rest = [record for record in case.records if record.offset >= store.positions[record.topic]]
        dies_after = shuffler.randint(0, len(rest)) if life else len(rest)
        done = 0
        for chunk in chunks(interleaved(rest, shuffler.randrange(1_000)), seed):
            if life and done + len(chunk) > dies_after:
                break
            done += len(chunk)
            ledger += store.feed(partition, chunk)
            if shuffler.random() < 0.2:
                store.write(partition.cut(), len(ledger))
    assert by_id(ledger).keys() == run(case, case.records).keys()


@given(cases(), seeds)
def test_subjects_that_leave_memory_and_come_back_do_not_show(case: Case, seed: int) -> None:
    records = case.records
    shuffler = random.Random(seed)
    store, ledger = Store(), list[Bonus]()
    partition = Partition(0, Plan(case.programs), case.limits)
    for chunk in chunks(records, seed):
        ledger += store.feed(partition, chunk)
        if shuffler.random() < 0.5:
            store.write(partition.cut(), len(ledger))
        partition.memory.evict(shuffler.randint(0, 2), partition.memory.cuts)
    assert by_id(ledger) == bonuses(case.programs, records, case.limits)


@given(cases(), seeds)
def test_a_checkpoint_holds_what_the_memory_held(case: Case, seed: int) -> None:
    """Cut at different places, checkpoints add up to the same fields."""
    records = case.records
    once, often = Store(), Store()
    whole, cut_up = (Partition(0, Plan(case.programs), case.limits) for _ in range(2))
    for chunk in chunks(records, seed):
        feed(whole, chunk)
        feed(cut_up, chunk)
        often.write(cut_up.cut(), 0)
    once.write(whole.cut(), 0)
    assert (often.subjects, often.due) == (once.subjects, once.due)
    assert often.remembered() == once.remembered()
    assert (often.positions, often.arrivals) == (once.positions, once.arrivals)
