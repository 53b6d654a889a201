"""Folders that can't be loaded, and the programmes that come with the project."""

import re
from pathlib import Path

import pytest

from stream.core.rules import Calendar, Lifetime, Once, OncePer, OncePerWindow, Rolling, Tumbling
from stream.errors import InputError
from stream.programs import load
from stream.programs.reader import MAX_BYTES
from tests.programs.folders import folder, good, mistakes

PROJECT = Path(__file__).parents[2]
REFERENCE = (PROJECT / "docs" / "programmes.md").read_text(encoding="utf-8")


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^There is no folder \S+/nowhere: give one that holds"):
        load(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(good())

    with pytest.raises(InputError, match=r"a\.yaml is a file: give the folder"):
        load(tmp_path / "a.yaml")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no programme: expected \*\.yaml or \*\.yml files in it"):
        load(tmp_path)


def test_files_without_any_document_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold no programme document"):
        load(folder(tmp_path, "# nothing yet\n"))


def test_a_file_that_cannot_be_read_is_told_with_the_other_mistakes(tmp_path: Path) -> None:
    place = folder(tmp_path, good(version="0"))
    (place / "a.yml").symlink_to(tmp_path / "nowhere")

    assert "a.yml:1: can't be read: No such file or directory" == mistakes(place)[0]
    assert 2 == len(mistakes(place))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    place = folder(tmp_path, "#" * (2 * MAX_BYTES))

    assert [f"creator.yaml:1: expected a file of at most {MAX_BYTES} bytes"] == mistakes(place)


def test_the_examples_load_without_a_warning_and_show_windows_awards_and_subjects() -> None:
    found = load(PROJECT / "examples" / "programs")

    versions = [version for program in found.programs for version in program.versions]
    assert () == found.warnings
    assert {Rolling, Tumbling, Calendar, Lifetime} == {type(version.window) for version in versions}
    assert {Once, OncePer, OncePerWindow} == {type(program.award) for program in found.programs}
    assert {"creator", "video"} == {program.subject for program in found.programs}


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)

    (program,) = load(folder(tmp_path, text)).programs
    assert "creator-rewards" == program.name
    assert ["bronze", "silver"] == [tier.name for tier in program.versions[0].tiers]


def test_the_mistakes_of_the_reference_are_what_is_told(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```text\n(.*?)```", REFERENCE, re.DOTALL)
    text = """program: creator-rewards
version: 1
regions: [US]
effective: {from: 2026-01-01}
subject: creator
window: {rolling: 24h}
tiers:
  - {name: bronze, when: {views: many}, reward: {amount: "5.00", currency: USD}}
awards: once
"""

    assert lines.splitlines() == mistakes(folder(tmp_path, text))
