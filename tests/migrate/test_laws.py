"""The law: moving all that was counted to another number of partitions, at any place of the log, does not show."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.placement import partition_of
from stream.core.outcome import Bonus, Rejection
from stream.core.rules import TOPICS
from stream.migrate.regroup import by_target, latest, sources
from tests.laws.engine import by_id
from tests.laws.store import Store
from tests.model import Engagement, Record, bonuses
from tests.strategies import Case, cases, seeds

counts = st.integers(1, 6)


def resent(records: list[Record], cut: int, seed: int) -> list[Record]:
    """The log, with some of the records before the cut once more behind it."""
    shuffler = random.Random(seed)
    again = shuffler.choices(records[:cut], k=shuffler.randrange(12)) if cut else []
    return [*records[:cut], *again, *records[cut:]]


def spread_out(records: list[Record], seed: int) -> list[Record]:
    """A log under the brokers' clock, with creators of other names, and ids that are each creator's own.

    Arrival is then the same whatever else lies in a partition, and so is what a duplicate is.
    """
    shuffler = random.Random(seed)
    names = {name: f"{name}{shuffler.randrange(100)}" for name in ("ada", "eve")}
    clock, offsets = dict.fromkeys(TOPICS, -1), dict.fromkeys(TOPICS, -1)
    log = []
    for record in records:
        topic, event = record.topic, record.decoded
        clock[topic] = max(clock[topic], record.timestamp)
        offsets[topic] += 1
        if isinstance(event, Engagement):
            creator = names[event.creator_id]
            viewer = names.get(event.viewer_id, event.viewer_id)
            event_id = f"{creator}/{event.event_id}"
            event = replace(event, creator_id=creator, viewer_id=viewer, event_id=event_id)
        log.append(Record(topic, 0, offsets[topic], clock[topic], event))
    return log


def place_of(record: Record, partitions: int) -> int:
    """The partition of a record; of one that holds no event, the first."""
    event = record.decoded
    return 0 if isinstance(event, Rejection) else partition_of(event.creator_id, partitions)


def live(stores: list[Store], case: Case, records: list[Record]) -> list[Bonus]:
    """What partitions with these checkpoints award for records of theirs, in the order given; then they end."""
    partitions = [store.open(case, []) for store in stores]
    paid: list[Bonus] = []
    for record in records:
        number = place_of(record, len(stores))
        paid += stores[number].feed(partitions[number], [record])
    for store, partition in zip(stores, partitions, strict=True):
        store.write(partition.cut(), 0)
    return paid


def moved(before: list[Store], after: int) -> list[Store]:
    """The checkpoints of so many partitions that hold what these hold."""
    stores = [Store() for _ in range(after)]
    for target, store in enumerate(stores):
        from_here = [before[number] for number in sources(target, len(before), after)]
        store.arrivals = latest(each.arrivals for each in from_here)
        for topic in TOPICS:
            store.ids[topic] = sorted(run for each in from_here for run in each.ids[topic])
    for each in before:
        for target, keys in by_target(each.subjects, after).items():
            stores[target].subjects |= {key: dict(each.subjects[key]) for key in keys}
            stores[target].due |= {key: each.due[key] for key in keys if key in each.due}
    return stores


@given(cases(), seeds, counts, counts, st.floats(0, 1))
def test_a_move_to_another_number_of_partitions_does_not_show(
    case: Case, seed: int, before: int, after: int, place: float
) -> None:
    """What was counted, what was awarded, and which ids were accepted go with the creators."""
    cut = int(place * len(case.records))
    records = spread_out(resent(case.records, cut, seed), seed)
    stores = [Store() for _ in range(before)]
    paid = live(stores, case, records[:cut])
    paid += live(moved(stores, after), case, records[cut:])
    assert bonuses(case.programs, records, case.limits) == by_id(paid)
