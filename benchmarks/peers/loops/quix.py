"""How both forms run on Quix Streams: exactly-once, a commit a second, one process, its own JSON serialisers."""

from collections.abc import Callable
from functools import reduce
from typing import Any, TypedDict

from quixstreams import Application
from quixstreams.dataframe import StreamingDataFrame

from benchmarks.peers.job import LATENESS_MS
from benchmarks.peers.loops.command import Run


class Event(TypedDict):
    """An event, as far as the job looks at it, and the number of its metric."""

    metric: int
    event_id: str
    creator_id: str
    video_id: str
    viewer_id: str
    occurred_at: int
    watch_ms: int
    paid: bool


def run_job(told: Run, job: Callable[[StreamingDataFrame], StreamingDataFrame]) -> None:
    """Run ``job``, which makes awards of events, over the four inputs until the process is ended."""
    app = Application(
        told.kafka,
        consumer_group=told.group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=told.folder,
        loglevel="WARNING",
        processing_guarantee="exactly-once",
    )
    events = [_events(app, topic, metric) for metric, topic in enumerate(told.inputs)]
    awards = job(reduce(StreamingDataFrame.concat, events)).apply(lambda award: award._asdict())
    awards.to_topic(app.topic(told.output), key=lambda award: award["creator_id"])
    app.run()


def _events(app: Application, topic: str, metric: int) -> StreamingDataFrame:
    def on_time(event: Event, _key: object, timestamp: int, _headers: object) -> bool:
        return timestamp - event["occurred_at"] <= LATENESS_MS

    def marked(event: dict[str, Any]) -> dict[str, Any]:
        return {"watch_ms": 0, **event, "metric": metric}

    events = app.dataframe(app.topic(topic, value_deserializer="json"))
    return events.filter(on_time, metadata=True).apply(marked)
