"""Faust with its own windowed tables: ``faust_windows tumbling …`` or ``faust_windows hopping …``.

Tables are in memory with changelogs, and delivery is at least once, as by default. Of the windows that an event is
in, the one is judged that ends with the event's own minute (hopping), or the only one (tumbling). Windows have no
expiry: Faust goes by the machine's clock there, and would forget those of a load that lies in the past.
"""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import faust
from faust.tables.wrappers import WindowWrapper
from faust.types import EventT, StreamT
from faust.windows import HoppingWindow, TumblingWindow

from benchmarks.peers.job import (
    CREATOR,
    LATENESS_MS,
    METRICS,
    NAMING,
    PANE_MS,
    VIDEO,
    Award,
    Tier,
    counts_for_creator,
    counts_for_video,
    period,
)
from benchmarks.peers.loops.command import Run, run

_PARTITIONS = 4
_DAY, _STEP = timedelta(hours=24), timedelta(minutes=1)
_ID_WINDOW = timedelta(minutes=65)


class Tables:
    """What is remembered: counts by window, subject and metric, event ids, and the awards made."""

    def __init__(self, app: faust.App, hopping: bool) -> None:
        self._hopping = hopping
        self._window = HoppingWindow(_DAY, _STEP) if hopping else TumblingWindow(_DAY)
        counts = app.Table("counts", default=int).using_window(self._window)
        self._counts = WindowWrapper(counts.table, relative_to=_occurred_at)
        self._ids = app.Table("ids", default=bool).tumbling(_ID_WINDOW).relative_to_stream()
        self._latches = app.Table("latches", default=bool)

    def is_new(self, event: EventT[Any], metric: int) -> bool:
        """Whether the id of an event was not seen within the last 65 minutes; remembers it if so."""
        key = f"{metric}/{_value(event)['event_id']}"
        seen = self._ids[key]
        if seen.current(event) or seen.delta(_ID_WINDOW, event):
            return False
        self._ids[key] = True
        return True

    def count(
        self, event: EventT[Any], metric: int, kind: str, subject: str
    ) -> Iterator[tuple[Tier, int | None]]:
        """Count an event for a subject; the tiers that this brings about, with their period."""
        self._counts[f"{subject}/{metric}"] += 1
        window = self._window.earliest(_occurred_at(event))
        for tier in NAMING[kind][metric]:
            if tier.reached([self._counts[f"{subject}/{each}"][window] for each in range(len(METRICS))]):
                start = self._period(tier, event, window[0])
                latch = f"{tier.name}/{subject}/{start}"
                if not self._latches[latch]:
                    self._latches[latch] = True
                    yield tier, start

    def _period(self, tier: Tier, event: EventT[Any], window_start_s: float) -> int | None:
        """A local day with rolling windows; with tumbling ones, once a window is all that can be had."""
        if self._hopping or not tier.daily:
            return period(tier, _value(event)["occurred_at"] // PANE_MS)
        return round(window_start_s * 1_000)


def application(told: Run, hopping: bool) -> faust.App:
    """The application: one agent over all inputs."""
    app = faust.App(
        told.group,
        broker=f"kafka://{told.kafka}",
        store="memory://",
        datadir=told.folder,
        value_serializer="json",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        topic_partitions=_PARTITIONS,
        topic_replication_factor=1,
    )
    tables = Tables(app, hopping)
    metrics = {topic: metric for metric, topic in enumerate(told.inputs)}
    output = app.topic(told.output, key_serializer="raw", value_serializer="raw")

    @app.agent(app.topic(*told.inputs, key_serializer="raw"))
    async def count(stream: StreamT[Any]) -> None:
        async for event in stream.events():
            for award in _awards(event, metrics[event.message.topic], tables):
                await output.send(key=award.creator_id.encode(), value=json.dumps(award._asdict()).encode())

    return app


def _awards(event: EventT[Any], metric: int, tables: Tables) -> Iterator[Award]:
    value = _value(event)
    arrived_late = event.message.timestamp * 1_000 - value["occurred_at"] > LATENESS_MS
    if arrived_late or not tables.is_new(event, metric):
        return
    creator_id, video_id, watch_ms = value["creator_id"], value["video_id"], value.get("watch_ms", 0)
    if counts_for_creator(metric, watch_ms, value["paid"], value["viewer_id"] == creator_id):
        for tier, start in tables.count(event, metric, CREATOR, creator_id):
            yield Award(tier.program, tier.name, creator_id, None, start)
    if counts_for_video(metric, watch_ms):
        for tier, start in tables.count(event, metric, VIDEO, f"{creator_id}/{video_id}"):
            yield Award(tier.program, tier.name, creator_id, video_id, start)


def _value(event: EventT[Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = cast(Any, event.value)
    return decoded


def _occurred_at(event: EventT[Any] | None) -> float:
    if event is None:
        raise LookupError("there is no event whose time could be asked for")
    return float(_value(event)["occurred_at"]) / 1_000


if __name__ == "__main__":
    app = application(run(), hopping=sys.argv[1] == "hopping")
    sys.argv[1:] = ["worker", "--without-web", "--loglevel", "warn"]
    app.main()
