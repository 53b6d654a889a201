"""Intake: arrival, clock errors, lateness and duplicates of one topic-partition.

Each is decided from the record and its own topic-partition alone, in offset order, so the decision is the same
wherever and however often the log is read.
"""

from collections.abc import Iterable
from typing import Final

from stream.core.outcome import Rejection
from stream.core.rules import Limits

NO_ARRIVAL = -1
"""Before the first timestamp: older than any instant, so what occurred lies too far in its future."""

_ENDS: Final = 1024
"""So many classes of ids there are, by how they end."""

_LEAST_ENDS: Final = 16
"""The ids of as many classes, or up to twice as many, share a dict. One that is full moves to twice the place, all at
once: of ten million ids that would stop everything for a second. Of unequal dicts one is full at a time."""

_SHARE_KEPT = 8
"""Forgotten ids are let go of together, once they are more than this share of all."""

NO_RUN = -2
"""No arrival at all: no run of ids has begun."""


class Intake:
    """The running arrival of a topic-partition, and the event ids accepted within the dedupe window.

    ``seen`` maps an id to the arrival at which it was accepted, in the dict for its end. Ids leave it by arrival
    alone, never because some bound on memory was met: a forgotten id would be counted twice. Arrivals are objects in
    it, one for all ids of a run: as integers they would take 32 bytes an id where the core is compiled.
    """

    __slots__ = ("_arrived", "_cut_at", "_forgotten", "_order", "_run", "_runs", "arrival", "limits", "seen")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.arrival = NO_ARRIVAL
        self.seen: list[dict[str, object]] = []  # one for each class of ids; neighbours share theirs
        while len(self.seen) < _ENDS:
            for ends in range(_LEAST_ENDS, 2 * _LEAST_ENDS):
                self.seen += [{}] * ends
        del self.seen[_ENDS:]
        self._order: list[str] = []  # as they were accepted; the first so many are
        self._forgotten = 0
        self._cut_at = 0  # where those in _order begin that no cut holds
        self._runs: list[tuple[int, int]] = []  # their arrivals, and where each begins
        self._run = NO_RUN
        self._arrived: object = NO_RUN  # the same, to be put into `seen`

    def refusal(self, occurred_ms: int) -> Rejection:
        """Why an event that occurred too early or too late for this place of the log is not accepted."""
        ahead_ms, limits = occurred_ms - self.arrival, self.limits
        if self.arrival == NO_ARRIVAL:
            return Rejection(
                "clock_error",
                "Neither this record nor one before it in its partition has a Kafka timestamp: when it arrived is "
                "not known.",
            )
        if ahead_ms > limits.allowed_skew_ms:
            allowed = f"{limits.allowed_skew_ms} ms are allowed."
            return Rejection("clock_error", f"occurred_at is {ahead_ms} ms after arrival; {allowed}")
        allowed = f"{limits.allowed_lateness_ms} ms are allowed."
        return Rejection("late", f"occurred_at is {-ahead_ms} ms before arrival; {allowed}")

    def is_new(self, event_id: str) -> bool:
        """Whether the id is no duplicate here; a new one is remembered with the present arrival."""
        arrival, seen = self.arrival, self.seen[_end_of(event_id)]
        if arrival != self._run:
            self._run = self._arrived = arrival
            self._runs.append((arrival, len(self._order)))
        known = len(seen)
        before = seen.setdefault(event_id, self._arrived)
        if len(seen) == known:
            assert isinstance(before, int)
            if arrival - before <= self.limits.dedupe_window_ms:
                return False
            seen[event_id] = self._arrived
        self._order.append(event_id)
        return True

    def floor(self) -> int:
        """Ids accepted at an arrival before this one can't make a duplicate any more."""
        return self.arrival - self.limits.dedupe_window_ms

    def forget(self) -> None:
        """Drop the ids that can't make a duplicate any more."""
        floor, order, at = self.floor(), self._order, self._forgotten
        end = len(order)
        while at < end:
            event_id = order[at]
            seen = self.seen[_end_of(event_id)]
            accepted = seen.get(event_id)
            if accepted is not None:
                assert isinstance(accepted, int)
                if accepted >= floor:
                    break
                del seen[event_id]
            at += 1
        self._forgotten = at
        if min(at, self._cut_at) > end // _SHARE_KEPT:
            self._drop(min(at, self._cut_at))

    def restore(self, arrival: int, runs: Iterable[tuple[int, list[str]]]) -> None:
        """Take over checkpointed ids, runs of (arrival, ids) in ascending order of arrival."""
        self.arrival = arrival
        for accepted, ids in runs:
            arrived: object = accepted
            for event_id in ids:
                self.seen[_end_of(event_id)][event_id] = arrived
            self._order.extend(ids)
        self._cut_at = len(self._order)

    def let_go(self) -> None:
        """Remember no id any more."""
        for seen in self.seen:
            seen.clear()
        self._order.clear()
        self._runs.clear()

    def fresh(self) -> int:
        """How many ids were accepted since the last ``take_fresh``."""
        return len(self._order) - self._cut_at

    def take_fresh(self) -> list[tuple[int, list[str]]]:
        """The ids accepted since the last call, as runs of (arrival, ids); without those already forgotten again."""
        order, runs, floor = self._order, self._runs, self.floor()
        ends = [start for _, start in runs[1:]] + [len(order)]
        self._cut_at, self._runs, self._run = len(order), [], NO_RUN
        return [
            (arrival, order[start:end])
            for (arrival, start), end in zip(runs, ends, strict=False)
            if start < end and arrival >= floor
        ]

    def _drop(self, forgotten: int) -> None:
        """Let go of the beginning of the order."""
        del self._order[:forgotten]
        self._forgotten -= forgotten
        self._cut_at -= forgotten
        self._runs = [(arrival, start - forgotten) for arrival, start in self._runs]


def _end_of(event_id: str) -> int:
    """The class of an id, by its last three characters: most end with a count or at random, and a hash costs more."""
    last = len(event_id) - 1
    at_last, before, before_that = event_id[last], event_id[max(0, last - 1)], event_id[max(0, last - 2)]
    return (ord(at_last) + 13 * ord(before) + 169 * ord(before_that)) % _ENDS
