"""How many partitions, workers and Redis servers a rate of events takes: arithmetic over what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

REPLICAS = 3
"""Copies of each record that Kafka keeps."""

WORKER_SHARE = 0.6
"""How much of its core a worker may take in the long run; the rest is for peaks, and to catch up after a fault."""

REDIS_SHARE = 0.4
"""How much of its core a Redis may take: it has one, and a checkpoint that waits holds nothing else up."""

PARTITIONS_A_WORKER = 4
"""So that a worker that is lost leaves shares that the others can take evenly, and there is room to grow."""

REDIS_GIB = 32
"""Memory for state in one Redis; as much again stays free for its snapshots and its append-only file's rewrite."""

DEDUPE_S = 65 * 60
"""How long an event id is remembered: lateness and skew at their defaults."""

BUCKET_S = 10 * 60
"""Redis forgets ids in buckets of so much arrival."""

ID_CHARACTERS = 32
"""Of an event id, a UUID without dashes."""

_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Constants:
    """What was measured, an event, an id or a subject; ``id_characters`` had the ids of the worker's run.

    Bytes of subjects are of one with ten cells. ``worker_base_bytes`` is a worker without any state.
    """

    worker_us: float
    redis_us: float
    redis_in_bytes: float
    id_characters: int
    record_bytes: float
    worker_base_bytes: float
    worker_id_bytes: float
    redis_id_bytes: float
    worker_subject_bytes: float
    redis_subject_bytes: float


class Row(NamedTuple):
    """One line of the plan: what, how it is reckoned, and what comes out."""

    what: str
    how: str
    result: str


def plan(known: Constants, events_a_second: int, subjects: int) -> Iterator[Row]:
    """The rows of a plan for a steady rate, with so many subjects within the longest window."""
    rate = events_a_second
    workers = ceil(rate * known.worker_us / 1e6 / WORKER_SHARE)
    partitions = workers * PARTITIONS_A_WORKER
    yield Row(
        "workers (one core each)",
        f"{rate:,} × {known.worker_us:.2f} µs ÷ {WORKER_SHARE:.0%} of a core",
        f"{workers:,}",
    )
    yield Row("partitions of each topic", f"{PARTITIONS_A_WORKER} a worker", f"{partitions:,}")
    yield Row("events a second of one partition", f"{rate:,} ÷ {partitions:,}", f"{rate / partitions:,.0f}")
    yield Row(
        "the most of one creator, events a second",
        f"what one core takes: 1 s ÷ {known.worker_us:.2f} µs",
        f"{1e6 / known.worker_us:,.0f}",
    )
    yield from _kafka(known, rate, workers)
    yield from _worker_memory(known, rate, subjects, workers)
    yield from _redis(known, rate, subjects)


def _kafka(known: Constants, rate: int, workers: int) -> Iterator[Row]:
    arriving = rate * known.record_bytes
    yield Row(
        "into Kafka, from producers",
        f"{rate:,} × {known.record_bytes:.0f} bytes, uncompressed",
        f"{_mb(arriving)}/s",
    )
    yield Row("written by Kafka's brokers", f"× {REPLICAS} replicas", f"{_mb(arriving * REPLICAS)}/s")
    yield Row("out of Kafka, to each worker", f"÷ {workers:,} workers", f"{_mb(arriving / workers)}/s")


def _worker_memory(known: Constants, rate: int, subjects: int, workers: int) -> Iterator[Row]:
    ids = rate / workers * DEDUPE_S * known.worker_id_bytes
    held = subjects / workers * known.worker_subject_bytes
    yield Row(
        "event ids in each worker",
        f"{rate:,} ÷ {workers:,} × {DEDUPE_S:,} s × {known.worker_id_bytes:.0f} bytes",
        _gib(ids),
    )
    yield Row(
        "subjects in each worker",
        f"{subjects:,} ÷ {workers:,} × {known.worker_subject_bytes:,.0f} bytes",
        _gib(held),
    )
    yield Row(
        "memory of each worker",
        f"both, and {known.worker_base_bytes / 2**20:.0f} MiB",
        _gib(ids + held + known.worker_base_bytes),
    )


def _redis(known: Constants, rate: int, subjects: int) -> Iterator[Row]:
    ids = rate * (DEDUPE_S + BUCKET_S) * known.redis_id_bytes
    held = subjects * known.redis_subject_bytes
    by_cpu = ceil(rate * known.redis_us / 1e6 / REDIS_SHARE)
    by_memory = ceil((ids + held) / _GIB / REDIS_GIB)
    shards = max(by_cpu, by_memory)
    in_bytes = known.redis_in_bytes + max(0, ID_CHARACTERS - known.id_characters)
    yield Row(
        "event ids in Redis",
        f"{rate:,} × {DEDUPE_S + BUCKET_S:,} s × {known.redis_id_bytes:.0f} bytes",
        _gib(ids),
    )
    yield Row("subjects in Redis", f"{subjects:,} × {known.redis_subject_bytes:,.0f} bytes", _gib(held))
    yield Row(
        "Redis servers by CPU",
        f"{rate:,} × {known.redis_us:.2f} µs ÷ {REDIS_SHARE:.0%} of a core",
        f"{by_cpu:,}",
    )
    yield Row("Redis servers by memory", f"÷ {REDIS_GIB} GiB", f"{by_memory:,}")
    yield Row("Redis servers", "the greater", f"{shards:,}")
    yield Row(
        "into each Redis",
        f"{rate:,} × {in_bytes:.0f} bytes ÷ {shards:,}",
        f"{_mb(rate * in_bytes / shards)}/s",
    )


def _mb(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"


def _gib(count: float) -> str:
    return f"{count / _GIB:,.1f} GiB"
