"""What the scaling benchmark promises: what is run, what is measured, and what is reckoned from it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import memory, scale_core, scale_worker
from benchmarks.load import SPAN_START_MS
from benchmarks.scale_core import Point
from benchmarks.scale_crowd import Crowd, Spread
from benchmarks.scale_page import MEASURED, PAGE, Figures, constants, renewed
from benchmarks.scale_plan import PARTITIONS_A_WORKER, plan
from benchmarks.servers import Servers
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.programs.load import load

HOUR_MS = 3_600_000


def test_everybody_is_met_once() -> None:
    """Before a measurement each video has one view, in the order of event time."""
    chunks = list(Crowd(700, 5, "zipf", seed=1).everybody(SPAN_START_MS, HOUR_MS))
    videos = [event.video_id for chunk in chunks for event in chunk.events]
    at_ms = [event.occurred_at for chunk in chunks for event in chunk.events]
    assert len(videos) == len(set(videos)) == 3_500
    assert at_ms == sorted(at_ms)


def test_traffic_is_repeatable_and_all_of_it_counts(tmp_path: Path) -> None:
    """The same seed gives the same events, and a partition accepts every one of them."""
    crowd = Crowd(700, 5, "zipf", seed=1)
    scale_core.write_programs(tmp_path, Point("tiers", ""))
    state = Partition(0, Plan(load(tmp_path).programs), Limits())
    chunks = list(crowd.traffic(10_000, SPAN_START_MS, HOUR_MS, 0))
    assert chunks == list(crowd.traffic(10_000, SPAN_START_MS, HOUR_MS, 0))
    assert chunks != list(replace(crowd, seed=2).traffic(10_000, SPAN_START_MS, HOUR_MS, 0))
    assert sum(state.apply(*chunk).accepted for chunk in chunks) == 10_000


@pytest.mark.parametrize(("spread", "least", "most"), [("zipf", 0.4, 0.7), ("even", 0.0, 0.05)])
def test_spread(spread: Spread, least: float, most: float) -> None:
    """By Zipf's law few have half of the events; evenly a hundredth has a hundredth."""
    traffic = Crowd(10_000, 5, spread, seed=1).traffic(20_000, SPAN_START_MS, HOUR_MS, 0)
    creators = Counter(event.creator_id for chunk in traffic for event in chunk.events)
    busiest = sum(events for _, events in creators.most_common(100))
    assert least < busiest / creators.total() < most


def test_a_point_meets_its_subjects_and_shares_its_counters() -> None:
    """All subjects are there, and more programmes on the same counters bring bonuses, not fields."""
    points = [Point("programs", "", creators=200, programs=programs, paying=programs) for programs in (2, 20)]
    two, twenty = (scale_core.measure_here(point, 20_000, seed=1) for point in points)
    assert two.subjects == twenty.subjects == 200 * (1 + scale_core.VIDEOS)
    assert twenty.bonuses_an_event > 3 * two.bonuses_an_event > 0
    latches = twenty.bonuses_an_event - two.bonuses_an_event
    assert twenty.fields_an_event - two.fields_an_event <= 1.1 * latches


def test_state_is_proportional_to_what_is_held_and_a_checkpoint_to_what_changed(redis_url: str) -> None:
    """More panes take more memory, here and in Redis; ten times the changes are ten times the bytes."""
    figures = memory.measure(redis_url, cells=10_000, panes=(1, 10, 100), ids=50_000, most_subjects=10_000)
    worker, in_redis = (
        [getattr(row, name) for row in figures.held] for name in ("worker_bytes", "redis_bytes")
    )
    assert worker == sorted(worker)
    assert in_redis == sorted(in_redis)
    assert figures.ids.worker_bytes > figures.ids.length
    assert figures.ids.redis_bytes > figures.ids.length
    few, many = (each for each in figures.checkpoints if each.subjects in (1_000, 10_000))
    assert 9 < many.sent_bytes / few.sent_bytes < 11


def test_a_worker_is_watched_over_all_events(kafka_bootstrap: str, redis_session: str) -> None:
    """What an event cost the worker and Redis is of this run's events alone."""
    spot = scale_worker.Spot("short", Point("tiers", "", creators=100, paying=2))
    cost = scale_worker.measure(Servers(kafka_bootstrap, redis_session), spot, 200_000, seed=1)
    assert 0 < cost.events <= 200_000
    assert cost.cpu_us > 0
    assert cost.redis_in_bytes > len("e-1-00000000")


def test_a_plan_is_arithmetic() -> None:
    """Twice the rate takes twice the workers, partitions and bytes a second, to within a worker."""
    known = constants(Figures.read(MEASURED))
    one, two = ({row.what: row.result for row in plan(known, rate, 1_000_000)} for rate in (10**6, 2 * 10**6))

    def number(rows: dict[str, str], what: str) -> float:
        return float(rows[what].split()[0].removesuffix("/s").replace(",", ""))

    workers, partitions = "workers (one core each)", "partitions of each topic"
    assert abs(number(two, workers) - 2 * number(one, workers)) <= 1
    assert number(one, partitions) == PARTITIONS_A_WORKER * number(one, workers)
    assert number(two, "into Kafka, from producers") == pytest.approx(
        2 * number(one, "into Kafka, from producers"), rel=0.01
    )


def test_the_page_holds_what_was_measured() -> None:
    """docs/scaling.md has the tables of the kept figures; `python -m benchmarks.scale --page` renews them."""
    page = PAGE.read_text()
    assert renewed(page, Figures.read(MEASURED)) == page
    assert renewed(page, replace(Figures.read(MEASURED), machine="elsewhere")) != page
