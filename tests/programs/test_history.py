"""What must hold between the versions of a programme."""

from pathlib import Path

import pytest

from tests.programs.folders import folder, good, loaded, mistakes


def version(number: int, start: str | None = None, until: str | None = None) -> str:
    """A version in force for days of January 2026, ``[start, until)``."""
    times = {"from": start, "until": until}
    inside = ", ".join(f"{key}: 2026-01-{day}T00:00:00Z" for key, day in times.items() if day)
    return good(version=str(number), effective=f"{{{inside}}}")


def test_the_same_program_and_version_twice_is_a_mistake(tmp_path: Path) -> None:
    place = folder(tmp_path, version(1), other=version(1))

    assert ["other.yaml:2: version: creator-rewards has version 1 (creator.yaml:1) already"] == mistakes(
        place
    )


def test_the_same_version_of_different_programmes_is_none(tmp_path: Path) -> None:
    assert 2 == len(loaded(tmp_path, good(program="a"), good(program="b")).programs)


@pytest.mark.parametrize(
    ("first", "second", "later"),
    [
        (version(1, "01", "10"), version(2, "09"), 15),
        (version(1, "09"), version(2, "01", "10"), 7),
        (version(1, "01"), version(2, "01"), 15),
        (version(1), version(2), 15),
        (version(1, None, "10"), version(2, None, "20"), 15),
        (version(1, "01", "31"), version(2, "10", "20"), 15),
    ],
)
def test_versions_must_not_overlap(tmp_path: Path, first: str, second: str, later: int) -> None:
    (found,) = mistakes(folder(tmp_path, first, second))

    called = "version 1 (creator.yaml:1)" if later == 15 else "version 2 (creator.yaml:9)"
    assert f"creator.yaml:{later}: effective.from: overlaps {called}: versions follow one another" == found


def test_a_version_is_held_against_all_that_started_before_it(tmp_path: Path) -> None:
    found = mistakes(folder(tmp_path, version(1, "01", "30"), version(2, "05", "10"), version(3, "20")))

    assert 2 == len(found)
    assert all("overlaps version 1 " in line for line in found)


def test_a_gap_is_told_from_the_last_end_before_it(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, version(1, "01"), version(2, "05", "10"), version(3, "10", "12"), version(4, "20")
    )

    assert [
        "creator.yaml:31: effective.from: nothing is in force from 2026-01-12T00:00:00Z until this time"
    ] == [str(warning) for warning in found.warnings]


@pytest.mark.parametrize(("key", "value"), [("subject", "video"), ("award", "{once_per: day}")])
def test_subject_and_award_may_not_change_between_versions(tmp_path: Path, key: str, value: str) -> None:
    place = folder(
        tmp_path,
        good(effective="{until: 2026-01-01T00:00:00Z}"),
        v2=good(version="2", effective="{from: 2026-01-01T00:00:00Z}", **{key: value}),
    )

    (found,) = mistakes(place)
    assert found.endswith(
        f"{key}: expected the same as in version 1 (creator.yaml:1): it may not change between versions"
    )


def test_an_award_that_is_written_out_is_the_one_that_is_not(tmp_path: Path) -> None:
    first = good(effective="{until: 2026-01-01T00:00:00Z}")
    second = good(version="2", effective="{from: 2026-01-01T00:00:00Z}", award="once")

    assert 2 == len(loaded(tmp_path, first, second).programs[0].versions)
