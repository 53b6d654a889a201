"""How event time is cut, also where local clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.panes import Fixed, Local, Span
from stream.core.rules import Period

HOUR = 3_600_000
ZONES = (
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",  # midnight was skipped until 2018
    "America/Havana",  # midnight strikes twice or not at all
    "America/St_Johns",  # clocks changed at 00:01 until 2011, and put the date back
    "Asia/Kolkata",  # half an hour
    "Asia/Kathmandu",  # three quarters
    "Pacific/Apia",  # 30 December 2011 did not exist
    "Africa/Cairo",
    "Asia/Beirut",
)
INSTANTS = st.integers(0, int(datetime(2045, 1, 1, tzinfo=UTC).timestamp()) * 1000)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def hours(local: Local, at: str) -> float:
    pane = local.pane_of(ms(at))
    return (local.end(pane) - local.start(pane)) / HOUR


def test_a_fixed_pane_holds_its_start_and_not_its_end() -> None:
    panes = Fixed(60_000)
    assert [panes.pane_of(at) for at in (59_999, 60_000, 119_999, 120_000)] == [0, 1, 1, 2]
    assert (panes.start(1), panes.end(1)) == (60_000, 120_000)


def test_a_span_is_what_lies_before_within_and_after() -> None:
    span = Span(1_000, 2_000)
    assert [span.pane_of(at) for at in (999, 1_000, 1_999, 2_000)] == [0, 1, 1, 2]
    assert Span(None, None).pane_of(0) == 1
    assert (span.start(1), span.end(1)) == (1_000, 2_000)


@pytest.mark.parametrize(
    ("zone", "at", "length"),
    [
        ("America/New_York", "2026-03-08T12:00-04:00", 23),
        ("America/New_York", "2026-11-01T12:00-05:00", 25),
        ("America/New_York", "2026-07-01T12:00-04:00", 24),
        ("America/Sao_Paulo", "2018-11-04T12:00-02:00", 23),
        ("Australia/Lord_Howe", "2026-10-04T12:00+11:00", 23.5),
        ("Asia/Kolkata", "2026-03-08T12:00+05:30", 24),
    ],
)
def test_a_local_day_is_as_long_as_its_zone_makes_it(zone: str, at: str, length: float) -> None:
    assert hours(Local(Period("day", zone)), at) == length


def test_a_day_without_midnight_begins_when_the_clock_has_jumped() -> None:
    day = Local(Period("day", "America/Sao_Paulo"))
    assert day.start(day.pane_of(ms("2018-11-04T12:00-02:00"))) == ms("2018-11-04T01:00-02:00")


def test_a_date_that_the_clock_goes_back_to_belongs_to_the_day_that_has_begun() -> None:
    # At 00:01 on 7 November 2010 clocks in St John's went back to 23:01 on the 6th.
    day = Local(Period("day", "America/St_Johns"))
    first = ms("2010-11-07T00:00-02:30")
    assert day.pane_of(first - 1) + 1 == day.pane_of(first) == day.pane_of(first + 30 * 60_000)
    assert day.start(day.pane_of(first)) == first


def test_a_day_that_never_was_is_left_out() -> None:
    day = Local(Period("day", "Pacific/Apia"))
    before, after = day.pane_of(ms("2011-12-29T12:00-10:00")), day.pane_of(ms("2011-12-31T12:00+14:00"))
    assert after == before + 2
    assert day.end(before) == day.start(after)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    week, month = Local(Period("week", "UTC")), Local(Period("month", "America/New_York"))
    sunday = ms("2026-11-22T23:59:59+00:00")
    assert week.end(week.pane_of(sunday)) == ms("2026-11-23T00:00+00:00")
    assert month.start(month.pane_of(ms("2026-11-30T23:00-05:00"))) == ms("2026-11-01T00:00-04:00")


def test_time_has_room_up_to_the_end_of_the_calendar() -> None:
    for zone in ZONES:
        for unit in ("day", "week", "month"):
            local = Local(Period(unit, zone))
            last = local.pane_of(253_402_300_799_999)
            assert local.start(last) <= 253_402_300_799_999 < local.end(last)


def test_the_last_days_of_the_calendar_are_cut_at_local_midnight() -> None:
    day, month = Local(Period("day", "Asia/Kathmandu")), Local(Period("month", "America/New_York"))
    assert day.start(day.pane_of(253_402_300_799_999)) == ms("9999-12-31T18:15+00:00")
    assert day.end(day.pane_of(ms("9999-12-30T12:00+00:00"))) == ms("9999-12-30T18:15+00:00")
    assert month.end(month.pane_of(253_402_300_799_999)) == 253_402_300_800_000 + 5 * 3_600_000


@given(INSTANTS, st.sampled_from(ZONES), st.sampled_from(["day", "week", "month"]))
def test_every_instant_is_in_exactly_one_period(at: int, zone: str, unit: str) -> None:
    local = Local(Period(unit, zone))  # type: ignore[arg-type]
    pane = local.pane_of(at)
    assert local.start(pane) <= at < local.end(pane)
    assert local.end(pane) == local.start(pane + 1)


@given(INSTANTS, st.sampled_from(ZONES))
def test_a_day_starts_at_the_first_instant_that_shows_its_date_or_a_later_one(at: int, zone: str) -> None:
    local = Local(Period("day", zone))
    start_s = local.start(local.pane_of(at)) // 1000
    shown = datetime.fromtimestamp(start_s, ZoneInfo(zone)).date()
    earlier = [
        datetime.fromtimestamp(start_s - back, ZoneInfo(zone)).date() for back in (1, 60, 3_599, 86_399)
    ]
    assert max(earlier) < shown
    assert shown - max(earlier) <= timedelta(days=2)
