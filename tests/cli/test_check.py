"""``bonus check``: what is told about programmes, and how it ends."""

import os
from pathlib import Path

import pytest

from stream.cli.main import run_command
from tests.cli.test_main import GAP, GOOD, Ended, bonus, folder

TWICE = GOOD.replace("program: p", "program: q")


def made(place: Path, **files: str) -> str:
    place.mkdir()
    return folder(place, **files)


def warned(ended: Ended) -> list[str]:
    return [line.removeprefix("warning: ") for line in ended.err.splitlines() if line.startswith("warning: ")]


def test_warnings_are_told_and_end_a_strict_check_with_1(tmp_path: Path) -> None:
    place = folder(tmp_path, a=GOOD + GAP, b=TWICE + GAP.replace("program: p", "program: q"))

    lenient, strict = bonus("check", place), bonus("check", place, "--strict")

    assert 0 == lenient.code
    assert [
        "a.yaml:13: effective.from: nothing is in force from 2026-02-01T00:00:00Z until this time",
        "b.yaml:2: program: says the same as p (a.yaml:2): both pay",
        "b.yaml:13: effective.from: nothing is in force from 2026-02-01T00:00:00Z until this time",
    ] == warned(lenient)
    assert (1, "", warned(lenient)) == (strict.code, strict.out, strict.err.splitlines())


def test_a_folder_is_held_against_the_one_that_is_loaded(tmp_path: Path) -> None:
    deployed = made(tmp_path / "deployed", a=GOOD)
    new = made(tmp_path / "new", a=GOOD.replace("views: 10", "views: 9"), b=TWICE)
    late = made(tmp_path / "late", a=GOOD, b=TWICE)

    refused, accepted = (
        bonus("check", new, "--against", deployed),
        bonus("check", late, "--against", deployed),
    )

    assert (1, "") == (refused.code, refused.out)
    assert refused.err.startswith("a.yaml:2: p version 1 is loaded already, but its tiers changed: ")
    assert 0 == accepted.code
    assert any(
        line.startswith("b.yaml:4: effective.from: 2026-01-01T00:00:00Z is past") for line in warned(accepted)
    )


def test_a_missing_folder_to_hold_against_is_told(tmp_path: Path) -> None:
    ended = bonus("check", folder(tmp_path, a=GOOD), "--against", str(tmp_path / "nowhere"))

    assert (
        1,
        f"There is no folder {tmp_path}/nowhere: give one that holds the programmes' YAML files.\n",
    ) == (
        ended.code,
        ended.err,
    )


def test_windows_are_held_against_the_topics_retention(tmp_path: Path) -> None:
    place = folder(tmp_path, a=GOOD)

    assert [] == warned(bonus("check", place, "--retention", "24h"))
    (warning,) = warned(bonus("check", place, "--retention", "23h"))
    assert warning.startswith("a.yaml:7: window: is longer than the topics keep their records")


@pytest.mark.parametrize("written", ["7", "0s", "a week"])
def test_a_retention_that_is_no_duration_is_a_wrong_call(tmp_path: Path, written: str) -> None:
    ended = bonus("check", folder(tmp_path, a=GOOD), "--retention", written)

    assert (2, f"--retention: expected a duration such as 7d, found {written!r}.\n") == (
        ended.code,
        ended.err,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "{folder}"],
        ["check", "{folder}", "--against", "{folder}"],
        ["backtest", "--programs", "{folder}", "--events", "{folder}/a.yaml", "--out", "{folder}/out"],
    ],
)
def test_what_can_not_be_read_is_no_wrong_call(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like what is missing, it is found out by reading, and ends with 1: nothing is asked for beforehand."""
    place = folder(tmp_path, a=GOOD)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert 0 == run_command([part.format(folder=place) for part in arguments])


def test_a_folder_to_apply_that_can_not_be_read_is_no_wrong_call_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked into before Kafka is asked: what is wrong in it is told."""
    place = folder(tmp_path, a=GOOD.replace("views: 1", "views: many"))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert 1 == run_command(["programs", "apply", str(place)])
