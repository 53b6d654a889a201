"""Quix Streams with panes by hand: its keyed state holds minute panes and running sums, exactly-once."""

from collections.abc import Iterator
from datetime import timedelta

from quixstreams import State

from benchmarks.peers.job import (
    CREATOR,
    LATE_PANES,
    METRICS,
    NAMING,
    PANE_MS,
    VIDEO,
    WINDOW_PANES,
    Award,
    Tier,
    counts_for_creator,
    counts_for_video,
    period,
)
from benchmarks.peers.loops.command import run
from benchmarks.peers.loops.quix import Event, run_job

_NEVER = -1
_ID_WINDOW = timedelta(minutes=65)
_PANES_KEPT = timedelta(milliseconds=(WINDOW_PANES + LATE_PANES) * PANE_MS)


def count(event: Event, state: State) -> list[Award]:
    """Count an event once for its creator and its video; returns what this brings about."""
    metric, creator_id, video_id = event["metric"], event["creator_id"], event["video_id"]
    event_key = f"id/{metric}/{event['event_id']}"
    if state.exists(event_key):
        return []
    state.set(event_key, True, ttl=_ID_WINDOW)
    pane, watch_ms, awards = event["occurred_at"] // PANE_MS, event["watch_ms"], []
    if counts_for_creator(metric, watch_ms, event["paid"], event["viewer_id"] == creator_id):
        for tier, start in Subject(state, CREATOR, "").count(metric, pane):
            awards.append(Award(tier.program, tier.name, creator_id, None, start))
    if counts_for_video(metric, watch_ms):
        for tier, start in Subject(state, VIDEO, video_id).count(metric, pane):
            awards.append(Award(tier.program, tier.name, creator_id, video_id, start))
    return awards


class Subject:
    """A creator or a video in the creator's state: a head (newest pane, its window's sums, latches), and panes."""

    def __init__(self, state: State, kind: str, name: str) -> None:
        self._state, self._kind, self._name = state, kind, name
        head: tuple[int, list[int], list[str]] | None = state.get(f"head/{name}")
        self._newest, self._sums, self._latches = head or (_NEVER, [0] * len(METRICS), [])

    def count(self, metric: int, number: int) -> list[tuple[Tier, int | None]]:
        """Count one event in a pane; returns the tiers that it brings about, with their period."""
        counts = self._pane(number)
        counts[metric] += 1
        self._state.set(f"{self._name}/{number}", counts, ttl=_PANES_KEPT)
        if number > self._newest:
            self._roll(number)
        if number > self._newest - WINDOW_PANES:
            self._sums[metric] += 1
        found = [
            each
            for pane, counts, sums in self._windows(number)
            for each in self._judge(metric, pane, counts, sums)
        ]
        self._state.set(f"head/{self._name}", (self._newest, self._sums, self._latches))
        return found

    def _pane(self, number: int) -> list[int]:
        return self._state.get(f"{self._name}/{number}") or [0] * len(METRICS)

    def _roll(self, number: int) -> None:
        """Take out of the sums what the window of a new newest pane no longer holds."""
        if self._newest != _NEVER:
            for gone in range(self._newest - WINDOW_PANES + 1, min(number - WINDOW_PANES, self._newest) + 1):
                self._sums = [one - other for one, other in zip(self._sums, self._pane(gone), strict=True)]
        self._newest = number

    def _windows(self, number: int) -> Iterator[tuple[int, list[int], list[int]]]:
        """The windows that an event in a pane changed, the newest first: pane, its counts, the window's sums."""
        sums = self._sums
        for pane in range(self._newest, number - 1, -1):
            counts = self._pane(pane)
            if pane - number < WINDOW_PANES:
                yield pane, counts, sums
            if pane > number:
                before = self._pane(pane - WINDOW_PANES)
                sums = [one - gone + come for one, gone, come in zip(sums, counts, before, strict=True)]

    def _judge(
        self, metric: int, pane: int, counts: list[int], sums: list[int]
    ) -> Iterator[tuple[Tier, int | None]]:
        for tier in NAMING[self._kind][metric]:
            if tier.reached(sums) and any(counts[named] for named in tier.metrics):
                start = period(tier, pane)
                latch = f"{tier.name}/{start}"
                if latch not in self._latches:
                    self._latches.append(latch)
                    yield tier, start


if __name__ == "__main__":
    run_job(run(), lambda events: events.apply(count, stateful=True, expand=True))
