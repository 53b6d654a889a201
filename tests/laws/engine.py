"""Running the engine over a model's log: as a whole, in chunks, and from checkpoint to checkpoint."""

import random
from collections.abc import Iterable, Iterator, Sequence

from stream.core.outcome import Bonus, Outcome
from stream.core.panes import FOREVER_MS
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits, Program
from tests import model
from tests.model import Record
from tests.strategies import Case


def chunks(records: Sequence[Record], seed: int | None = None) -> Iterator[list[Record]]:
    """Runs of one topic, in order; with a ``seed`` cut shorter at random, else record by record."""
    shuffler = random.Random(seed)
    chunk: list[Record] = []
    for record in records:
        if chunk and (seed is None or record.topic != chunk[0].topic or shuffler.random() < 0.2):
            yield chunk
            chunk = []
        chunk.append(record)
    if chunk:
        yield chunk


def applied(partition: Partition, chunk: Sequence[Record], most_looked: int = FOREVER_MS) -> Outcome:
    """What it makes of a run of one topic, or of as much of it as it applies."""
    return partition.apply(
        chunk[0].topic,
        [record.offset for record in chunk],
        [record.timestamp for record in chunk],
        [record.decoded for record in chunk],
        most_looked,
    )


def outcomes(
    partition: Partition, chunk: Sequence[Record], most_looked: int = FOREVER_MS
) -> Iterator[Outcome]:
    """Apply a run of one topic, in as many steps as ``most_looked`` makes of it."""
    while chunk:
        outcome = applied(partition, chunk, most_looked)
        yield outcome
        chunk = chunk[outcome.applied :]


def feed(partition: Partition, chunk: Sequence[Record], most_looked: int = FOREVER_MS) -> list[Bonus]:
    """Apply a run of one topic; its bonuses."""
    return [bonus for outcome in outcomes(partition, chunk, most_looked) for bonus in outcome.bonuses]


def by_id(bonuses: Iterable[Bonus]) -> dict[str, Bonus]:
    """Bonuses by id; none may come twice."""
    found: dict[str, Bonus] = {}
    for bonus in bonuses:
        assert bonus.bonus_id not in found, f"awarded twice: {bonus} and {found[bonus.bonus_id]}"
        found[bonus.bonus_id] = bonus
    return found


def run(case: Case, records: Sequence[Record], seed: int | None = None) -> dict[str, Bonus]:
    """What the engine awards for the case's log in the order of ``records``, chunked by ``seed``."""
    partition = Partition(0, Plan(case.programs), case.limits)
    most_looked = FOREVER_MS if seed is None else random.Random(seed).choice([0, 3, FOREVER_MS])
    return by_id(bonus for chunk in chunks(records, seed) for bonus in feed(partition, chunk, most_looked))


def agreed(programs: Sequence[Program], records: Sequence[Record]) -> list[Bonus]:
    """What an example awards under the usual limits, in order: the model and the engine must say the same."""
    expected = model.bonuses(programs, records, Limits())
    assert run(Case(list(programs), list(records), Limits()), records) == expected
    return list(expected.values())


def codes(records: Sequence[Record], limits: Limits) -> list[str]:
    """What becomes of each record in the engine: ``accepted``, ``duplicate``, or the code it is turned away with."""
    partition = Partition(0, Plan([]), limits)
    found = []
    for record in records:
        outcome = partition.apply(record.topic, [record.offset], [record.timestamp], [record.decoded])
        turned_away = [rejection.code for _, rejection in outcome.turned_away]
        found += turned_away or ["accepted"] * outcome.accepted + ["duplicate"] * outcome.duplicates
    return found
