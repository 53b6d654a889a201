"""Producing a load at a steady pace, as long as the worker keeps up: event time waits with it when it does not."""

import time
from collections.abc import Callable, Iterator

from confluent_kafka import KafkaException, Producer

from benchmarks.command import CannotMeasure
from benchmarks.load import Record

MOST_AHEAD = 60_000
"""Records in the topics that the worker has not counted yet; beyond it nothing is produced."""

STALL_S = 120.0
FLUSH_S = 120.0
_PACE_S, _MOST_AT_ONCE = 0.02, 500
_WAIT_S = 0.05


class Stalled(CannotMeasure):
    """The worker counted nothing more while it was waited for."""


class Feed:
    """Writes records to the topics under ``prefix``; ``counted`` says how many of them the worker has counted.

    ``produced`` and ``event_time_ms`` (of the last record) may be read by other threads.
    """

    def __init__(self, bootstrap: str, prefix: str, counted: Callable[[], int]) -> None:
        self._prefix = prefix
        self._counted = counted
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "batch.num.messages": 10_000,
                "log_level": 3,
                "enable.idempotence": True,  # a retry must not change what is in the log
            }
        )
        self._known = 0  # as much was counted when it was last asked
        self.produced = 0
        self.event_time_ms = 0

    def play(self, records: Iterator[Record], events_a_second: float) -> None:
        """Produce all of them, no faster than this. Raises ``Stalled``, ``KafkaException``."""
        began_s, before = time.monotonic(), self.produced
        at_once = max(1, min(_MOST_AT_ONCE, int(events_a_second * _PACE_S)))
        for record in records:
            self._produce(record)
            if self.produced % at_once == 0:
                self._producer.poll(0)
                ahead_s = (self.produced - before) / events_a_second - (time.monotonic() - began_s)
                if ahead_s > 0:
                    time.sleep(ahead_s)
                self._wait_for_worker(MOST_AHEAD)
        if self._producer.flush(FLUSH_S):
            raise KafkaException(f"Kafka did not take the load within {FLUSH_S:g} s")

    def drain(self) -> None:
        """Return when the worker has counted everything."""
        self._wait_for_worker(0)

    def _produce(self, record: Record) -> None:
        while True:
            try:
                self._producer.produce(
                    self._prefix + record.topic, record.value, record.key, timestamp=record.timestamp
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self.produced += 1
        self.event_time_ms = record.timestamp

    def _wait_for_worker(self, most_ahead: int) -> None:
        """Raises ``Stalled`` where it counts nothing for too long."""
        since_s = time.monotonic()
        while self.produced - self._known > most_ahead:
            counted = self._counted()
            if counted > self._known:
                self._known, since_s = counted, time.monotonic()
            elif time.monotonic() - since_s > STALL_S:
                raise Stalled(
                    f"the worker stands at {counted:,} of {self.produced:,} records for {STALL_S:g} s"
                )
            else:
                time.sleep(_WAIT_S)
