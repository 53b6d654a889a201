from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import LAST_MS, instant_ms

NEW_YEAR_2026 = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR_2026),
        ("2026-01-01T00:00:00.1Z", NEW_YEAR_2026 + 100),
        ("2026-01-01T00:00:00.0019Z", NEW_YEAR_2026 + 1),
        ("2026-01-01T00:00:00." + "9" * 300 + "Z", NEW_YEAR_2026 + 999),
        ("2026-01-01T05:30:00+05:30", NEW_YEAR_2026),
        ("2025-12-31T16:00:00-08:00", NEW_YEAR_2026),
        ("2025-12-31T00:01:00-23:59", NEW_YEAR_2026),
        ("2026-01-01T00:00:00-00:00", NEW_YEAR_2026),
        ("2026-01-01t00:00:00z", NEW_YEAR_2026),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("9999-12-31T23:59:59.9999999Z", LAST_MS),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800_250),
        ("2017-01-01T05:29:60+05:30", 1_483_228_800_000),
        ("1990-12-31T15:59:60-08:00", 662_688_000_000),
        ("2015-06-30T23:59:60Z", 1_435_708_800_000),
    ],
)
def test_a_string_of_rfc_3339_is_floored_to_ms(text: str, ms: int) -> None:
    assert ms == instant_ms(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1767225600000",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00\u221201:00",
        "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T12:00:60Z",
        "2026-01-31T23:59:60Z",
        "2016-12-31T23:59:60+01:00",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "+2026-01-01T00:00:00Z",
        "２０26-01-01T00:00:00Z",
        "1969-12-31T23:59:59.9999Z",
        "1970-01-01T00:30:00+01:00",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
    ],
)
def test_a_string_that_names_no_instant_in_range_is_none(text: str) -> None:
    assert instant_ms(text) is None


@pytest.mark.parametrize("other", [-1, LAST_MS + 1, 2**80, True, False, 1.0, None, b"0", [0], {}])
def test_what_is_neither_a_string_nor_an_integer_in_range_is_none(other: object) -> None:
    assert instant_ms(other) is None


@pytest.mark.parametrize("ms", [0, 1, LAST_MS])
def test_an_integer_in_range_is_itself(ms: int) -> None:
    assert ms == instant_ms(ms)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_any_time_at_any_offset_is_the_instant_that_datetime_says(local: datetime, minutes: int) -> None:
    there = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    micros = (there - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert micros // 1000 == instant_ms(there.isoformat())
