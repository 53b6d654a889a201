"""Model and engine against examples worked out by hand: arrival, clock errors, lateness, duplicates."""

from stream.core.outcome import Rejection
from stream.core.rules import Limits
from tests.builders import HOUR, MINUTE, Log
from tests.laws import engine
from tests.model import verdicts

T = 100 * HOUR
LIMITS = Limits()


def codes(log: Log) -> list[str]:
    """What becomes of each record: the model and the engine must say the same."""
    expected = [verdict.code for verdict in verdicts(log.records, LIMITS)]
    assert engine.codes(log.records, LIMITS) == expected
    return expected


def test_arrival_is_the_running_maximum_of_the_topics_own_timestamps() -> None:
    log = Log()
    log.add("views", T, arrives=T)
    log.add("views", T, arrives=T - MINUTE)
    log.add("likes", T - MINUTE, arrives=T - MINUTE)
    log.add("views", T, arrives=-1)
    assert [verdict.arrival for verdict in verdicts(log.records, LIMITS)] == [T, T, T - MINUTE, T]


def test_before_the_first_timestamp_arrival_is_minus_one() -> None:
    """So whatever happened lies too far ahead, but for what the skew lets happen when Unix time began."""
    log = Log()
    log.add("views", T, arrives=-1)
    log.add("views", 5 * MINUTE - 1, arrives=-1)
    log.add("views", 5 * MINUTE, arrives=-1)
    log.add("views", T, arrives=T)
    log.add("views", T, arrives=-1)
    assert codes(log) == ["clock_error", "accepted", "clock_error", "accepted", "accepted"]


def test_a_rejected_record_moves_arrival_too() -> None:
    log = Log()
    log.append("likes", T, Rejection("not_json", "…"))
    log.add("likes", T - HOUR - 1, arrives=T - HOUR)
    assert codes(log) == ["not_json", "late"]


def test_a_late_record_and_a_clock_error_move_arrival_too() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T, arrives=T + HOUR + 1)
    log.add("likes", T, arrives=T)
    log.add("likes", T + 3 * HOUR, arrives=T + 2 * HOUR)
    log.add("likes", T + HOUR - 1, arrives=T)
    assert codes(log) == ["accepted", "late", "late", "clock_error", "late"]


def test_an_event_from_more_than_the_allowed_skew_ahead_is_a_clock_error() -> None:
    log = Log()
    log.add("likes", T + 5 * MINUTE, arrives=T)
    log.add("likes", T + 5 * MINUTE + 1, arrives=T)
    assert codes(log) == ["accepted", "clock_error"]


def test_an_event_older_than_the_allowed_lateness_is_late() -> None:
    log = Log()
    log.add("likes", T - HOUR, arrives=T)
    log.add("likes", T - HOUR - 1, arrives=T)
    assert codes(log) == ["accepted", "late"]


def test_an_id_counts_once_within_the_dedupe_window_of_arrival() -> None:
    log = Log()
    log.add("likes", T, event_id="a")
    log.add("likes", T + 65 * MINUTE, event_id="a")
    log.add("likes", T + 65 * MINUTE + 1, event_id="a")
    log.add("likes", T + 66 * MINUTE, event_id="a")
    assert codes(log) == ["accepted", "duplicate", "accepted", "duplicate"]


def test_ids_are_remembered_per_topic_and_only_of_accepted_events() -> None:
    log = Log()
    log.add("likes", T - 2 * HOUR, arrives=T, event_id="a")
    log.add("likes", T + 2 * HOUR, arrives=T, event_id="a")
    log.add("likes", T, event_id="a")
    log.add("shares", T, event_id="a")
    log.add("likes", T + 1, event_id="a", viewer_id="other content")
    assert codes(log) == ["late", "clock_error", "accepted", "accepted", "duplicate"]


def test_a_late_record_with_a_known_id_is_late_not_a_duplicate() -> None:
    log = Log()
    log.add("likes", T, event_id="a")
    log.add("likes", T - 1, arrives=T + HOUR, event_id="a")
    assert codes(log) == ["accepted", "late"]


def test_before_the_first_timestamp_nothing_can_be_placed_in_time() -> None:
    log = Log()
    log.add("likes", T, arrives=-1)
    log.add("likes", T, arrives=T)
    assert codes(log) == ["clock_error", "accepted"]
