"""Model and engine against examples worked out by hand: conditions, windows, awards and removes."""

from datetime import datetime
from hashlib import sha256

import pytest

from stream.core.outcome import Bonus, Evidence
from stream.core.rules import (
    All,
    Any,
    AtLeast,
    Calendar,
    Lifetime,
    Once,
    OncePer,
    OncePerWindow,
    Period,
    Program,
    Rolling,
    Tumbling,
)
from tests.builders import DAY, HOUR, MINUTE, SECOND, Log, program, tier, version
from tests.laws.engine import agreed

T = 1_000 * HOUR
MINUTELY = Rolling(5 * MINUTE, MINUTE)
NEW_YORK = "America/New_York"


def awarded(log: Log, *programs: Program) -> list[Bonus]:
    return agreed(programs, log.records)


def offsets(log: Log, *programs: Program) -> list[int]:
    """The offsets of the records that brought bonuses."""
    return [bonus.evidence.offset for bonus in awarded(log, *programs)]


def ms(local: str) -> int:
    return int(datetime.fromisoformat(local).timestamp() * 1000)


# --- Reached ---


def test_a_tier_is_reached_at_its_threshold_not_above_it() -> None:
    log = Log()
    for second in range(4):
        log.add("likes", T + second)
    assert offsets(log, program(version(MINUTELY, tier(likes=3)))) == [2]


def test_a_tier_pays_once_however_many_events_follow_above_the_threshold() -> None:
    log = Log()
    for minute in range(30):
        log.add("likes", T + minute * MINUTE)
    assert offsets(log, program(version(MINUTELY, tier(likes=2)))) == [1]


def test_every_tier_that_one_event_jumps_over_is_awarded() -> None:
    log = Log()
    log.add("views", T, watch_ms=3 * HOUR)
    tiers = [
        tier("bronze", watch_hours=HOUR),
        tier("silver", watch_hours=2 * HOUR),
        tier("gold", watch_hours=4 * HOUR),
    ]
    found = awarded(log, program(version(MINUTELY, *tiers)))
    assert {bonus.tier for bonus in found} == {"bronze", "silver"}
    assert {bonus.evidence.offset for bonus in found} == {0}


def test_a_window_that_was_closed_does_not_fire_again() -> None:
    log = Log()
    log.add("likes", T + HOUR - 1)
    log.add("likes", T + HOUR)
    log.add("likes", T + HOUR - 2)
    rules = program(version(Tumbling(HOUR), tier(likes=1)), award=OncePerWindow())
    assert offsets(log, rules) == [0, 1]


def test_usage_that_falls_and_rises_again_does_not_pay_again() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T + 1)
    log.remove("likes", T + 2)
    log.add("likes", T + 3)
    assert offsets(log, program(version(MINUTELY, tier(likes=2)))) == [1]


def test_watch_time_is_compared_exactly() -> None:
    log = Log()
    log.add("views", T, watch_ms=HOUR - 1)
    log.add("views", T, watch_ms=0)
    log.add("views", T, watch_ms=1)
    assert offsets(log, program(version(MINUTELY, tier(watch_hours=HOUR)))) == [2]


def test_all_needs_every_part_and_any_needs_one() -> None:
    when = All((AtLeast("views", 1), Any((AtLeast("likes", 2), AtLeast("shares", 1)))))
    rules = program(version(MINUTELY, tier("silver", when)))
    log = Log()
    log.add("likes", T)
    log.add("likes", T)
    assert awarded(log, rules) == []
    log.add("views", T)
    (bonus,) = awarded(log, rules)
    assert bonus.metrics == {"views": 1, "likes": 2, "shares": 0}
    assert bonus.evidence == Evidence("views-0", "views", 0, 0)


# --- Windows ---


def test_a_rolling_window_ends_with_the_pane_that_is_judged() -> None:
    # panes        T |--0--|--1--|--2--|--3--|--4--|--5--|
    # likes            x                             x         5 panes: 1..5 do not hold the first
    log = Log()
    log.add("likes", T + MINUTE - 1)
    log.add("likes", T + 5 * MINUTE)
    assert offsets(log, program(version(MINUTELY, tier(likes=2)))) == []
    log.add("likes", T + 5 * MINUTE - 1)
    (bonus,) = awarded(log, program(version(MINUTELY, tier(likes=2))))
    assert bonus.evidence.offset == 2
    # Both pane 4 (with the first like) and pane 5 have two likes now: the earlier pane is reported.
    assert bonus.window == (T, T + 5 * MINUTE)


def test_an_event_that_comes_late_can_complete_a_later_pane() -> None:
    log = Log()
    log.add("likes", T + 2 * MINUTE)
    log.add("likes", T)
    (bonus,) = awarded(log, program(version(MINUTELY, tier(likes=2))))
    assert (bonus.window, bonus.evidence.offset) == ((T - 2 * MINUTE, T + 3 * MINUTE), 1)


def test_only_panes_that_hold_an_add_of_a_named_metric_are_judged() -> None:
    # panes     T |--0--|--1--|--2--|
    # holds         like  view  share        the first two fit one window, and so do the last two
    rules = program(version(Rolling(2 * MINUTE, MINUTE), tier(likes=1, shares=1)))
    log = Log()
    log.add("likes", T)
    log.add("views", T + MINUTE)
    log.add("shares", T + 2 * MINUTE)
    assert awarded(log, rules) == []
    log.add("shares", T + MINUTE)
    assert offsets(log, rules) == [1]


def test_tumbling_windows_are_cut_from_the_epoch() -> None:
    log = Log()
    log.add("likes", 7 * HOUR - 1)
    log.add("likes", 7 * HOUR)
    log.add("likes", 14 * HOUR - 1)
    (bonus,) = awarded(log, program(version(Tumbling(7 * HOUR), tier(likes=2)), award=OncePerWindow()))
    assert (bonus.window, bonus.period) == ((7 * HOUR, 14 * HOUR), (7 * HOUR, 14 * HOUR))


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("day", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00"),
        ("week", "2026-03-02T00:00-05:00", "2026-03-09T00:00-04:00"),
        ("month", "2026-03-01T00:00-05:00", "2026-04-01T00:00-04:00"),
    ],
)
def test_calendar_windows_are_cut_at_local_midnight_monday_and_the_first(
    unit: str, start: str, end: str
) -> None:
    period = {
        "day": Period("day", NEW_YORK),
        "week": Period("week", NEW_YORK),
        "month": Period("month", NEW_YORK),
    }
    log = Log()
    log.add("likes", ms(start) - 1)
    log.add("likes", ms("2026-03-08T12:00-04:00"))
    log.add("likes", ms(end) - 1)
    log.add("likes", ms(end))
    rules = program(version(Calendar(period[unit]), tier(likes=2)), award=OncePerWindow())
    (bonus,) = awarded(log, rules)
    assert bonus.window == bonus.period == (ms(start), ms(end))
    assert bonus.evidence.offset == 2


def test_a_day_without_midnight_begins_with_its_first_instant() -> None:
    """São Paulo's clocks went from 23:59 to 01:00 on 4 November 2018."""
    log = Log()
    log.add("likes", ms("2018-11-04T01:00-02:00") - 1)
    log.add("likes", ms("2018-11-04T01:00-02:00"))
    log.add("likes", ms("2018-11-05T00:00-02:00") - 1)
    rules = program(version(Calendar(Period("day", "America/Sao_Paulo")), tier(likes=2)))
    (bonus,) = awarded(log, rules)
    assert bonus.window == (ms("2018-11-04T01:00-02:00"), ms("2018-11-05T00:00-02:00"))


def test_minutes_lived_through_twice_after_midnight_belong_to_the_new_day() -> None:
    """St John's clocks went from 00:01 back to 23:01 of the day before on 29 October 2006."""
    log = Log()
    log.add("likes", ms("2006-10-29T00:00-02:30"))
    log.add("likes", ms("2006-10-28T23:30-03:30"))
    rules = program(version(Calendar(Period("day", "America/St_Johns")), tier(likes=2)))
    (bonus,) = awarded(log, rules)
    assert bonus.window == (ms("2006-10-29T00:00-02:30"), ms("2006-10-30T00:00-03:30"))


def test_a_lifetime_window_sums_from_the_count_start_to_until() -> None:
    log = Log()
    log.add("likes", T - 1)
    log.add("likes", T)
    log.add("likes", T + 400 * DAY)
    rules = program(version(Lifetime(), tier(likes=2), from_ms=T, until_ms=T + 500 * DAY))
    (bonus,) = awarded(log, rules)
    assert (bonus.window, bonus.period, bonus.evidence.offset) == ((T, T + 500 * DAY), (None, None), 2)


def test_an_unbounded_lifetime_has_a_window_of_nulls() -> None:
    log = Log()
    log.add("likes", T)
    (bonus,) = awarded(log, program(version(Lifetime(), tier(likes=1))))
    assert bonus.window == (None, None)


# --- Removes ---


def test_a_remove_counts_in_the_pane_of_what_it_takes_back() -> None:
    rules = program(version(Tumbling(HOUR), tier(likes=2)), award=OncePerWindow())
    log = Log()
    log.add("likes", T)
    log.remove("likes", T + HOUR, added_at=T)
    log.add("likes", T + HOUR)
    log.add("likes", T + 1)
    assert awarded(log, rules) == []
    log.add("likes", T + HOUR)
    assert offsets(log, rules) == [4]


def test_a_remove_that_does_not_say_counts_in_its_own_pane_and_a_sum_below_zero_reads_as_zero() -> None:
    log = Log()
    log.remove("likes", T)
    log.remove("likes", T)
    log.add("likes", T)
    log.add("likes", T)
    assert awarded(log, program(version(MINUTELY, tier(likes=1)))) == []
    log.add("shares", T)
    (bonus,) = awarded(
        log, program(version(MINUTELY, tier("any", Any((AtLeast("likes", 1), AtLeast("shares", 1))))))
    )
    assert bonus.metrics == {"likes": 0, "shares": 1}


def test_cells_below_zero_take_from_their_neighbours_in_a_window() -> None:
    log = Log()
    log.remove("likes", T)
    log.add("likes", T + MINUTE)
    log.add("likes", T + MINUTE)
    assert awarded(log, program(version(MINUTELY, tier(likes=2)))) == []


def test_what_was_awarded_stays_awarded() -> None:
    log = Log()
    log.add("likes", T)
    log.remove("likes", T + 1, added_at=T)
    assert offsets(log, program(version(MINUTELY, tier(likes=1)))) == [0]


# --- Awards ---


def test_once_pays_one_subject_once_and_another_too() -> None:
    log = Log()
    for _ in range(2):
        log.add("likes", T, creator_id="ada", video_id="v1")
        log.add("likes", T, creator_id="eve", video_id="v1")
        log.add("likes", T, creator_id="eve", video_id="v2")
    window = Tumbling(HOUR)
    assert offsets(log, program(version(window, tier(likes=2)))) == [2, 3]
    videos = awarded(log, program(version(window, tier(likes=2)), subject="video"))
    assert [(bonus.creator_id, bonus.video_id) for bonus in videos] == [
        ("ada", "v1"),
        ("eve", "v1"),
        ("eve", "v2"),
    ]


def test_once_per_pays_for_each_local_period_that_holds_the_start_of_a_reached_pane() -> None:
    midnight = ms("2026-03-08T00:00-05:00")
    log = Log()
    log.add("likes", midnight - 30 * SECOND)
    log.add("likes", midnight)
    log.add("likes", midnight + HOUR)
    rules = program(version(Rolling(DAY, MINUTE), tier(likes=1)), award=OncePer(Period("day", NEW_YORK)))
    found = awarded(log, rules)
    assert [bonus.period for bonus in found] == [(midnight - DAY, midnight), (midnight, midnight + 23 * HOUR)]


def test_a_pane_belongs_to_the_period_of_its_start() -> None:
    midnight = ms("2026-03-08T00:00-05:00")
    log = Log()
    log.add("likes", midnight + HOUR)
    rules = program(version(Rolling(DAY, 4 * HOUR), tier(likes=1)), award=OncePer(Period("day", NEW_YORK)))
    (bonus,) = awarded(log, rules)
    # Panes of four hours from the epoch: 04:00 UTC is 23:00 of the day before in New York.
    assert bonus.period == (midnight - DAY, midnight)


def test_bonus_ids_hash_what_an_award_is_once_per() -> None:
    log = Log()
    log.add("likes", T, creator_id="ada", video_id="v1")
    by_video = program(version(Tumbling(HOUR), tier(likes=1)), subject="video", award=OncePerWindow())
    by_creator = program(version(MINUTELY, tier(likes=1)), award=Once())
    assert [bonus.bonus_id for bonus in awarded(log, by_video, by_creator)] == [
        sha256(f"rewards\nbronze\nvideo\nada\nv1\n{T}".encode()).hexdigest()[:32],
        sha256(b"rewards\nbronze\ncreator\nada\n-").hexdigest()[:32],
    ]


def test_a_bonus_says_what_was_reached_by_whom_and_through_which_record() -> None:
    log = Log()
    log.add("likes", T, region="GB", video_id="v7")
    (bonus,) = awarded(log, program(version(MINUTELY, tier(likes=1), number=4)))
    assert bonus == Bonus(
        bonus_id=sha256(b"rewards\nbronze\ncreator\nada\n-").hexdigest()[:32],
        program="rewards",
        program_version=4,
        tier="bronze",
        subject="creator",
        creator_id="ada",
        video_id=None,
        region="GB",
        period=(None, None),
        window=(T - 4 * MINUTE, T + MINUTE),
        metrics={"likes": 1},
        thresholds={"as": "written"},
        reward={"amount": "5.00", "currency": "USD"},
        evidence=Evidence("likes-0", "likes", 0, 0),
    )
