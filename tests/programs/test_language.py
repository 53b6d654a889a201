"""What a document says, and the rules that it becomes: an example for each promise about programmes."""

from decimal import Decimal
from pathlib import Path

import pytest

from stream.core.rules import (
    EVERYTHING,
    TOPICS,
    All,
    Any,
    AtLeast,
    AtMost,
    Calendar,
    Condition,
    Lifetime,
    Line,
    Once,
    OncePer,
    OncePerWindow,
    Period,
    Rolling,
    Topic,
    Tumbling,
    Window,
)
from stream.programs import load
from tests.programs.folders import folder, good, loaded, only_program, only_version

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
JANUARY = 1_767_225_600_000


def condition(tmp_path: Path, when: str) -> Condition:
    """What a tier's ``when`` becomes."""
    tiers = f'[{{name: t, when: {when}, reward: {{amount: "1", currency: USD}}}}]'
    return only_version(tmp_path, tiers=tiers).tiers[0].when


def test_a_folder_holds_yaml_and_yml_files_of_one_or_more_documents(tmp_path: Path) -> None:
    place = folder(tmp_path, good(program="b"), good(program="a"))
    (place / "more.yml").write_text(good(program="c"))

    assert ["a", "b", "c"] == [program.name for program in load(place).programs]


def test_other_files_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    place = folder(tmp_path, good())
    (place / "README.md").write_text("[")
    (place / ".creator.yaml").write_text("[")
    (place / "inner.yaml").mkdir()

    assert 1 == len(load(place).programs)


def test_effective_is_unbounded_where_absent_or_null(tmp_path: Path) -> None:
    for effective in (None, "{}", "{from: null, until: null}"):
        version = only_version(tmp_path, effective=effective)
        assert (None, None) == (version.from_ms, version.until_ms)


def test_effective_takes_times_with_any_offset(tmp_path: Path) -> None:
    version = only_version(
        tmp_path, effective="{from: 2026-01-01T01:00:00+01:00, until: 2026-01-02T00:00:00.0019Z}"
    )

    assert (JANUARY, JANUARY + DAY + 1) == (version.from_ms, version.until_ms)


def test_an_open_until_is_the_next_versions_from(tmp_path: Path) -> None:
    program = only_program(
        tmp_path,
        good(version="1", effective="{from: 2026-01-02T00:00:00Z}"),
        good(version="2"),
    )

    spans = [(version.number, version.from_ms, version.until_ms) for version in program.versions]
    assert [(2, None, JANUARY + DAY), (1, JANUARY + DAY, None)] == spans


def test_counts_may_start_before_from(tmp_path: Path) -> None:
    version = only_version(
        tmp_path, effective="{from: 2026-01-02T00:00:00Z}", count_from="2026-01-01T00:00:00Z"
    )

    assert JANUARY == version.count_from_ms


def test_regions_are_a_list_or_all_and_no_is_norway(tmp_path: Path) -> None:
    assert frozenset({"NO", "SE"}) == only_version(tmp_path, regions="[NO, SE]").regions
    assert only_version(tmp_path, regions="all").regions is None


def test_campaigns_are_any_where_absent(tmp_path: Path) -> None:
    assert frozenset({"acme-24", "Été"}) == only_version(tmp_path, campaigns="[acme-24, Été]").campaigns
    assert only_version(tmp_path).campaigns is None


@pytest.mark.parametrize("subject", ["creator", "video"])
def test_a_subject_is_a_creator_or_a_video(tmp_path: Path, subject: str) -> None:
    assert subject == only_program(tmp_path, good(subject=subject)).subject


@pytest.mark.parametrize(
    ("written", "window"),
    [
        ("{rolling: 24h, step: 1m}", Rolling(DAY, MINUTE)),
        ("{rolling: 10s, step: 10s}", Rolling(10 * SECOND, 10 * SECOND)),
        ("{rolling: 10000s, step: 1s}", Rolling(10_000 * SECOND, SECOND)),
        ("{tumbling: 1h}", Tumbling(HOUR)),
        ("{calendar: day, timezone: America/New_York}", Calendar(Period("day", "America/New_York"))),
        ("{calendar: week}", Calendar(Period("week", "UTC"))),
        ("{calendar: month}", Calendar(Period("month", "UTC"))),
        ("{lifetime: true}", Lifetime()),
    ],
)
def test_a_window_is_rolling_tumbling_calendar_or_lifetime(
    tmp_path: Path, written: str, window: Window
) -> None:
    assert window == only_version(tmp_path, window=written).window


@pytest.mark.parametrize(
    ("rolling", "step_ms"),
    [
        ("100s", SECOND),
        ("1000s", 10 * SECOND),
        ("101m", MINUTE),
        ("24h", 10 * MINUTE),
        ("30d", HOUR),
        ("100d", DAY),
        ("365d", DAY),
        ("9999s", SECOND),
        ("10000d", DAY),
    ],
)
def test_the_default_step_is_the_largest_that_divides_and_is_at_most_a_hundredth(
    tmp_path: Path, rolling: str, step_ms: int
) -> None:
    window = only_version(tmp_path, window=f"{{rolling: {rolling}}}").window

    assert isinstance(window, Rolling)
    assert step_ms == window.step_ms


def test_a_line_narrows_its_topic_and_a_topic_without_one_counts_all(tmp_path: Path) -> None:
    version = only_version(
        tmp_path,
        count="{views: {min_watch: 5s, sources: [for_you, q], paid: false, exclude_self: true}, likes: {paid: true}}",
    )

    assert Line(5 * SECOND, frozenset({"for_you", "q"}), False, True) == version.line("views")
    assert Line(paid=True) == version.line("likes")
    assert EVERYTHING == version.line("shares")


@pytest.mark.parametrize(
    "count", ["{}", "{views: {}}", "{views: {min_watch: 0s, exclude_self: false}, likes: {}}"]
)
def test_a_line_that_narrows_nothing_is_the_same_as_none(tmp_path: Path, count: str) -> None:
    assert only_version(tmp_path) == only_version(tmp_path, count=count)


def test_lines_are_equal_by_meaning(tmp_path: Path) -> None:
    one = only_version(
        tmp_path, regions="[US, GB]", count="{views: {min_watch: 60s, sources: [a, b], exclude_self: false}}"
    )
    two = only_version(tmp_path, regions="[GB, US]", count="{views: {min_watch: 1m, sources: [b, a]}}")

    assert one == two


@pytest.mark.parametrize(
    ("written", "at_most"),
    [
        ("{per_viewer: 1}", AtMost(1, "video", Period("day", "UTC"))),
        (
            "{per_viewer: 3, of: creator, per: week, timezone: Asia/Kolkata}",
            AtMost(3, "creator", Period("week", "Asia/Kolkata")),
        ),
    ],
)
@pytest.mark.parametrize("topic", TOPICS)
def test_at_most_is_of_a_video_and_a_utc_day_where_nothing_else_is_said(
    tmp_path: Path, topic: Topic, written: str, at_most: AtMost
) -> None:
    version = only_version(tmp_path, count=f"{{{topic}: {{at_most: {written}}}}}")

    assert {topic: Line(at_most=at_most)} == version.lines


@pytest.mark.parametrize(
    ("when", "compiled"),
    [
        ("{views: 1}", AtLeast("views", 1)),
        ("{views: 1, likes: 2}", All((AtLeast("views", 1), AtLeast("likes", 2)))),
        ("{comments: 3, any: [{shares: 4}]}", All((AtLeast("comments", 3), Any((AtLeast("shares", 4),))))),
        (
            "{all: [{views: 1}, {any: [{likes: 2}, {shares: 3, comments: 4}]}]}",
            All(
                (
                    AtLeast("views", 1),
                    Any((AtLeast("likes", 2), All((AtLeast("shares", 3), AtLeast("comments", 4))))),
                )
            ),
        ),
        ("{watch_hours: 1}", AtLeast("watch_hours", HOUR)),
        ("{watch_hours: 0.1}", AtLeast("watch_hours", 360_000)),
        ('{watch_hours: "0.0000001"}', AtLeast("watch_hours", 1)),
        ("{views: 9223372036854775807}", AtLeast("views", 2**63 - 1)),
    ],
)
def test_keys_in_one_mapping_must_all_hold_and_all_and_any_nest(
    tmp_path: Path, when: str, compiled: Condition
) -> None:
    assert compiled == condition(tmp_path, when)


def test_conditions_nest_deeply(tmp_path: Path) -> None:
    depth = 45
    found = condition(tmp_path, "{all: [" * depth + "{views: 1}" + "]}" * depth)

    for _ in range(depth):
        assert isinstance(found, All)
        (found,) = found.parts
    assert AtLeast("views", 1) == found


def test_thresholds_and_reward_are_carried_as_written(tmp_path: Path) -> None:
    tiers = """
  - name: a
    when: {views: 10, watch_hours: 0.30, any: [{watch_hours: "1.50"}, {watch_hours: 2}]}
    reward: {amount: "5.00", currency: USD}"""
    (tier,) = only_version(tmp_path, tiers=tiers).tiers

    assert {
        "views": 10,
        "watch_hours": Decimal("0.30"),
        "any": [{"watch_hours": "1.50"}, {"watch_hours": 2}],
    } == tier.thresholds
    assert {"amount": "5.00", "currency": "USD"} == tier.reward


def test_award_is_once_where_nothing_is_said(tmp_path: Path) -> None:
    assert Once() == only_program(tmp_path, good()).award
    assert Once() == only_program(tmp_path, good(award="once")).award


@pytest.mark.parametrize("window", ["{tumbling: 1h}", "{calendar: month}"])
def test_once_per_window_goes_with_tumbling_and_calendar_windows(tmp_path: Path, window: str) -> None:
    assert OncePerWindow() == only_program(tmp_path, good(window=window, award="once_per_window")).award


def test_once_per_goes_with_rolling_windows_and_has_a_timezone_of_its_own(tmp_path: Path) -> None:
    assert OncePer(Period("week", "UTC")) == only_program(tmp_path, good(award="{once_per: week}")).award
    award = "{once_per: day, timezone: Asia/Kolkata}"
    assert OncePer(Period("day", "Asia/Kolkata")) == only_program(tmp_path, good(award=award)).award


@pytest.mark.parametrize(
    "window", ["{rolling: 1h, step: 1m}", "{tumbling: 1h}", "{calendar: day}", "{lifetime: true}"]
)
def test_once_goes_with_every_window(tmp_path: Path, window: str) -> None:
    assert 1 == len(loaded(tmp_path, good(window=window, award="once")).programs)


def test_a_gap_between_versions_is_a_warning(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        good(effective="{until: 2026-01-01T00:00:00Z}"),
        good(version="2", effective="{from: 2026-01-02T00:00:00Z}"),
    )

    since = "2026-01-01T00:00:00Z"
    assert [f"creator.yaml:15: effective.from: nothing is in force from {since} until this time"] == [
        str(warning) for warning in found.warnings
    ]


def test_versions_that_follow_one_another_without_a_gap_need_no_warning(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        good(effective="{until: 2026-01-01T00:00:00Z}"),
        good(version="2", effective="{from: 2026-01-01T00:00:00Z}"),
    )

    assert () == found.warnings
