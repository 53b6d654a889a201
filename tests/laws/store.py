"""A store of checkpoints as plain dicts, for the laws."""

from collections.abc import Sequence

from stream.core.awards import latch
from stream.core.outcome import Bonus
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Topic
from stream.core.subject import subject_key
from tests.laws.engine import applied
from tests.model import Record
from tests.strategies import Case


class Store:
    """What checkpoints add up to: the place in the logs, the ids, each entry's fields, and its due."""

    def __init__(self) -> None:
        self.subjects: dict[str, dict[str, int]] = {}
        self.due: dict[str, int] = {}
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
            if not held:
                del self.subjects[key]
        for key, due in changes.due.items():
            if due is None:
                self.due.pop(key, None)
            else:
                self.due[key] = due
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

    def feed(self, partition: Partition, chunk: Sequence[Record]) -> list[Bonus]:
        """Apply a run of one topic; what memory lacks is read back where it stops for it. Its bonuses."""
        paid: list[Bonus] = []
        while True:
            outcome = applied(partition, chunk)
            paid += outcome.bonuses
            chunk = chunk[outcome.applied :]
            if not chunk:
                return paid
            lacking = partition.missing(chunk[0].topic, [record.decoded for record in chunk])
            assert lacking, "it stopped for nothing"
            for key in lacking:
                partition.memory.admit(key, self.subjects.get(key, {}))

    def sweep(self, partition: Partition, keys: Sequence[str]) -> None:
        """Sweep these entries, after those that are not in memory were read back."""
        for key in keys:
            if key not in partition.memory:
                partition.memory.admit(key, self.subjects.get(key, {}))
        partition.sweep(keys)

    def overdue(self, partition: Partition) -> list[str]:
        """The entries that are due, by the partition's horizon."""
        return [key for key, due in self.due.items() if due < partition.horizon()]
