"""The demo's sample events."""

from collections import Counter

from schemas.decode import decode
from schemas.events import Event
from schemas.placement import partition_of
from stream.core.outcome import Rejection
from stream.demo.events import Sample, SampleEvents

NOW_MS = 1_800_000_000_000


def samples(count: int = 20_000, seed: int = 7) -> list[Sample]:
    return SampleEvents(seed).take(count, NOW_MS)


def decoded(taken: list[Sample]) -> list[Event | Rejection]:
    return [decode(s.value, s.topic, partition_of(s.key.decode(), 4), 4) for s in taken]


def test_one_seed_gives_the_same_events_byte_for_byte() -> None:
    assert samples(500) == samples(500)
    assert samples(500) != samples(500, seed=8)


def test_nearly_all_events_are_valid_and_every_kind_of_flaw_occurs() -> None:
    outcomes = Counter(o.code if isinstance(o, Rejection) else "valid" for o in decoded(samples()))
    assert outcomes["valid"] > 19_800
    assert outcomes.keys() == {
        "valid", "empty", "not_json", "not_object", "missing_field", "wrong_type", "bad_value",
    }  # fmt: skip


def test_some_events_are_sent_twice_under_their_first_id() -> None:
    ids = Counter(event.event_id for event in decoded(samples()) if isinstance(event, Event))
    twice = sum(1 for count in ids.values() if count > 1)
    assert 200 < twice < 600


def test_a_like_is_taken_back_at_most_once_and_never_before_it_was_given() -> None:
    events = [event for event in decoded(samples()) if isinstance(event, Event)]
    removes = {event.event_id: event for event in events if event.action == "remove"}
    assert len(removes) > 20
    assert all(
        event.added_at is not None and event.added_at <= event.occurred_at for event in removes.values()
    )
    taken_back = Counter((e.creator_id, e.video_id, e.viewer_id, e.added_at) for e in removes.values())
    assert set(taken_back.values()) == {1}


def test_a_few_events_are_later_than_the_worker_accepts() -> None:
    events = [event for event in decoded(samples()) if isinstance(event, Event)]
    late = [event for event in events if event.occurred_at < NOW_MS - 3_600_000]
    assert 40 < len(late) < 200


def test_creators_follow_a_steep_law_so_that_tiers_are_reached_at_different_times() -> None:
    by_creator = Counter(sample.key for sample in samples())
    counts = [count for _, count in by_creator.most_common()]
    assert counts[0] > 3_000
    assert counts[0] > 5 * counts[9] > 5 * counts[99]
