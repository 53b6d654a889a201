from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.program_terms import Hours, duration_ms, hours_ms, instant_text, some_duration_ms
from schemas.programs import AtMost, LifetimeWindow, ProgramDocument, RollingWindow

DOCUMENT: dict[str, object] = {
    "program": "creator-rewards",
    "version": 1,
    "regions": ["US"],
    "subject": "creator",
    "window": {"rolling": "24h"},
    "tiers": [{"name": "bronze", "when": {"views": 1}, "reward": {"amount": "5.00", "currency": "USD"}}],
}


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("10s", 10_000), ("5m", 300_000), ("24h", 86_400_000), ("30d", 2_592_000_000), ("0s", 0)],
)
def test_a_duration_is_a_whole_number_and_a_unit_and_a_day_has_24_hours(text: str, length_ms: int) -> None:
    assert length_ms == duration_ms(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 s",
        "-5s",
        "1.5h",
        "05s",
        "5S",
        "5ms",
        "1w",
        "٣s",
        "5s\n",
        "9999999999d",
        "9" * 20 + "s",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration_ms(text)


def test_a_window_has_some_length() -> None:
    with pytest.raises(ValueError, match="is no length"):
        some_duration_ms("0s")


@pytest.mark.parametrize(
    ("hours", "least_ms"),
    [
        (1, 3_600_000),
        (Decimal("0.1"), 360_000),
        ("12.5", 45_000_000),
        (Decimal("0.000000000000000001"), 1),
        ("0.3333333", 1_200_000),
        ("0.33333333", 1_200_000),
        ("0.3333336", 1_200_001),
        (Decimal("1000000000000"), 3_600_000_000_000_000_000),
    ],
)
def test_watch_hours_are_the_least_whole_milliseconds_that_reach_them(
    hours: int | Decimal | str, least_ms: int
) -> None:
    assert least_ms == hours_ms(hours)
    assert hours == TypeAdapter[object](Hours).validate_python(hours)


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        True,
        1.5,
        None,
        "",
        "0.0",
        "-1",
        "1e3",
        ".5",
        " 1",
        "1" * 14,
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1e-19"),
        Decimal("1e999999"),
        Decimal("1e-999999"),
        10**12 + 1,
        [],
        {},
    ],
)
def test_anything_but_a_decimal_above_0_is_no_number_of_hours(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[object](Hours).validate_python(value)


def test_a_time_is_shown_in_utc() -> None:
    assert "2026-01-01T00:00:00Z" == instant_text(1_767_225_600_000)
    assert "2026-01-01T00:00:00.250Z" == instant_text(1_767_225_600_250)


def test_a_document_keeps_what_was_written() -> None:
    document = ProgramDocument.model_validate(DOCUMENT)

    assert document.model_dump(exclude_defaults=True) == DOCUMENT
    assert RollingWindow(rolling="24h") == document.window


@pytest.mark.parametrize("key", list(DOCUMENT))
def test_program_version_regions_subject_window_and_tiers_are_needed(key: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        ProgramDocument.model_validate({other: DOCUMENT[other] for other in DOCUMENT if other != key})


def test_a_cap_per_viewer_is_on_a_video_and_a_utc_day_where_nothing_else_is_said() -> None:
    assert AtMost(per_viewer=1, of="video", per="day", timezone="UTC") == AtMost.model_validate(
        {"per_viewer": 1}
    )


def test_a_lifetime_window_says_true_and_not_1() -> None:
    assert LifetimeWindow.model_validate({"lifetime": True}).lifetime is True
    with pytest.raises(ValidationError):
        LifetimeWindow.model_validate({"lifetime": 1})


def test_the_json_schema_offers_null_for_the_two_times_of_effective_only() -> None:
    definitions = ProgramDocument.model_json_schema()
    nullable = {
        (model, key)
        for model, definition in {"ProgramDocument": definitions, **definitions["$defs"]}.items()
        for key, schema in definition["properties"].items()
        if {"type": "null"} in schema.get("anyOf", [])
    }

    assert nullable == {("Effective", "from"), ("Effective", "until")}
