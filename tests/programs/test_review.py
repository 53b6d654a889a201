"""What ``bonus check`` warns of: allowed, but probably not what was meant."""

import re
import time
from pathlib import Path

import pytest

from stream.errors import InputError
from stream.programs import review
from tests.programs.folders import folder, good

JANUARY, FEBRUARY = "{from: 2026-01-01T00:00:00Z}", "{from: 2026-02-01T00:00:00Z}"
FEBRUARY_MS = 1_769_904_000_000
DAY_MS = 86_400_000


def tiers(*whens: str, reward: str = '{amount: "5.00", currency: USD}') -> str:
    """Tiers named a, b, …, the lowest first."""
    listed = (
        f"{{name: {name}, when: {when}, reward: {reward}}}" for name, when in zip("abcd", whens, strict=False)
    )
    return f"[{', '.join(listed)}]"


def warnings(place: Path, *, retention_days: int | None = None) -> list[str]:
    retention_ms = None if retention_days is None else retention_days * DAY_MS
    return [str(warning) for warning in review(place, FEBRUARY_MS, retention_ms=retention_ms)[1]]


@pytest.mark.parametrize(
    "whens",
    [
        ("{views: 1000}", "{views: 1000}"),
        ("{views: 1000}", "{views: 100}"),
        ("{views: 1000, likes: 10}", "{views: 1000}"),
        ("{views: 1000}", "{any: [{views: 1000}, {likes: 10}]}"),
        ("{watch_hours: 1.5}", '{watch_hours: "1.50"}'),
    ],
)
def test_a_tier_that_asks_no_more_than_one_before_it(tmp_path: Path, whens: tuple[str, str]) -> None:
    assert [
        "creator.yaml:6: tiers[1].when: b asks no more than a before it: whoever reaches a reaches both"
    ] == warnings(folder(tmp_path, good(tiers=tiers(*whens))))


@pytest.mark.parametrize(
    "whens",
    [
        ("{views: 1000}", "{views: 1001}"),
        ("{views: 1000}", "{likes: 10}"),
        ("{views: 1000}", "{views: 1000, likes: 10}"),
        ("{any: [{views: 1000}, {likes: 10}]}", "{views: 1000}"),
    ],
)
def test_tiers_that_ask_more_or_something_else_are_no_doubt(tmp_path: Path, whens: tuple[str, str]) -> None:
    assert [] == warnings(folder(tmp_path, good(tiers=tiers(*whens))))


def test_a_tier_out_of_order_is_told_once_however_many_ask_more(tmp_path: Path) -> None:
    (warning,) = warnings(folder(tmp_path, good(tiers=tiers("{views: 9}", "{views: 10}", "{views: 1}"))))

    assert "tiers[2].when: c asks no more than b before it" in warning


@pytest.mark.parametrize(
    "changed_tier",
    [tiers("{likes: 1000}"), tiers("{views: 1000}", reward='{amount: "5.00", currency: EUR}')],
)
def test_a_tiers_name_that_means_something_else_in_the_version_before(
    tmp_path: Path, changed_tier: str
) -> None:
    first = good(effective=JANUARY, tiers=tiers("{views: 1000}"))
    second = good(version="2", effective=FEBRUARY, tiers=changed_tier)

    assert [
        "creator.yaml:14: tiers[0].name: a means something else in version 1, and whoever got it there is not "
        "paid here: give it a name of its own"
    ] == warnings(folder(tmp_path, first, second))


def test_a_threshold_or_amount_that_changes_is_a_policy(tmp_path: Path) -> None:
    first = good(effective=JANUARY, tiers=tiers("{views: 1000}"))
    lower = tiers("{views: 500}", reward='{amount: "6.00", currency: USD}')

    assert [] == warnings(folder(tmp_path, first, good(version="2", effective=FEBRUARY, tiers=lower)))


def test_a_line_for_a_topic_that_no_tier_names(tmp_path: Path) -> None:
    place = folder(tmp_path, good(count="{views: {paid: false}, likes: {paid: false}, shares: {}}"))

    assert ["creator.yaml:7: count.likes: narrows what no tier names"] == warnings(place)


def test_two_programmes_that_differ_in_their_names_only(tmp_path: Path) -> None:
    place = folder(
        tmp_path,
        good(program="rewards", regions="[US, GB]", effective=JANUARY),
        good(program="rewards", version="2", regions="[US]", effective=FEBRUARY),
        other=good(program="treats", version="7", regions="[GB, US]", effective=JANUARY)
        + "---\n"
        + good(program="treats", version="8", regions="[US]", effective=FEBRUARY),
        third=good(program="third"),
    )

    assert ["other.yaml:1: program: says the same as rewards (creator.yaml:1): both pay"] == warnings(place)


@pytest.mark.parametrize(
    ("window", "effective", "longest_days"),
    [
        ("{rolling: 28d}", JANUARY, 28),
        ("{tumbling: 36h}", JANUARY, 2),
        ("{calendar: day}", JANUARY, 1),
        ("{calendar: week}", "{from: 2026-01-05T00:00:00Z}", 7),
        ("{calendar: month}", JANUARY, 31),
        ("{lifetime: true}", "{from: 2026-01-01T00:00:00Z, until: 2026-01-31T00:00:00Z}", 30),
    ],
)
def test_a_window_longer_than_the_topics_keep_their_records(
    tmp_path: Path, window: str, effective: str, longest_days: int
) -> None:
    place = folder(tmp_path, good(window=window, effective=effective, award="once"))

    assert [] == warnings(place)
    assert [] == warnings(place, retention_days=longest_days)
    (warning,) = warnings(place, retention_days=longest_days - 1)
    assert warning.startswith("creator.yaml:5: window: is longer than the topics keep their records")


def test_a_lifetime_reaches_back_to_where_its_count_carries_on_from_and_has_no_end_without_until(
    tmp_path: Path,
) -> None:
    first = good(window="{lifetime: true}", effective=JANUARY)
    second = good(
        version="2",
        window="{lifetime: true}",
        effective="{from: 2026-02-01T00:00:00Z, until: 2026-02-11T00:00:00Z}",
    )

    assert 1 == len(warnings(folder(tmp_path / "both", first, second), retention_days=40))
    assert [] == warnings(folder(tmp_path / "both", first, second), retention_days=41)
    assert 1 == len(warnings(folder(tmp_path / "first", first), retention_days=9999))


def test_a_new_version_whose_from_is_past_is_told_beside_what_is_loaded(tmp_path: Path) -> None:
    deployed = folder(tmp_path / "deployed", good(effective=JANUARY))
    with_second = folder(tmp_path / "new", good(effective=JANUARY), good(version="2", effective=FEBRUARY))

    def told(now_ms: int) -> list[str]:
        return [str(warning) for warning in review(with_second, now_ms, against=deployed)[1]]

    assert [] == told(FEBRUARY_MS - 1)
    assert [
        "creator.yaml:15: effective.from: 2026-02-01T00:00:00Z is past: a running worker counts for this version "
        "only from what it reads once it has loaded it"
    ] == told(FEBRUARY_MS)
    assert [] == [str(warning) for warning in review(with_second, FEBRUARY_MS, against=with_second)[1]]


def test_a_change_to_a_loaded_version_is_a_mistake_with_its_place(tmp_path: Path) -> None:
    deployed = folder(
        tmp_path / "deployed", good(program="a"), good(program="b"), good(program="b", version="2")
    )
    with pytest.raises(InputError, match="overlaps"):
        review(folder(tmp_path / "new", good()), 0, against=deployed)
    deployed = folder(
        tmp_path / "deployed",
        good(program="a"),
        good(program="b", effective=JANUARY),
        good(program="b", version="2", effective=FEBRUARY),
    )
    new = folder(
        tmp_path / "new", good(program="a", regions="all"), other=good(program="b", effective=JANUARY)
    )
    with pytest.raises(InputError) as told:
        review(new, 0, against=deployed)

    assert [
        "creator.yaml:1: a version 1 is loaded already, but its regions changed: only effective.until may; "
        "make the change a new version",
        "other.yaml:1: b version 2 is loaded already, but its document is missing: put it back, and end it with "
        "effective.until if it is to stop",
    ] == str(told.value).splitlines()


MONTH = "{calendar: month, timezone: Asia/Tokyo}"


def dated(effective: str, window: str = MONTH) -> str:
    """A programme that pays once a window, with these dates."""
    return good(effective=effective, window=window, award="once_per_window")


def test_dates_that_cut_calendar_windows_in_two(tmp_path: Path) -> None:
    place = folder(tmp_path, dated("{from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z}"))

    assert [
        "creator.yaml:7: effective.from: lies within a window, which is not judged: the first that is begins "
        "2026-01-31T15:00:00Z",
        "creator.yaml:7: effective.until: lies within a window, which is judged to its end: events before "
        "2026-02-28T15:00:00Z may pay",
    ] == warnings(place)


@pytest.mark.parametrize(
    ("effective", "window"),
    [
        ("{from: 2026-01-15T00:00:00Z, until: 2026-01-20T00:00:00Z}", MONTH),
        ("{from: 2026-01-01T00:30:00Z, until: 2026-01-01T00:50:00Z}", "{tumbling: 1h}"),
        ("{from: 9999-12-31T12:00:00Z}", "{calendar: day}"),
    ],
)
def test_dates_between_which_no_window_begins(tmp_path: Path, effective: str, window: str) -> None:
    assert [
        "creator.yaml:7: effective: no window begins between from and until: nothing is ever judged"
    ] == warnings(folder(tmp_path, dated(effective, window)))


@pytest.mark.parametrize(
    ("effective", "window"),
    [
        ("{from: 2025-12-31T15:00:00Z, until: 2026-01-31T15:00:00Z}", MONTH),
        ("{from: 2026-01-01T07:00:00Z}", "{tumbling: 1h}"),
        ("{until: null}", MONTH),
        ("{until: 9999-12-31T12:00:00Z}", "{calendar: day}"),
    ],
)
def test_dates_at_which_windows_begin_are_no_doubt(tmp_path: Path, effective: str, window: str) -> None:
    assert [] == warnings(folder(tmp_path, dated(effective, window)))


def test_an_award_left_out_beside_windows_that_begin_anew(tmp_path: Path) -> None:
    left_out, meant = good(window="{tumbling: 1h}"), good(program="b", window="{tumbling: 1h}", award="once")

    assert [
        "creator.yaml:1: award: is absent, which means once and for good: write once_per_window, or once if that is "
        "meant"
    ] == warnings(folder(tmp_path, left_out, b=meant.replace("1000", "999")))


def test_a_new_version_whose_line_counts_anew(tmp_path: Path) -> None:
    tiers_of_both = tiers("{views: 10, likes: 1}")
    first = good(effective=JANUARY, tiers=tiers_of_both)
    second = good(version="2", effective=FEBRUARY, tiers=tiers_of_both, count="{views: {paid: false}}")
    before = folder(tmp_path / "before", first)

    _, found = review(folder(tmp_path / "after", first, second), FEBRUARY_MS - 1, before)

    assert [
        "creator.yaml:16: count.views: differs from version 1, so it counts from 2026-02-01T00:00:00Z on, and "
        "windows are whole from 2026-02-02T00:00:00Z on: count_from starts it earlier"
    ] == list(map(str, found))


def test_a_line_that_counts_anew_in_a_window_that_is_never_whole(tmp_path: Path) -> None:
    first = good(effective=JANUARY)
    second = good(version="2", effective="{from: 9999-12-31T12:00:00Z}", count="{views: {paid: false}}")
    before = folder(tmp_path / "before", first)

    _, found = review(folder(tmp_path / "after", first, second), FEBRUARY_MS, before)

    assert [
        "creator.yaml:16: count.views: differs from version 1, so it counts from 9999-12-31T12:00:00Z on, and no "
        "window is whole: count_from starts it earlier"
    ] == list(map(str, found))


@pytest.mark.parametrize(
    "second",
    [
        good(version="2", effective=FEBRUARY),
        good(
            version="2",
            effective=FEBRUARY,
            count_from="2026-01-31T00:00:00Z",
            count="{views: {paid: false}}",
        ),
        good(version="2", effective=FEBRUARY, regions="[DE]"),
    ],
)
def test_a_line_that_carries_on_or_starts_where_it_is_meant_to_is_no_doubt(
    tmp_path: Path, second: str
) -> None:
    first = good(effective=JANUARY)
    before = folder(tmp_path / "before", first)

    assert [] == review(folder(tmp_path / "after", first, second), FEBRUARY_MS - 1, before)[1]


def test_a_gap_is_among_the_warnings_which_stand_by_file_and_line(tmp_path: Path) -> None:
    place = folder(
        tmp_path,
        good(effective="{until: 2026-01-01T00:00:00Z}", tiers=tiers("{views: 2}", "{views: 1}")),
        good(version="2", effective=FEBRUARY),
        b=good(program="b", count="{likes: {paid: true}}"),
    )

    assert ["b.yaml:7", "creator.yaml:6", "creator.yaml:15"] == [
        line.split(": ")[0] for line in warnings(place)
    ]


def test_a_file_full_of_tiers_is_looked_at_in_little_time(tmp_path: Path) -> None:
    listed = ", ".join(
        f'{{name: t{at}, when: {{views: {at}}}, reward: {{amount: "1", currency: USD}}}}'
        for at in range(1, 1501)
    )
    started = time.process_time()

    assert [] == warnings(folder(tmp_path, good(tiers=f"[{listed}]")))
    assert time.process_time() - started < 30


def test_the_warnings_of_the_reference_are_those_that_are_told() -> None:
    project = Path(__file__).parents[2]
    reference = (project / "docs" / "programmes.md").read_text(encoding="utf-8")
    source = (project / "stream" / "programs" / "doubts.py").read_text(encoding="utf-8")
    table = reference[reference.index("| nothing is in force from … |") :]
    _, *rows = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)

    assert source.count(".source.mistake(") == len(rows)
    for words in rows:
        assert all(part.strip() in source for part in words.split("…")), words
