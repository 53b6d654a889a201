"""A lane: one partition's state under one set of programmes, on its way through a history.

No checkpoint is ever written of it. So what the core holds ready for the next one is let go from time to time, and so
is what has expired of subjects that nobody touches any more, as a worker has it deleted from Redis: memory is bounded
by the subjects and windows that are still open, not by the length of the history.
"""

from collections.abc import Sequence

from stream.backtest.tally import Tally
from stream.core.outcome import Event, Outcome, Rejection
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Topic

MOST_UNSAVED = 20_000
"""Changed fields, and event ids, that the core may hold ready for a checkpoint."""

SWEEP_EVERY_MS = 86_400_000
_SWEPT_AT_ONCE = 1_000


class Lane:
    """A partition under one plan. With a ``tally``, what it awards is counted there."""

    def __init__(self, number: int, plan: Plan, limits: Limits, tally: Tally | None = None) -> None:
        self._state = Partition(number, plan, limits)
        self._tally = tally
        self._due: dict[str, int] = {}
        self._sweep_from_ms = 0

    def apply(
        self,
        topic: Topic,
        offsets: list[int],
        timestamps: list[int],
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
        self._cut()
        horizon_ms = self._state.horizon()
        if horizon_ms < self._sweep_from_ms:
            return
        self._sweep_from_ms = horizon_ms + SWEEP_EVERY_MS
        due = [key for key, due_ms in self._due.items() if due_ms < horizon_ms]
        for first in range(0, len(due), _SWEPT_AT_ONCE):
            while not self._state.sweep(due[first : first + _SWEPT_AT_ONCE]):
                self._cut()
            self._cut()

    def _cut(self) -> None:
        """Take a checkpoint, of which only the dues are kept."""
        memory = self._state.memory
        for key, due_ms in self._state.cut().due.items():
            if due_ms is None:
                self._due.pop(key, None)
            else:
                self._due[key] = due_ms
        memory.evict(len(memory), memory.cuts)  # those that have become empty
