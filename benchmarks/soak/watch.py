"""Watching a worker and its Redis from outside: a sample every so often, for as long as the soak lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import redis

from benchmarks.soak.feed import Feed
from benchmarks.worker import Worker


@dataclass(frozen=True, slots=True)
class Sample:
    """One look, ``at_s`` after the first. Counts and sums are since the worker's start.

    ``event_time_ms`` is that of the last record produced, ``counted`` how many records the worker has counted,
    ``entries`` the subjects and buckets of places that it held after its last checkpoint, ``checkpoint_s`` the sum of
    their durations, ``changes`` the entries they wrote, ``sent_bytes`` all that Redis was sent.
    """

    at_s: float
    phase: str
    event_time_ms: int
    produced: int
    counted: int
    rss_bytes: int
    cpu_s: float
    entries: int
    read_back: int
    lag: int
    checkpoints: int
    checkpoint_s: float
    changes: int
    bonuses: int
    redis_bytes: int
    redis_keys: int
    sent_bytes: int


class Watch:
    """The samples so far. ``phase`` is what the next ones are called."""

    def __init__(self, worker: Worker, feed: Feed, redis_url: str) -> None:
        self._worker, self._feed = worker, feed
        self._redis = redis.Redis.from_url(redis_url)
        self._began_s = worker.look().at_s
        self.phase = "span"
        self.samples: list[Sample] = []

    def look(self) -> None:
        """Take one more sample."""
        look = self._worker.look()
        metrics = look.metrics.get
        info = cast(dict[str, int], self._redis.info())
        self.samples.append(
            Sample(
                at_s=look.at_s - self._began_s,
                phase=self.phase,
                event_time_ms=self._feed.event_time_ms,
                produced=self._feed.produced,
                counted=look.events,
                rss_bytes=self._worker.rss_bytes(),
                cpu_s=look.cpu_s,
                entries=int(metrics("bonus_subjects_in_memory", 0)),
                read_back=int(metrics("bonus_subjects_read_back_total", 0)),
                lag=int(metrics("bonus_lag_records", 0)),
                checkpoints=int(metrics("bonus_checkpoint_seconds_count", 0)),
                checkpoint_s=metrics("bonus_checkpoint_seconds_sum", 0.0),
                changes=int(metrics("bonus_checkpoint_changes_total", 0)),
                bonuses=int(metrics("bonus_bonuses_total", 0)),
                redis_bytes=info["used_memory"],
                redis_keys=self._redis.dbsize(),
                sent_bytes=info["total_net_input_bytes"],
            )
        )

    def close(self) -> None:
        """Let go of Redis."""
        self._redis.close()


@contextmanager
def watching(worker: Worker, feed: Feed, redis_url: str, every_s: float) -> Iterator[Watch]:
    """Samples a worker from a thread of its own; a failure to look ends the context with what it was."""
    watch, over = Watch(worker, feed, redis_url), threading.Event()
    failures: list[Exception] = []

    def sample() -> None:
        while not over.wait(every_s):
            try:
                watch.look()
            except Exception as error:  # raised below, where somebody hears it
                failures.append(error)
                return

    thread = threading.Thread(target=sample, name="watch")
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.close()
    if failures:
        raise failures[0]
