"""Each example programme, run over the log beside it, awards exactly what was worked out by hand."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from schemas.instants import instant_ms
from stream.backtest import Summary, run_over_files
from stream.core.rules import Limits
from stream.programs import load

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in (EXAMPLES / "programs").glob("*.yaml"))
SCHEMA_LINE = "# yaml-language-server: $schema=../../schemas/generated/program.schema.json"


class Award(NamedTuple):
    """What a bonus is made of, and the offset of its evidence."""

    program: str
    version: int
    tier: str
    subject: str
    period: tuple[int | None, int | None]
    evidence: int

    @property
    def bonus_id(self) -> str:
        creator_id, _, video_id = self.subject.partition("/")
        ids = ["video", creator_id, video_id] if video_id else ["creator", creator_id]
        start = "-" if self.period[0] is None else str(self.period[0])
        return sha256("\n".join([self.program, self.tier, *ids, start]).encode()).hexdigest()[:32]


class Expected(NamedTuple):
    """What a hand-written page of awards says."""

    awards: dict[str, Award]
    duplicates: int
    turned_away: set[tuple[str, int]]


class Ran(NamedTuple):
    """What a backtest of an example came to."""

    summary: Summary
    awards: dict[str, Award]
    turned_away: set[tuple[str, int]]


def expected_of(name: str) -> Expected:
    page = yaml.load(
        (EXAMPLES / "logs" / f"{name}.expected.yaml").read_text(encoding="utf-8"), yaml.BaseLoader
    )
    awards = [
        Award(
            each["program"],
            int(each["version"]),
            each["tier"],
            each["subject"],
            (instant_ms(each["period"][0]), instant_ms(each["period"][1]))
            if "period" in each
            else (None, None),
            int(each["evidence"]),
        )
        for each in page["bonuses"]
    ]
    turned_away = {(code, int(line)) for code, lines in page.get("turned_away", {}).items() for line in lines}
    return Expected({award.bonus_id: award for award in awards}, int(page.get("duplicates", 0)), turned_away)


def backtest(name: str, place: Path) -> Ran:
    """The example's own programmes over its log, each in a file, as ``bonus backtest`` runs them."""
    programs = place / "programs"
    programs.mkdir()
    shutil.copy(EXAMPLES / "programs" / f"{name}.yaml", programs)
    log, out, rejected = EXAMPLES / "logs" / f"{name}.ndjson", place / "out.ndjson", place / "rejected.ndjson"
    summary = run_over_files(programs, [log], out, rejected, Limits(), progress=False)
    bonuses = [json.loads(line) for line in out.read_text().splitlines()]
    turned_away = [json.loads(line) for line in rejected.read_text().splitlines()]
    awards = {
        bonus["bonus_id"]: Award(
            bonus["program"],
            bonus["program_version"],
            bonus["tier"],
            _subject(bonus["creator_id"], bonus["subject"]),
            (bonus["period"]["start"], bonus["period"]["end"]),
            bonus["evidence"]["offset"],
        )
        for bonus in bonuses
    }
    assert len(awards) == len(bonuses)
    return Ran(summary, awards, {(each["error"], each["line"]) for each in turned_away})


def _subject(creator_id: str, subject: dict[str, str]) -> str:
    return f"{creator_id}/{subject['id']}" if subject["kind"] == "video" else subject["id"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_awards_exactly_what_was_worked_out_by_hand(name: str, tmp_path: Path) -> None:
    expected, ran = expected_of(name), backtest(name, tmp_path)

    assert expected.awards == ran.awards
    assert expected.duplicates == ran.summary.duplicates
    assert expected.turned_away == ran.turned_away


@pytest.mark.parametrize("name", NAMES)
def test_an_example_tells_editors_its_schema(name: str) -> None:
    path = EXAMPLES / "programs" / f"{name}.yaml"
    first, *_ = path.read_text(encoding="utf-8").splitlines()

    assert SCHEMA_LINE == first
    assert (path.parent / SCHEMA_LINE.partition("=")[2]).resolve().is_file()


@pytest.mark.parametrize("name", NAMES)
def test_every_programme_of_an_example_is_shown_to_pay_and_every_log_has_its_programme(name: str) -> None:
    text = (EXAMPLES / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
    declared = {line.removeprefix("program: ") for line in text.splitlines() if line.startswith("program: ")}

    assert declared == {award.program for award in expected_of(name).awards.values()}
    assert {f"{each}{ending}" for each in NAMES for ending in (".ndjson", ".expected.yaml")} == {
        path.name for path in (EXAMPLES / "logs").iterdir()
    }


def test_the_examples_together_are_one_folder_without_mistakes() -> None:
    assert () == load(EXAMPLES / "programs").warnings
