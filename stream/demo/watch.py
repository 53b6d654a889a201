"""What the demo sees of the worker: the bonuses it writes, and the counts it shows over HTTP."""

import urllib.request
from dataclasses import dataclass
from urllib.error import URLError

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from schemas import bonuses
from schemas.bonuses import BonusEvent
from stream.demo.broker import PARTITIONS
from stream.errors import Unreachable

_MOST_AT_ONCE = 500


class BonusWatch:
    """Reads ``bonuses`` from its beginning, as any consumer would: read_committed, no group."""

    def __init__(self, broker: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "bonus-demo-watch",  # librdkafka wants one, also where it is not used
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        self._consumer.assign(
            [TopicPartition(bonuses.TOPIC, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
        )

    def new(self, wait_s: float) -> list[BonusEvent]:
        """The bonuses that have come since the last call; waits ``wait_s`` seconds for the first.

        Raises Unreachable where the broker does not serve the topic, InputError for a record that is none.
        """
        found = []
        for message in self._consumer.consume(_MOST_AT_ONCE, wait_s):
            error = message.error()
            if error is not None:
                raise Unreachable(f"The demo's broker does not serve bonuses: {error}.")
            found.append(bonuses.decode(message.value()))
        return found

    def close(self) -> None:
        """Leave the broker; the watch can't be used any more."""
        self._consumer.close()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the worker is: partitions it serves, and records by what became of them."""

    partitions: int = 0
    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        """All records that the worker has read and decided."""
        return self.accepted + self.duplicates + self.late + self.rejected


def worker_progress(port: int) -> Progress | None:
    """Ask the worker at ``port`` of this machine for its metrics; ``None`` while it doesn't answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
            text = answer.read().decode()
    except (URLError, TimeoutError, ConnectionError):
        return None
    return progress_in(text)


def progress_in(text: str) -> Progress:
    """What metrics in Prometheus' text format say of a worker's progress."""
    results: dict[str, float] = {}
    partitions = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "bonus_events_total":
                result = sample.labels["result"]
                results[result] = results.get(result, 0) + sample.value
            elif sample.name == "bonus_partitions_taken":
                partitions = sample.value
    accepted, duplicates, late, rejected = (
        int(results.get(result, 0)) for result in ("accepted", "duplicate", "late", "rejected")
    )
    return Progress(int(partitions), accepted, duplicates, late, rejected)
