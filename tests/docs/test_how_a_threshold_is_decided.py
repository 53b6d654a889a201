"""The examples of the page: each programme, run over the log below it, decides what the page says."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.instants import instant_ms
from stream.backtest import run_over_files
from stream.core.rules import Limits

PAGE = Path(__file__).parents[2] / "docs" / "how-a-threshold-is-decided.md"
TEXT = PAGE.read_text(encoding="utf-8")
HEADER = "| record | occurred | arrives | decided |"
EXAMPLE = re.compile(rf"```yaml\n(.*?)```\n\n{re.escape(HEADER)}\n\|[-|]+\n((?:\|[^\n]*\n)+)", re.DOTALL)
TURNED_AWAY = ("late", "clock_error")


class Row(NamedTuple):
    """A row of a log, its cells as they are written."""

    record: str
    occurred: str
    arrives: str
    decided: str

    def line(self, number: int) -> dict[str, object]:
        """The row as a line of a file; its offset is its number."""
        kind, *given = self.record.split()
        line: dict[str, object] = {
            "type": kind.removeprefix("un"),
            "event_id": f"e{number}",
            "creator_id": "ada",
            "video_id": "v1",
            "viewer_id": "bob",
            "region": "US",
            "occurred_at": instant(self.occurred),
            "timestamp": instant_ms(instant(self.arrives or self.occurred)),
        }
        if kind.startswith("un"):
            line["action"] = "remove"
        for key, _, value in (entry.partition("=") for entry in given):
            match key:
                case "viewer":
                    line["viewer_id"] = value
                case "watch_ms":
                    line[key] = int(value)
                case "added_at":
                    line[key] = instant(value)
                case _:
                    line[key] = value
        return line

    def code(self) -> str | None:
        """The code in backticks that the row starts with, if it does."""
        found = re.match(r"`(late|clock_error|duplicate)`", self.decided)
        return found[1] if found else None

    def tiers(self) -> list[str]:
        return re.findall(r"\*\*(.+?)\*\*", self.decided)


class Example(NamedTuple):
    """A programme and its log."""

    programs: str
    rows: list[Row]


def instant(written: str) -> str:
    """RFC 3339 of a time of day, on 1 January 2026 where no day is given."""
    day, _, time = written.rpartition(" ")
    return f"{day or '2026-01-01'}T{time}Z"


def examples() -> dict[str, Example]:
    """The page's examples by the name of their programme: a YAML block, then a table."""
    found = {}
    for programs, table in EXAMPLE.findall(TEXT):
        rows = [Row(*(cell.strip() for cell in line[1:-1].split("|"))) for line in table.splitlines()]
        found[programs.split()[1]] = Example(programs, rows)
    return found


@pytest.mark.parametrize("name", examples())
def test_an_example_of_the_page_decides_what_the_page_says(name: str, tmp_path: Path) -> None:
    programs, rows = examples()[name]
    lines = [row.line(number) for number, row in enumerate(rows)]
    (tmp_path / "a.yaml").write_text(programs, encoding="utf-8")
    log, out, rejected = tmp_path / "log", tmp_path / "out", tmp_path / "rejected"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")

    summary = run_over_files(tmp_path, [log], out, rejected, Limits(), progress=False)

    bonuses = [json.loads(line) for line in out.read_text().splitlines()]
    turned_away = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert [(number, tier) for number, row in enumerate(rows) for tier in row.tiers()] == [
        (bonus["evidence"]["offset"], bonus["tier"]) for bonus in bonuses
    ]
    codes = [row.code() for row in rows]
    assert {number: code for number, code in enumerate(codes) if code in TURNED_AWAY} == {
        line["line"] - 1: line["error"] for line in turned_away
    }
    assert codes.count("duplicate") == summary.duplicates


def test_no_example_is_left_out() -> None:
    assert TEXT.count("```yaml") == TEXT.count(HEADER) == len(examples())
    assert all(any(row.tiers() for row in rows) for _, rows in examples().values())
