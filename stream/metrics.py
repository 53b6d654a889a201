"""Every Prometheus metric of the worker, by name, in one file.

Updated per chunk, transaction or checkpoint, never per event. Counters start at zero with the process;
nothing here decides a result. ``forget_partition`` drops the series of a partition that another
worker now owns, so that sums over workers count a partition once.
"""

import time
from collections.abc import Mapping, Sequence

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from stream.core.rules import TOPICS, Topic

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter that no question needs

_EVENTS = Counter(
    "bonus_events",
    "Records read, by what became of them: accepted, duplicate, rejected, late",
    ["topic", "result"],
)
_RESULTS = ("accepted", "duplicate", "rejected", "late")
_EVENTS_OF = {(topic, result): _EVENTS.labels(topic, result) for topic in TOPICS for result in _RESULTS}
_OUT_OF_STEP = Counter(
    "bonus_events_out_of_step",
    "Accepted events that came after their topic had been passed by topic_lag",
    ["topic"],
)
_BONUSES = Counter("bonus_bonuses", "Bonuses committed", ["program", "tier"])
_BONUS_DELAY = Histogram(
    "bonus_delay_seconds",
    "Kafka timestamp of the evidence record to its bonus committed",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_TRANSACTIONS = Counter("bonus_transactions", "Kafka transactions, by result: committed, failed", ["result"])
_LAG = Gauge("bonus_lag_records", "Records in the log behind which the worker is", ["topic", "partition"])
_STOOD = Gauge(
    "bonus_stood_still_seconds",
    "Time for which the position has not moved although committed records lie beyond it",
    ["topic", "partition"],
)
_PARTITIONS_TAKEN = Gauge("bonus_partitions_taken", "Partitions that this worker owns and serves")
_TAKE = Histogram(
    "bonus_take_seconds",
    "From the beginning of a partition's take until it is served",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_CHECKPOINT = Histogram(
    "bonus_checkpoint_seconds",
    "Time a checkpoint took until Redis acknowledged it",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
_CHECKPOINT_CHANGES = Counter(
    "bonus_checkpoint_changes", "Entries written by checkpoints: creators, videos, buckets of places"
)
_CHECKPOINT_AGE = Gauge(
    "bonus_checkpoint_age_seconds", "Time since all that was applied was durable", ["partition"]
)
_SUBJECTS = Gauge(
    "bonus_subjects_in_memory", "Creators, videos and buckets of places in memory", ["partition"]
)
_READ_BACK = Counter(
    "bonus_subjects_read_back", "Creators, videos and buckets of places fetched again from Redis"
)
_BYTES_IN_FLIGHT = Gauge("bonus_bytes_in_flight", "Bytes read from Kafka and not yet counted")

_EDITION = Gauge("bonus_programs_edition", "Edition of the programmes in force that the worker knows")
_REFUSED = Gauge("bonus_programs_refused", "1 while the programme folder holds a change that was refused")

_durable_at_s: dict[int, float] = {}


def count_events(topic: Topic, *, accepted: int, duplicates: int, rejected: int, late: int) -> None:
    """Count what one chunk of ``topic`` came to."""
    for result, events in zip(_RESULTS, (accepted, duplicates, rejected, late), strict=True):
        if events:
            _EVENTS_OF[topic, result].inc(events)


def count_out_of_step(topic: Topic, events: int) -> None:
    """Count accepted events that came further behind the other topics than ``topic_lag``."""
    _OUT_OF_STEP.labels(topic).inc(events)


def count_bonuses(committed: Mapping[tuple[str, str], int]) -> None:
    """Count the bonuses of one committed transaction, by (program, tier)."""
    for (program, tier), bonuses in committed.items():
        _BONUSES.labels(program, tier).inc(bonuses)


def observe_bonus_delay(seconds: float) -> None:
    """Note how long a bonus took from its evidence record's Kafka timestamp to its commit."""
    _BONUS_DELAY.observe(max(0.0, seconds))


def count_transaction(*, committed: bool) -> None:
    """Count one Kafka transaction; one that is discarded or unclear has failed."""
    _TRANSACTIONS.labels("committed" if committed else "failed").inc()


def set_lag(partition: int, lag_records: Mapping[Topic, int]) -> None:
    """Note how many records each topic of ``partition`` holds beyond the worker's position."""
    for topic, records in lag_records.items():
        _LAG.labels(topic, str(partition)).set(records)


def set_stood(partition: int, seconds: Mapping[Topic, float]) -> None:
    """Note for how long each topic of ``partition`` has stood still, whatever the reason."""
    for topic, stood_s in seconds.items():
        _STOOD.labels(topic, str(partition)).set(stood_s)


def observe_take(partition: int, seconds: float) -> None:
    """Note that ``partition`` is now served, and how long taking it took."""
    _TAKE.observe(seconds)
    mark_durable(partition)


def observe_checkpoint(partition: int, seconds: float, changes: int) -> None:
    """Note a checkpoint that Redis acknowledged: how long it took, how many entries it wrote."""
    _CHECKPOINT.observe(seconds)
    _CHECKPOINT_CHANGES.inc(changes)
    mark_durable(partition)


def mark_durable(partition: int) -> None:
    """Note that nothing of ``partition`` waits for a checkpoint, also where none was needed."""
    _durable_at_s[partition] = time.monotonic()
    _PARTITIONS_TAKEN.set(len(_durable_at_s))


def set_subjects(partition: int, in_memory: int) -> None:
    """Note how many subjects ``partition`` holds in memory."""
    _SUBJECTS.labels(str(partition)).set(in_memory)


def count_read_back(subjects: int) -> None:
    """Count subjects that had left memory and were fetched again."""
    _READ_BACK.inc(subjects)


def set_edition(number: int) -> None:
    """Note the edition of the programmes that is in force for the group."""
    _EDITION.set(number)


def set_programs_refused(refused: bool) -> None:
    """Note whether the folder holds programmes that could not be put in force."""
    _REFUSED.set(refused)


def set_bytes_in_flight(read_and_uncounted: int) -> None:
    """Note the bytes that were read and are not yet counted."""
    _BYTES_IN_FLIGHT.set(read_and_uncounted)


def forget_partition(partition: int) -> None:
    """Drop every series of a partition that this worker no longer owns; unknown partitions are fine."""
    label = str(partition)
    for topic in TOPICS:
        for gauge in (_LAG, _STOOD):
            gauge.remove_by_labels({"topic": topic, "partition": label})
    for gauge in (_CHECKPOINT_AGE, _SUBJECTS):
        gauge.remove_by_labels({"partition": label})
    _durable_at_s.pop(partition, None)
    _PARTITIONS_TAKEN.set(len(_durable_at_s))


def render(names: Sequence[str] = ()) -> bytes:
    """All metrics, or those of these ``names``, in Prometheus' text format, to serve as ``text/plain``."""
    now_s = time.monotonic()
    for partition, durable_at_s in _durable_at_s.items():
        _CHECKPOINT_AGE.labels(str(partition)).set(now_s - durable_at_s)
    return generate_latest(REGISTRY.restricted_registry(names) if names else REGISTRY)
