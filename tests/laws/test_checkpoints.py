"""The law: workers may stop, crash and move anywhere; what they award together is what one would have."""

import random
from collections.abc import Sequence

from hypothesis import given

from stream.core.awards import latch
from stream.core.outcome import Bonus
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Topic
from stream.core.subject import subject_key
from tests.laws.engine import by_id, chunks, feed, run
from tests.model import Record, bonuses
from tests.strategies import Case, cases, interleaved, seeds


class Store:
    """What checkpoints add up to: the place in the logs, the ids, and each subject's fields."""

    def __init__(self) -> None:
        self.subjects: dict[str, dict[str, int]] = {}
        self.ids: dict[Topic, list[tuple[int, list[str]]]] = {topic: [] for topic in TOPICS}
        self.positions: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
        self.arrivals: dict[Topic, int] = {}
        self.ledger_place = 0

    def write(self, changes: Changes, ledger_place: int) -> None:
        """Make a checkpoint durable, together with the place in the ledger of bonuses."""
        for key, fields in changes.subjects.items():
            held = self.subjects.setdefault(key, {})
            for name, value in fields.items():
                if value is None:
                    held.pop(name, None)
                else:
                    held[name] = value
        for topic in TOPICS:
            floor = changes.ids_floor[topic]
            runs = self.ids[topic] + list(changes.ids[topic])
            self.ids[topic] = [(arrival, list(ids)) for arrival, ids in runs if arrival >= floor]
        self.positions = dict(changes.positions)
        self.arrivals = dict(changes.arrivals)
        self.ledger_place = ledger_place

    def remembered(self) -> dict[Topic, list[tuple[int, str]]]:
        """Each topic's ids with their arrivals."""
        return {topic: [(at, name) for at, ids in runs for name in ids] for topic, runs in self.ids.items()}

    def open(self, case: Case, ledger: Sequence[Bonus]) -> Partition:
        """A new worker's partition: the checkpoint, then the awards that the ledger holds beyond it."""
        partition = Partition(0, Plan(case.programs), case.limits, complete=False)
        partition.restore(self.positions, self.arrivals, self.ids)
        for bonus in ledger[self.ledger_place :]:
            key = subject_key(bonus.creator_id, bonus.video_id)
            if key not in partition.memory:
                partition.memory.admit(key, self.subjects.get(key, {}))
            partition.award(key, latch(bonus.program, bonus.tier, bonus.period[0]))
        return partition

    def read_back(self, partition: Partition, chunk: Sequence[Record]) -> None:
        """Bring the subjects that a chunk meets into memory."""
        for key in partition.missing(chunk[0].topic, [record.decoded for record in chunk]):
            partition.memory.admit(key, self.subjects.get(key, {}))


@given(cases(), seeds)
def test_stopping_and_moving_after_any_checkpoint_does_not_show(case: Case, seed: int) -> None:
    records = interleaved(case.records, seed)
    shuffler = random.Random(seed)
    store, ledger = Store(), list[Bonus]()
    partition = Partition(0, Plan(case.programs), case.limits)
    for chunk in chunks(records, seed):
        store.read_back(partition, chunk)
        ledger += feed(partition, chunk)
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
            store.read_back(partition, chunk)
            ledger += feed(partition, chunk)
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
        store.read_back(partition, chunk)
        ledger += feed(partition, chunk)
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
    assert {key: fields for key, fields in often.subjects.items() if fields} == {
        key: fields for key, fields in once.subjects.items() if fields
    }
    assert often.remembered() == once.remembered()
    assert (often.positions, often.arrivals) == (once.positions, once.arrivals)
