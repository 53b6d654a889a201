"""The job that all peers do, for those written in Python: what counts, the tiers, and panes by hand.

It stands on the standard library alone, for some peers run in an environment of their own. The JVM's peers have the
same in ``java/job``.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

PANE_MS = 60_000
WINDOW_PANES = 1_440
LATE_PANES = 65
LATENESS_MS = 3_600_000
ID_WINDOW_MS = 65 * 60_000

METRICS = ("views", "likes", "shares", "comments")
VIEWS, LIKES, SHARES, COMMENTS = range(4)
CREATOR, VIDEO = "creator", "video"

_DAYS_OF = ZoneInfo("America/New_York")


class Award(NamedTuple):
    """Who gets what, and for which period (its start in Unix ms; null where it is once for all)."""

    program: str
    tier: str
    creator_id: str
    video_id: str | None
    period_start: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Tier:
    """A tier: the metrics that it names, and whether it is reached by a window's sums, by metric."""

    program: str
    name: str
    metrics: tuple[int, ...]
    reached: Callable[[Sequence[int]], bool]
    daily: bool = False


TIERS = {
    CREATOR: (
        Tier("creator-views-0", "bronze", (VIEWS,), lambda sums: sums[VIEWS] >= 100),
        Tier("creator-views-0", "silver", (VIEWS,), lambda sums: sums[VIEWS] >= 1_000),
        Tier("creator-views-0", "gold", (VIEWS,), lambda sums: sums[VIEWS] >= 5_000),
        Tier("creator-day-0", "liked", (LIKES,), lambda sums: sums[LIKES] >= 50, daily=True),
        Tier("creator-day-0", "discussed", (COMMENTS,), lambda sums: sums[COMMENTS] >= 50, daily=True),
        Tier("creator-day-0", "shared", (SHARES,), lambda sums: sums[SHARES] >= 50, daily=True),
    ),
    VIDEO: (
        Tier("video-views-0", "rising", (VIEWS,), lambda sums: sums[VIEWS] >= 50),
        Tier("video-views-0", "hot", (VIEWS, LIKES), lambda sums: sums[VIEWS] >= 250 and sums[LIKES] >= 25),
        Tier(
            "video-views-0",
            "viral",
            (VIEWS, LIKES, SHARES),
            lambda sums: sums[VIEWS] >= 2_500 and (sums[LIKES] >= 250 or sums[SHARES] >= 250),
        ),
    ),
}
NAMING = {
    kind: tuple(tuple(tier for tier in tiers if metric in tier.metrics) for metric in range(len(METRICS)))
    for kind, tiers in TIERS.items()
}
"""By kind of subject and metric: the tiers that a count of it can bring about."""


def counts_for_creator(metric: int, watch_ms: int, paid: bool, by_creator: bool) -> bool:
    """Whether the programmes for creators count an event, which may be the creator's own."""
    if metric == VIEWS:
        return watch_ms >= 5_000 and not paid
    return not (paid if metric == LIKES else by_creator)


def counts_for_video(metric: int, watch_ms: int) -> bool:
    """Whether the programme for videos counts an event."""
    return watch_ms >= 3_000 if metric == VIEWS else metric != COMMENTS


def period(tier: Tier, pane: int) -> int | None:
    """The start of the period within which the tier pays once, for a window that ends with the pane."""
    return _day_of(pane) if tier.daily else None


@lru_cache
def _day_of(pane: int) -> int:
    local = datetime.fromtimestamp(pane * PANE_MS / 1_000, UTC).astimezone(_DAYS_OF)
    return int(datetime.combine(local.date(), time(), _DAYS_OF).timestamp()) * 1_000


@dataclass(slots=True)
class Subject:
    """A creator or a video: panes with their counts by metric, and the sums of the window that the newest ends."""

    naming: tuple[tuple[Tier, ...], ...]
    numbers: list[int] = field(default_factory=list)
    panes: list[list[int]] = field(default_factory=list)
    first: int = 0
    sums: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    total: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    latches: set[tuple[Tier, int | None]] = field(default_factory=set)

    def count(self, metric: int, number: int) -> Sequence[tuple[Tier, int | None]]:
        """Count one event in a pane; returns the tiers that it brings about, with their period."""
        numbers = self.numbers
        if numbers and numbers[-1] == number:
            at = -1
        elif not numbers or numbers[-1] < number:
            numbers.append(number)
            self.panes.append([0, 0, 0, 0])
            self._roll(number)
            at = -1
        else:
            at = self._late_pane(number)
        self.panes[at][metric] += 1
        self.total[metric] += 1
        if at < 0 or at >= self.first:
            self.sums[metric] += 1
        if self.total[metric] < _LEAST:
            return ()
        return self._judge(self.naming[metric], -1, self.sums) if at < 0 else self._judge_later(metric, at)

    def _roll(self, newest: int) -> None:
        """Take out of the sums what the newest window no longer holds, and forget what nothing asks for any more."""
        while self.numbers[self.first] <= newest - WINDOW_PANES:
            self.sums = _less(self.sums, self.panes[self.first])
            self.first += 1
        gone = 0
        while self.numbers[gone] <= newest - _KEPT_PANES:
            self.total = _less(self.total, self.panes[gone])
            gone += 1
        if gone:
            del self.numbers[:gone], self.panes[:gone]
            self.first -= gone

    def _late_pane(self, number: int) -> int:
        """The index of an older pane, which is made where it is missing."""
        at = bisect_left(self.numbers, number)
        if self.numbers[at] != number:
            self.numbers.insert(at, number)
            self.panes.insert(at, [0, 0, 0, 0])
            self.first += number <= self.numbers[-1] - WINDOW_PANES
        return at

    def _judge_later(self, metric: int, at: int) -> Sequence[tuple[Tier, int | None]]:
        """A late event changes the windows of its own pane and of later ones: they are gone through backwards.

        That is seldom worth it: no window holds more than all panes do, and most tiers are paid already.
        """
        numbers, panes, number = self.numbers, self.panes, self.numbers[at]
        tiers = [
            tier
            for tier in self.naming[metric]
            if tier.reached(self.total) and not self._is_paid(tier, number)
        ]
        if not tiers:
            return ()
        found: list[tuple[Tier, int | None]] = []
        sums, start = list(self.sums), self.first
        for index in range(len(numbers) - 1, at - 1, -1):
            while start and numbers[start - 1] > numbers[index] - WINDOW_PANES:
                start -= 1
                sums = [one + other for one, other in zip(sums, panes[start], strict=True)]
            if numbers[index] - number < WINDOW_PANES:
                found += self._judge(tiers, index, sums)
            sums = _less(sums, panes[index])
        return found

    def _is_paid(self, tier: Tier, number: int) -> bool:
        """Whether it is paid for all windows that hold a pane, which end on two days at the most."""
        last = min(self.numbers[-1], number + WINDOW_PANES - 1)
        return all((tier, period(tier, pane)) in self.latches for pane in (number, last))

    def _judge(self, tiers: Iterable[Tier], index: int, sums: list[int]) -> Sequence[tuple[Tier, int | None]]:
        found: list[tuple[Tier, int | None]] = []
        for tier in tiers:
            if tier.reached(sums):
                latch = tier, period(tier, self.numbers[index])
                if latch not in self.latches and any(self.panes[index][named] for named in tier.metrics):
                    self.latches.add(latch)
                    found.append(latch)
                    if not tier.daily:
                        self._close(tier)
        return found

    def _close(self, paid: Tier) -> None:
        self.naming = tuple(tuple(tier for tier in tiers if tier is not paid) for tiers in self.naming)


def _less(counts: list[int], gone: list[int]) -> list[int]:
    return [one - other for one, other in zip(counts, gone, strict=True)]


# Two windows: topics that are read at once from their start, in a replay, get further apart than ``LATE_PANES``.
_KEPT_PANES = 2 * WINDOW_PANES
_LEAST = 25
"""No count of fewer brings a tier about."""


class Seen:
    """The event ids of one topic-partition: each is remembered for at least ``ID_WINDOW_MS`` of arrival."""

    def __init__(self) -> None:
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._turns_at = 0

    def is_new(self, event_id: str, arrival: int) -> bool:
        """Whether the id is not that of an event at most ``ID_WINDOW_MS`` earlier; remembers it if so."""
        if arrival >= self._turns_at:
            self._young, self._old = {}, self._young
            self._turns_at = arrival + ID_WINDOW_MS
        before = self._young.get(event_id)
        if before is None:
            before = self._old.get(event_id)
        if before is not None and arrival - before <= ID_WINDOW_MS:
            return False
        self._young[event_id] = arrival
        return True
