"""Quix Streams with its own windows: hopping windows of 24 hours by a minute, emitted at each event.

An event is in 1,440 windows, and each of them is read, written and emitted. Event ids are not looked up. A window
holds the counts of a creator and of all the creator's videos, for windows go by the record's key.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TypedDict

from quixstreams import State
from quixstreams.dataframe import StreamingDataFrame

from benchmarks.peers.job import (
    CREATOR,
    METRICS,
    PANE_MS,
    TIERS,
    VIDEO,
    Award,
    counts_for_creator,
    counts_for_video,
    period,
)
from benchmarks.peers.loops.command import run
from benchmarks.peers.loops.quix import Event, run_job


class Window(TypedDict):
    """What a creator's window holds: counts by subject (a video, or the creator) and metric, and the newest pane."""

    creator_id: str
    counts: dict[str, list[int]]
    newest: int


class Changed(TypedDict):
    """A window that changed, as Quix Streams shows it."""

    start: int
    end: int
    value: Window


def job(events: StreamingDataFrame) -> StreamingDataFrame:
    """The awards of events."""
    windows = events.set_timestamp(
        lambda event, _key, _timestamp, _headers: event["occurred_at"]
    ).hopping_window(timedelta(hours=24), timedelta(minutes=1), grace_ms=timedelta(hours=1))
    changed = windows.reduce(reducer=add, initializer=begin).current()
    ended = changed.filter(lambda window: window["value"]["newest"] == window["end"] // PANE_MS - 1)
    return ended.apply(judge, stateful=True, expand=True)


def begin(event: Event) -> Window:
    """A window with its first event."""
    return add({"creator_id": event["creator_id"], "counts": {}, "newest": 0}, event)


def add(window: Window, event: Event) -> Window:
    """A window with one event more."""
    metric = event["metric"]
    if counts_for_creator(
        metric, event["watch_ms"], event["paid"], event["viewer_id"] == event["creator_id"]
    ):
        window["counts"].setdefault("", [0] * len(METRICS))[metric] += 1
    if counts_for_video(metric, event["watch_ms"]):
        window["counts"].setdefault(event["video_id"], [0] * len(METRICS))[metric] += 1
    window["newest"] = max(window["newest"], event["occurred_at"] // PANE_MS)
    return window


def judge(changed: Changed, state: State) -> list[Award]:
    """The awards of a window that changed, each once."""
    return list(_judge(changed, state))


def _judge(changed: Changed, state: State) -> Iterator[Award]:
    window, pane = changed["value"], changed["end"] // PANE_MS - 1
    for subject, sums in window["counts"].items():
        for tier in TIERS[VIDEO if subject else CREATOR]:
            award = Award(tier.program, tier.name, window["creator_id"], subject or None, period(tier, pane))
            latch = f"{tier.name}/{subject}/{award.period_start}"
            if tier.reached(sums) and not state.exists(latch):
                state.set(latch, True)
                yield award


if __name__ == "__main__":
    run_job(run(), job)
