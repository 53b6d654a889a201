"""A partition's state, and the one step that changes it: apply a chunk of one topic, record by record.

Partition p is the unit of everything: its four topics meet here and nowhere else, and no state is shared with
another partition. Records are applied one at a time in offset order, so how they are batched can't show. What a
chunk costs is measured by ``benchmarks/core.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stream.core.expiry import forget_cells
from stream.core.intake import NO_ARRIVAL, Intake
from stream.core.judging import judge
from stream.core.memory import Memory
from stream.core.outcome import Bonus, Event, Outcome, Rejection
from stream.core.panes import FOREVER_MS
from stream.core.places import Gate, places_key
from stream.core.plan import Counter, Feeds, Plan
from stream.core.rules import TOPICS, Limits, SubjectKind, Topic
from stream.core.series import Series
from stream.core.subject import Subject, subject_key

Runs = list[tuple[int, list[str]]]
"""Event ids by the arrival at which they were accepted, ascending."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last cut: absolute values, so writing them twice is writing them once.

    ``subjects``: subject key -> field -> value, None where the field went. ``ids``: accepted since the last cut.
    ``due``: key -> the horizon (ms) after which some of it can go, None for never. ``ids_floor``: ids accepted at an
    arrival before it are forgotten. ``positions`` are the next offsets to read.
    """

    subjects: Mapping[str, Mapping[str, int | None]]
    due: Mapping[str, int | None]
    ids: Mapping[Topic, Runs]
    ids_floor: Mapping[Topic, int]
    positions: Mapping[Topic, int]
    arrivals: Mapping[Topic, int]


NOBODY: Final[frozenset[str]] = frozenset()


class Unapplied(Exception):
    """A record could not be applied: a mistake of ours. Carries its place; what caused it is its cause."""

    def __init__(self, topic: Topic, partition: int, offset: int) -> None:
        super().__init__(f"{topic}/{partition}/{offset} could not be applied")


class Partition:
    """The state of one partition under one plan.

    ``memory`` holds subjects and places. Unless it is complete, ``apply`` stops where it lacks something, and
    ``missing`` names what must be admitted to it first. ``positions`` are the next offsets to read, 0 for a new log.
    """

    def __init__(self, number: int, plan: Plan, limits: Limits, *, complete: bool = True) -> None:
        self.number = number
        self.plan = plan
        self.limits = limits
        self.memory = Memory(plan, complete=complete)
        self.positions: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
        self._intakes = {topic: Intake(limits) for topic in TOPICS}
        self._caught_up: dict[Topic, int] = dict.fromkeys(TOPICS, NO_ARRIVAL)
        self._half_applied: Unapplied | None = None
        self._looked = 0  # at panes, for late events, in one call of `apply`

    # Restoring

    def restore(
        self, positions: Mapping[Topic, int], arrivals: Mapping[Topic, int], ids: Mapping[Topic, Runs]
    ) -> None:
        """Take over a checkpoint's place in the logs; what is in memory follows when it is met."""
        self.positions.update(positions)
        for topic, intake in self._intakes.items():
            intake.restore(arrivals.get(topic, NO_ARRIVAL), ids.get(topic, []))

    def award(self, key: str, latch: str) -> None:
        """Latch an award that was found made already. The subject must be in memory, or new."""
        subject = self.memory.subject(key)
        if latch not in subject.latches:
            subject.award(latch)
            for name, _ in subject.each():
                counter = self.plan.counter(name)
                if counter is not None:
                    subject.set_floor(counter)

    def missing(self, topic: Topic, decoded: Iterable[Event | Rejection]) -> list[str]:
        """The keys of what these records may touch and memory doesn't hold, each once."""
        wanted: dict[str, None] = {}
        for event in decoded:
            if isinstance(event, Rejection):
                continue
            for key in self._may_touch(topic, event):
                wanted[key] = None
        return self.memory.missing(wanted)

    # Applying

    def apply(
        self,
        topic: Topic,
        offsets: list[int],
        timestamps: list[int],
        decoded: Sequence[Event | Rejection],
        most_looked: int = FOREVER_MS,
    ) -> Outcome:
        """Apply records of ``topic``, given as parallel columns in offset order, timestamps in Unix ms.

        It may stop before one of them; ``Outcome.applied`` says how many were applied, and nothing is changed by the
        others. It stops before the first that touches what memory does not hold: ``missing`` names that. And a late
        event is judged at every pane from its own to the subject's newest: it stops once that were more than
        ``most_looked``, a tier each.
        """
        intake, plan = self._intakes[topic], self.plan
        fed = plan.fed_by(topic)
        skew_ms, lateness_ms = self.limits.allowed_skew_ms, self.limits.allowed_lateness_ms
        self.memory.chunk += 1
        turned_away: list[tuple[int, Rejection]] = []
        bonuses: list[Bonus] = []
        accepted = duplicates = out_of_step = index = 0
        applied = len(decoded)
        self._looked = 0
        in_step_at, may_lack = self._in_step_at(topic, timestamps), not self.memory.complete
        try:
            for index, event in enumerate(decoded):
                if self._looked > most_looked or (may_lack and self._lacks(topic, event)):
                    applied = index
                    break
                if index == in_step_at:
                    out_of_step = accepted
                timestamp = timestamps[index]
                if timestamp > intake.arrival:
                    intake.arrival = timestamp
                if type(event) is Rejection:
                    turned_away.append((index, event))
                    continue
                at_ms = event.occurred_at
                if not -lateness_ms <= at_ms - intake.arrival <= skew_ms:
                    turned_away.append((index, intake.refusal(at_ms)))
                    continue
                if not intake.is_new(event.event_id):
                    duplicates += 1
                    continue
                accepted += 1
                found = fed.get(event.region)
                if found is None:
                    found = plan.fed(topic, event.region)
                gates, feeds = found
                let_in = self._let_in(gates, event, intake.arrival) if gates else NOBODY
                if event.action == "remove":
                    self._take_back(event, feeds, let_in)
                else:
                    self._count(topic, offsets[index], event, at_ms, feeds, let_in, bonuses)
        except Exception as error:
            self._half_applied = Unapplied(topic, self.number, offsets[index])
            raise self._half_applied from error
        if applied:
            self.positions[topic] = offsets[applied - 1] + 1
        intake.forget()
        if in_step_at >= applied:
            out_of_step = accepted
        return Outcome(applied, self._looked, accepted, duplicates, out_of_step, turned_away, bonuses)

    def _lacks(self, topic: Topic, event: Event | Rejection) -> bool:
        """Whether memory lacks something that ``missing`` would name for this record."""
        if type(event) is Rejection:
            return False
        entries = self.memory.entries
        return any(key not in entries for key in self._may_touch(topic, event))

    def _may_touch(self, topic: Topic, event: Event) -> list[str]:
        """The keys of the entries that an event comes to, whether or not it passes their filters."""
        gates, feeds = self.plan.fed(topic, event.region)
        keys = [_key(kind, event) for kind, _ in feeds]
        for gate in gates:
            keys.append(_places_key(gate, event, _counted_at(event)))
        return keys

    def _in_step_at(self, topic: Topic, timestamps: Sequence[int]) -> int:
        """The index of the record by which the topic gets to where it had been passed; how many where none does."""
        passed_ms = self._caught_up[topic]
        if self._intakes[topic].arrival >= passed_ms:
            return 0
        found = (index for index, timestamp in enumerate(timestamps) if timestamp >= passed_ms)
        return next(found, len(timestamps))

    def _let_in(self, gates: tuple[Gate, ...], event: Event, arrival_ms: int) -> frozenset[str]:
        """The gates that this event comes through: it takes a place there, or frees one."""
        at_ms = _counted_at(event)
        through = []
        for gate in gates:
            if at_ms < gate.start_ms or (gate.filter is not None and not gate.filter.passes(event)):
                continue
            forgotten = (
                gate.local.end(gate.local.pane_of(at_ms)) + self.limits.allowed_lateness_ms < arrival_ms
            )
            if forgotten:
                continue  # only a remove gets here: it finds no place that it could free
            places = self.memory.places(_places_key(gate, event, at_ms))
            viewer = event.viewer_id
            if places.free(viewer) if event.action == "remove" else places.admit(viewer, gate):
                through.append(gate.name)
        return frozenset(through)

    def _count(
        self,
        topic: Topic,
        offset: int,
        event: Event,
        at_ms: int,
        feeds: Feeds,
        let_in: frozenset[str],
        bonuses: list[Bonus],
    ) -> None:
        """Count an add in every counter it feeds, and judge its subjects where something can be reached.

        This is what an event costs: plain on purpose, see ``benchmarks/core.py``.
        """
        memory = self.memory
        for kind, counters in feeds:
            subject: Subject | None = None
            due: list[tuple[Counter, int]] | None = None
            for counter in counters:
                if not counter.start_ms <= at_ms < counter.end_ms:
                    continue
                if counter.filter is not None and not counter.filter.passes(event):
                    continue
                if counter.gate is not None and counter.gate.name not in let_in:
                    continue
                if subject is None:
                    subject = memory.subject(_key(kind, event))
                series = subject.find(counter.name)
                if series is None:
                    series = subject.open(counter, counter.name)
                amount = event.watch_ms if counter.sums_watched else 1
                step_ms = counter.step_ms
                pane = at_ms // step_ms if step_ms else counter.panes.pane_of(at_ms)
                if pane == series.head and series.head_touched:
                    series.at_head += amount
                    series.total += amount
                else:
                    if pane > series.head and pane >= series.prune_from:
                        self._prune(counter, subject, counter.name, series, pane)
                    series.add(pane, amount)
                    memory.written += 1
                if series.total >= series.floor and not series.is_calm(pane):
                    if due is None:
                        due = []
                    due.append((counter, pane))
                    if pane < series.head:
                        self._looked += min(series.head - pane, counter.lengths[-1]) * len(counter.judges)
            if due is not None and subject is not None:
                bonuses.extend(judge(subject, due, event, (topic, self.number, offset)))

    def _take_back(self, event: Event, feeds: Feeds, let_in: frozenset[str]) -> None:
        """Count a remove, which lies in series of its own and never brings a tier about."""
        at_ms = _counted_at(event)
        for kind, counters in feeds:
            for counter in counters:
                if not counter.start_ms <= at_ms < counter.end_ms:
                    continue
                if counter.filter is not None and not counter.filter.passes(event):
                    continue
                if counter.gate is not None and counter.gate.name not in let_in:
                    continue
                subject = self.memory.subject(_key(kind, event))
                series = subject.open(counter, counter.removes)
                pane = counter.panes.pane_of(at_ms)
                if pane > series.head and pane >= series.prune_from:
                    self._prune(counter, subject, counter.removes, series, pane)
                series.add(pane, 1)
                self.memory.written += 1

    def skip_to(self, topic: Topic, offset: int) -> None:
        """What lies before ``offset`` and was not applied holds no records: markers of transactions, aborted ones."""
        self.positions[topic] = max(self.positions[topic], offset)

    # Forgetting

    def furthest(self) -> int:
        """The latest arrival of the four topics."""
        return max(intake.arrival for intake in self._intakes.values())

    def caught_up(self, topic: Topic, furthest_ms: int) -> None:
        """The topic has been read to its end: it counts as having reached the furthest less ``topic_lag``.

        ``furthest_ms`` is what ``furthest`` said before that end was looked up, so that every record that the
        topic held by then has been read.
        """
        self._caught_up[topic] = max(self._caught_up[topic], furthest_ms - self.limits.topic_lag_ms)

    def _prune(self, counter: Counter, subject: Subject, name: str, series: Series, pane: int) -> None:
        """Drop the cells that no window can read any more; looked at anew once some panes have passed."""
        series.prune_from = pane + max(1, counter.lengths[-1] // 4)
        if series.head < 0:  # a new one has none
            return
        gone = forget_cells(counter, series, self._horizon(counter.topics))
        if gone:
            self.memory.forget(subject.key, [f"{name}:{old}" for old in gone])

    def _horizon(self, topics: Iterable[Topic]) -> int:
        """The instant at or after which occurs all that these topics still bring; negative without an arrival."""
        reached = min(max(self._intakes[topic].arrival, self._caught_up[topic]) for topic in topics)
        return NO_ARRIVAL if reached == NO_ARRIVAL else reached - self.limits.allowed_lateness_ms

    def horizon(self) -> int:
        """What is due before this instant can be swept; negative where nothing can."""
        return self._horizon(self.memory.expiry.topics)

    def sweep(self, keys: Iterable[str]) -> bool:
        """Forget of these entries, as far as they are in memory, what nothing can read any more. Changes no bonus.

        False where the next cut has enough to delete: then the rest is left.
        """
        return self.memory.sweep(keys, self._horizon)

    def judge_by(self, plan: Plan) -> None:
        """Go over to another plan; everything in memory must be durable, and is read back when it is met."""
        chunk = self.memory.chunk
        self.plan, self.memory = plan, Memory(plan, complete=False)
        self.memory.chunk = chunk

    def let_go(self) -> None:
        """Hold nothing in memory any more: this partition is over here."""
        self.memory.let_go()
        for intake in self._intakes.values():
            intake.let_go()

    # Checkpointing

    def unsaved(self) -> tuple[int, int]:
        """What the next cut will hold, roughly: fields, and event ids."""
        return self.memory.written, sum(intake.fresh() for intake in self._intakes.values())

    def cut(self) -> Changes:
        """Freeze what changed since the last cut.

        Raises ``Unapplied`` once a chunk could not be applied whole: what it awarded before was told to nobody.
        """
        if self._half_applied is not None:
            raise self._half_applied
        subjects, due = self.memory.cut()
        return Changes(
            subjects=subjects,
            due=due,
            ids={topic: intake.take_fresh() for topic, intake in self._intakes.items()},
            ids_floor={topic: intake.floor() for topic, intake in self._intakes.items()},
            positions=dict(self.positions),
            arrivals={topic: intake.arrival for topic, intake in self._intakes.items()},
        )


def _key(kind: SubjectKind, event: Event) -> str:
    return subject_key(event.creator_id, None if kind == "creator" else event.video_id)


def _places_key(gate: Gate, event: Event, at_ms: int) -> str:
    return places_key(_key(gate.of, event), gate, gate.local.pane_of(at_ms), event.viewer_id)


def _counted_at(event: Event) -> int:
    """The instant that an event counts at: a remove at what it takes back, where it says when that was."""
    if event.action == "remove" and event.added_at is not None:
        return event.added_at
    return event.occurred_at
