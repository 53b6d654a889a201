"""Topics are read in step, in an order that only their logs decide, and letting go on the way does not show."""

import random
from collections.abc import Iterator, Sequence
from typing import cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.backtest import lane as lane_module
from stream.backtest import stepping
from stream.backtest.lane import Lane
from stream.backtest.stepping import Feed, take_next
from stream.core.outcome import Bonus
from stream.core.plan import Plan
from stream.core.rules import TOPICS, AtMost, Limits, Line, Period, Topic, Tumbling
from stream.core.subject import Subject
from stream.transport import fetching
from tests.builders import DAY, HOUR, MINUTE, Log, program, tier, version
from tests.laws.engine import by_id
from tests.model import Record, bonuses
from tests.strategies import Case, cases, seeds

slices = st.sampled_from([1, 1_000, 60_000])


def stepped(records: Sequence[Record], seed: int) -> Iterator[tuple[list[Record], int]]:
    """Runs as they come when the topics are fetched in pieces that fall as ``seed`` wants, and their floors."""
    pieces = random.Random(seed)
    logs = {topic: [record for record in records if record.topic == topic] for topic in TOPICS}
    feeds = [Feed(topic, 0, logs[topic][-1].offset + 1 if logs[topic] else 0) for topic in TOPICS]
    while True:
        for feed in feeds:
            if feed.empty and not feed.over:
                log = logs[feed.topic]
                piece = log[: pieces.randint(1, 4)]
                del log[: len(piece)]
                feed.fill(cast(list[fetching.Record], piece), piece[-1].offset + 1)
        if all(feed.over for feed in feeds):
            return
        feed, run = take_next(feeds)
        yield cast(list[Record], list(run)), feed.floor_ms


def order(records: Sequence[Record], seed: int) -> list[Record]:
    return [record for run, _ in stepped(records, seed) for record in run]


@given(cases(), seeds, seeds, slices)
def test_the_order_is_the_same_however_the_topics_are_fetched(
    case: Case, seed: int, other: int, slice_ms: int
) -> None:
    with patch.object(stepping, "SLICE_MS", slice_ms):
        assert order(case.records, seed) == order(case.records, other)


@given(cases(), seeds, slices)
def test_no_record_arrives_before_the_floor_of_a_run_before_it(case: Case, seed: int, slice_ms: int) -> None:
    """Nothing is left out, each topic comes in offset order, and arrival never falls behind a floor."""
    arrivals: dict[str, int] = {}
    least = 0
    with patch.object(stepping, "SLICE_MS", slice_ms):
        for run, floor_ms in stepped(case.records, seed):
            for record in run:
                arrival = max(arrivals.get(record.topic, -1), record.timestamp)
                arrivals[record.topic] = arrival
                assert arrival >= least or arrival == -1
            least = max(least, floor_ms)
        found = order(case.records, seed)
    for topic in TOPICS:
        assert [each for each in found if each.topic == topic] == [
            each for each in case.records if each.topic == topic
        ]


@given(cases(), seeds, slices)
def test_a_lane_that_lets_go_all_the_time_awards_what_the_model_awards(
    case: Case, seed: int, slice_ms: int
) -> None:
    lane = Lane(0, Plan(case.programs), case.limits)
    awarded: list[Bonus] = []
    with (
        patch.object(stepping, "SLICE_MS", slice_ms),
        patch.multiple(lane_module, MOST_UNSAVED=0, SWEEP_EVERY_MS=0),
    ):
        for run, floor_ms in stepped(case.records, seed):
            offsets, timestamps = [each.offset for each in run], [each.timestamp for each in run]
            awarded += lane.apply(run[0].topic, offsets, timestamps, [each.decoded for each in run]).bonuses
            lane.in_step(floor_ms)
        records = order(case.records, seed)
    assert by_id(awarded) == bonuses(case.programs, records, case.limits)


def test_a_long_history_takes_no_more_memory_than_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of creators who stopped, event ids and places are let go, also while another topic is silent."""
    monkeypatch.setattr(lane_module, "MOST_UNSAVED", 50)
    once_a_day: dict[Topic, Line] = {"views": Line(at_most=AtMost(1, "video", Period("day")))}
    rules = program(version(Tumbling(HOUR), tier(views=1_000, likes=1_000), lines=once_a_day))
    lane, held = Lane(0, Plan([rules]), Limits()), []
    log = Log()
    for day in range(12):
        for minute in range(0, DAY // MINUTE, 10):
            at = 20_000 * DAY + day * DAY + minute * MINUTE
            record = log.add("views", at, viewer_id=f"viewer-{minute}", creator_id=f"creator-{day}")
            lane.apply("views", [record.offset], [at], [record.decoded])
            lane.in_step(at)
        entries = lane._state.memory.entries
        subjects = [entry for entry in entries.values() if isinstance(entry, Subject)]
        cells = sum(len(series.all_cells()) for subject in subjects for _, series in subject.each())
        held.append((cells, len(entries), max(lane._state.unsaved())))
    for early, late in zip(zip(*held[:3], strict=True), zip(*held[-6:], strict=True), strict=True):
        assert max(late) <= 2 * max(early)
