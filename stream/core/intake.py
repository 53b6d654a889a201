"""Intake: arrival, clock errors, lateness and duplicates of one topic-partition.

Each is decided from the record and its own topic-partition alone, in offset order, so the decision is the same
wherever and however often the log is read.
"""

from collections import deque
from collections.abc import Iterable

from stream.core.outcome import Rejection
from stream.core.rules import Limits

NO_ARRIVAL = -1
"""Before the first timestamp: older than any instant, so everything that occurred lies in its future."""


class Intake:
    """The running arrival of a topic-partition, and the event ids accepted within the dedupe window.

    ``seen`` maps an id to the arrival at which it was accepted. Ids leave it by arrival alone, never because
    some bound on memory was met: a forgotten id would be counted twice.
    """

    __slots__ = ("_fresh", "_fresh_from", "_order", "arrival", "limits", "seen")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.arrival = NO_ARRIVAL
        self.seen: dict[str, int] = {}
        self._order: deque[str] = deque()
        self._fresh: list[str] = []
        self._fresh_from: dict[int, int] = {}  # arrival -> where its ids begin in _fresh

    def refusal(self, occurred_ms: int) -> Rejection:
        """Why an event that occurred too early or too late for this place of the log is not accepted."""
        ahead_ms, limits = occurred_ms - self.arrival, self.limits
        if ahead_ms > limits.allowed_skew_ms:
            allowed = f"{limits.allowed_skew_ms} ms are allowed"
            return Rejection("clock_error", f"occurred_at is {ahead_ms} ms after arrival, {allowed}")
        allowed = f"{limits.allowed_lateness_ms} ms are allowed"
        return Rejection("late", f"occurred_at is {-ahead_ms} ms before arrival, {allowed}")

    def is_new(self, event_id: str) -> bool:
        """Whether the id is no duplicate here; a new one is remembered with the present arrival."""
        arrival = self.arrival
        before = self.seen.get(event_id)
        if before is not None and arrival - before <= self.limits.dedupe_window_ms:
            return False
        if arrival not in self._fresh_from:
            self._fresh_from[arrival] = len(self._fresh)
        self.seen[event_id] = arrival
        self._order.append(event_id)
        self._fresh.append(event_id)
        return True

    def floor(self) -> int:
        """Ids accepted at an arrival before this one can't make a duplicate any more."""
        return self.arrival - self.limits.dedupe_window_ms

    def forget(self) -> None:
        """Drop the ids that can't make a duplicate any more."""
        floor, seen, order = self.floor(), self.seen, self._order
        while order:
            accepted = seen.get(order[0])
            if accepted is not None:
                if accepted >= floor:
                    return
                del seen[order[0]]
            order.popleft()

    def restore(self, arrival: int, runs: Iterable[tuple[int, list[str]]]) -> None:
        """Take over checkpointed ids, runs of (arrival, ids) in ascending order of arrival."""
        self.arrival = arrival
        for accepted, ids in runs:
            self.seen.update(dict.fromkeys(ids, accepted))
            self._order.extend(ids)

    def fresh(self) -> int:
        """How many ids were accepted since the last ``take_fresh``."""
        return len(self._fresh)

    def take_fresh(self) -> list[tuple[int, list[str]]]:
        """The ids accepted since the last call, as runs of (arrival, ids); without those already forgotten again."""
        fresh, arrivals, floor = self._fresh, list(self._fresh_from), self.floor()
        starts = [*self._fresh_from.values(), len(fresh)]
        self._fresh, self._fresh_from = [], {}
        runs = zip(arrivals, starts, starts[1:], strict=False)
        return [(arrival, fresh[start:end]) for arrival, start, end in runs if arrival >= floor]
