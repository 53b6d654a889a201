"""A lane: one partition's state under one set of programmes, on its way through a history.

No checkpoint is ever taken of it. So what the core holds ready for the next one is let go from time to time, and so
are the places of `at_most` that nothing can ask for any more, which a worker would move to Redis: memory is bounded
by the subjects that there are and by the windows over them, not by the length of the history.
"""

from collections.abc import Sequence

from stream.backtest.tally import Tally
from stream.core.outcome import Event, Outcome, Rejection
from stream.core.partition import Partition
from stream.core.places import holds_places
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Topic

MOST_UNSAVED = 20_000
"""Changed fields, and event ids, that the core may hold ready for a checkpoint; it deletes as many at most a cut."""

_DAY_MS = 86_400_000


class Lane:
    """A partition under one plan. With a ``tally``, what it awards is counted there."""

    def __init__(self, number: int, plan: Plan, limits: Limits, tally: Tally | None = None) -> None:
        self._state = Partition(number, plan, limits)
        self._tally = tally
        self._swept_day = 0

    def apply(
        self,
        topic: Topic,
        offsets: Sequence[int],
        timestamps: Sequence[int],
        decoded: Sequence[Event | Rejection],
    ) -> Outcome:
        """Apply records of one topic, as `Partition.apply` takes them."""
        outcome = self._state.apply(topic, offsets, timestamps, decoded)
        if self._tally is not None and outcome.bonuses:
            occurred: dict[tuple[int, str], int] = {}
            for offset, event in zip(offsets, decoded, strict=True):
                if not isinstance(event, Rejection):
                    occurred.setdefault((offset, event.event_id), event.occurred_at)
            for bonus in outcome.bonuses:
                self._tally.add(bonus, occurred[bonus.evidence.offset, bonus.evidence.event_id])
        self._let_go()
        return outcome

    def in_step(self, floor_ms: int) -> None:
        """Say that no record of any topic will arrive before ``floor_ms``: what is older can be pruned.

        The core takes it for the end of each topic, which it may lag behind by ``topic_lag``: so it does not show.
        """
        for topic in TOPICS:
            self._state.caught_up(topic, floor_ms)

    def furthest(self) -> int:
        """The latest arrival of the partition's topics, -1 before the first."""
        return self._state.furthest()

    def _let_go(self) -> None:
        if max(self._state.unsaved()) < MOST_UNSAVED:
            return
        self._state.cut()
        day = self._state.furthest() // _DAY_MS
        if day > self._swept_day:
            self._swept_day = day
            self._forget_places()

    def _forget_places(self) -> None:
        """Drop the places of periods that lie behind; only right after a cut, which leaves no entry changed."""
        entries = self._state.memory.entries
        for key in [key for key in entries if holds_places(key)]:
            if self._is_over(key):
                del entries[key]

    def _is_over(self, key: str) -> bool:
        # The key ends with gate, period and bucket, see `core.places`; the gate's name ends with its region.
        gate_name, period, _ = key.rsplit(":", 2)
        lateness_ms = self._state.limits.allowed_lateness_ms
        region = gate_name.rpartition(".")[2]
        for topic, gates in self._state.plan.region(region).gates.items():
            for gate in gates:
                if gate_name.endswith(gate.name):
                    return gate.local.end(int(period)) + lateness_ms < self._state.arrival(topic)
        return False
