"""The metrics: what was counted is rendered, and a lost partition leaves nothing behind."""

from prometheus_client import REGISTRY

from stream import metrics


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_chunks_events_are_counted_by_what_became_of_them() -> None:
    before = [
        value("bonus_events_total", topic="shares", result=r) for r in ("accepted", "duplicate", "late")
    ]
    metrics.count_events("shares", accepted=5, duplicates=2, rejected=0, late=1)
    after = [value("bonus_events_total", topic="shares", result=r) for r in ("accepted", "duplicate", "late")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [5, 2, 1]


def test_bonuses_are_counted_by_programme_and_tier() -> None:
    metrics.count_bonuses({("p", "bronze"): 2, ("p", "silver"): 1})
    assert value("bonus_bonuses_total", program="p", tier="bronze") == 2


def test_a_lost_partition_has_no_series_and_losing_it_twice_is_fine() -> None:
    metrics.observe_take(77, seconds=0.1)
    metrics.set_subjects(77, 12)
    metrics.set_lag(77, {"views": 3, "likes": 0})
    metrics.set_stood(77, {"views": 3.5, "likes": 0.0})
    assert b'partition="77"' in metrics.render()
    assert b"bonus_partitions_taken 1.0" in metrics.render()
    metrics.forget_partition(77)
    metrics.forget_partition(77)
    assert b'partition="77"' not in metrics.render()
    assert b"bonus_partitions_taken 0.0" in metrics.render()


def test_who_wants_some_metrics_gets_those_alone() -> None:
    metrics.observe_take(79, seconds=0.1)
    some = metrics.render(["bonus_partitions_taken"]).decode()
    assert [line for line in some.splitlines() if not line.startswith("#")] == ["bonus_partitions_taken 1.0"]
    metrics.forget_partition(79)


def test_the_checkpoints_age_counts_from_the_last_one() -> None:
    metrics.observe_take(78, seconds=0.1)
    metrics.render()
    first = value("bonus_checkpoint_age_seconds", partition="78")
    metrics.render()
    second = value("bonus_checkpoint_age_seconds", partition="78")
    metrics.observe_checkpoint(78, seconds=0.01, changes=4)
    metrics.render()
    assert 0 <= first < second
    assert value("bonus_checkpoint_age_seconds", partition="78") < second
    metrics.forget_partition(78)
