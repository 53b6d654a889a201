"""What the benchmarks' load promises."""

from collections import Counter

from benchmarks.load import SPAN_START_MS, Load
from schemas.decode import decode
from schemas.placement import partition_of
from stream.core.outcome import Rejection

LOAD = Load(events=20_000, creators=500, videos_a_creator=5, viewers=1_000, span_ms=3_600_000, seed=7)


def test_same_seed_same_records() -> None:
    """The same numbers give the same records, another seed others."""
    other = Load(20_000, 500, 5, 1_000, 3_600_000, seed=8)
    assert list(LOAD.records()) == list(LOAD.records())
    assert list(LOAD.records()) != list(other.records())


def test_all_are_accepted() -> None:
    """Every record is a valid event with an id of its own, in the partition of its key, within the limits of time."""
    ids = set()
    for record in LOAD.records():
        partition = partition_of(record.key.decode(), 4)
        event = decode(record.value, record.topic, partition, 4)
        assert not isinstance(event, Rejection)
        assert -300_000 <= record.timestamp - event.occurred_at <= 60_000
        ids.add(event.event_id)
    assert len(ids) == LOAD.events


def test_shape() -> None:
    """Seven in ten are views, few creators have most of the events, and event time covers the span in order."""
    records = list(LOAD.records())
    topics = Counter(record.topic for record in records)
    creators = Counter(record.key for record in records)
    assert 0.68 < topics["views"] / LOAD.events < 0.72
    assert sum(count for _, count in creators.most_common(50)) > 0.6 * LOAD.events
    timestamps = [record.timestamp for record in records]
    assert timestamps == sorted(timestamps)
    assert timestamps[0] == SPAN_START_MS
    assert SPAN_START_MS + LOAD.span_ms - 2_000 < timestamps[-1] < SPAN_START_MS + LOAD.span_ms
    assert 150 < sum(len(record.value) for record in records) / LOAD.events < 250
