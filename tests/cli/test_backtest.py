"""``bonus backtest`` over files, as people call it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.backtest import Range
from stream.cli.backtest import read_range
from tests.cli.test_main import GOOD, bonus, folder


def view(number: int) -> str:
    return json.dumps(
        {
            "type": "view",
            "event_id": str(number),
            "creator_id": "c",
            "video_id": "v",
            "viewer_id": f"w{number}",
            "occurred_at": 1_768_000_000_000 + number,
            "region": "US",
        }
    )


@pytest.fixture
def programs(tmp_path: Path) -> str:
    (tmp_path / "programs").mkdir()
    return folder(tmp_path / "programs", a=GOOD)


def test_several_files_are_one_log_and_the_counts_are_told_on_stderr(tmp_path: Path, programs: str) -> None:
    first, second, out, rejected = (str(tmp_path / name) for name in ("1", "2", "out", "rejected"))
    Path(first).write_text("\n".join([*map(view, range(6)), view(0), "{"]))
    Path(second).write_text("\n".join(map(view, range(6, 12))))
    files = ["--events", first, second, "--out", out, "--rejected", rejected]
    ended = bonus("backtest", "--programs", programs, *files)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "14 lines: accepted 12, duplicates 1, not_json 1; bonuses 1."
    (bonus_event,) = map(json.loads, Path(out).read_text().splitlines())
    assert bonus_event["metrics"] == {"views": 10}
    (line,) = map(json.loads, Path(rejected).read_text().splitlines())
    assert (line["error"], line["line"]) == ("not_json", 8)


def test_out_is_written_also_when_there_is_no_bonus(tmp_path: Path, programs: str) -> None:
    (tmp_path / "events").write_text(view(1))
    out = tmp_path / "out"
    ended = bonus("backtest", "--programs", programs, "--events", str(tmp_path / "events"), "--out", str(out))
    assert (ended.code, out.read_bytes()) == (0, b"")


TIERS = """\
tiers:
  - {name: bronze, when: {views: 2}, reward: {amount: "1000.50", currency: USD}}
  - {name: silver, when: {views: 4}, reward: {amount: "0.25", currency: EUR}}
  - {name: gold, when: {views: 9}, reward: {amount: "9.00", currency: USD}}
"""


def test_what_each_tier_pays_is_told_before_the_counts_and_apart_from_the_bonuses(tmp_path: Path) -> None:
    """Also of a tier that nobody reached; currencies are never added together."""
    (tmp_path / "programs").mkdir()
    programs = folder(tmp_path / "programs", a=GOOD.partition("tiers:")[0] + TIERS)
    views = [
        json.dumps(json.loads(view(number)) | {"creator_id": f"c{number % 2}"})
        for number in range(7)  # four of c0, three of c1
    ]
    (tmp_path / "events").write_text("\n".join(views))
    files = ["--events", str(tmp_path / "events"), "--out", "/dev/stdout"]
    ended = bonus("backtest", "--programs", programs, *files)
    assert {json.loads(line)["tier"] for line in ended.out.splitlines()} == {"bronze", "silver"}
    *table, blank, counts = ended.err.splitlines()
    assert [line.split() for line in table] == [
        ["programme", "tier", "awards", "cost"],
        ["p", "bronze", "2", "2,001.00", "USD"],
        ["p", "silver", "1", "0.25", "EUR"],
        ["p", "gold", "0", "0"],
        ["in", "all", "3", "0.25", "EUR"],
        ["2,001.00", "USD"],
    ]
    assert (blank, counts) == ("", "7 lines: accepted 7, duplicates 0; bonuses 3.")


def test_what_was_turned_away_and_a_file_out_of_order_are_told_with_what_to_do(
    tmp_path: Path, programs: str
) -> None:
    def told(lines: list[str], *more: str) -> list[str]:
        (tmp_path / "events").write_text("\n".join(lines))
        files = ["--programs", programs, "--events", str(tmp_path / "events"), "--out", str(tmp_path / "out")]
        return [
            line for line in bonus("backtest", *files, *more).err.splitlines() if line.startswith(("L", "M"))
        ]

    why = "Lines were turned away; --rejected FILE tells why."
    order = "Most are late: lateness is judged against the largest timestamp so far, so sort a file by time."
    hour_later = [view(number) for number in (7_200_000, *range(10))]
    assert told(hour_later) == [why, order]
    assert told(hour_later, "--rejected", str(tmp_path / "rejected")) == [order]
    assert told(hour_later[:10]) == [why]
    assert told([*hour_later, *("{" for _ in range(10))]) == [why]
    assert told(hour_later[1:]) == []


def test_limits_are_options_here_too(tmp_path: Path, programs: str) -> None:
    late = json.loads(view(0)) | {"event_id": "late", "timestamp": 1_768_000_000_000 + 7_200_000}
    (tmp_path / "events").write_text(json.dumps(late))
    files = ["--events", str(tmp_path / "events"), "--out", str(tmp_path / "out")]
    assert "late 1" in bonus("backtest", "--programs", programs, *files).err
    assert "accepted 1" in bonus("backtest", "--programs", programs, *files, "--allowed-lateness", "3h").err


def test_a_missing_file_is_one_sentence_and_1(tmp_path: Path, programs: str) -> None:
    files = ["--events", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    ended = bonus("backtest", "--programs", programs, *files)
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


NEXT = GOOD.replace("views: 10", "views: 5").replace("1.00", "2.50").replace("US, DE", "US")


def test_two_folders_are_compared_as_a_table_a_page_and_a_document(tmp_path: Path, programs: str) -> None:
    (tmp_path / "events").write_text("\n".join(map(view, range(12))))
    (tmp_path / "next").mkdir()
    files = ["--programs", programs, "--events", str(tmp_path / "events"), "--out", str(tmp_path / "out")]
    files += ["--compare", folder(tmp_path / "next", a=NEXT)]
    page, document = tmp_path / "report.html", tmp_path / "report.json"
    ended = bonus("backtest", *files, "--report", str(page), "--report-json", str(document))
    assert (ended.code, ended.err) == (0, "12 lines: accepted 12, duplicates 0; bonuses 1.\n")
    rows = [line.split() for line in ended.out.splitlines()]
    assert ["p", "bronze", "1", "1", "0", "1.00", "2.50", "+1.50", "USD", "0", "0"] in rows
    assert ["USD", "1.00", "2.50", "+1.50", "+150.0%", "1", "0", "0"] in rows
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(document.read_text())["currencies"][0]["cost"]["difference"] == "1.50"


def test_a_report_that_cannot_be_written_is_told_before_the_run(tmp_path: Path, programs: str) -> None:
    (tmp_path / "events").write_text(view(1))
    files = ["--programs", programs, "--events", str(tmp_path / "events"), "--out", str(tmp_path / "out")]
    ended = bonus("backtest", *files, "--compare", programs, "--report", str(tmp_path / "no" / "report.html"))
    assert (ended.code, (tmp_path / "out").exists()) == (1, False)
    ended = bonus("backtest", *files, "--compare", programs, "--report", str(tmp_path / "out"))
    assert (ended.code, "given twice" in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "either --events FILE... or --kafka HOST:PORT"),
        (["--events", "e", "--kafka", "k:1"], "either --events FILE... or --kafka HOST:PORT"),
        (["--events", "e", "--from", "2026-01-01T00:00:00Z"], "are for --kafka"),
        (["--events", "e", "--workers", "2"], "are for --kafka"),
        (["--events", "e", "--report", "r.html"], "give a second folder with --compare"),
        (["--kafka", "k:1", "--from", "yesterday"], "--from yesterday: expected a time with its offset"),
        (["--kafka", "k:1", "--from", "views/0/x"], "--from views/0/x: expected a time"),
        (
            ["--kafka", "k:1", "--from", "2026-02-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"],
            "--from 2026-02-01T00:00:00Z must be before --to 2026-01-01T00:00:00Z: no record lies between them.",
        ),
        (["--events", ""], "'--events': expected a path, found nothing."),
        (["--kafka", "k:1", "--to", "2026-01-01"], "--to 2026-01-01: expected a time with its offset"),
    ],
)
def test_a_call_that_cannot_be_meant_is_2(
    tmp_path: Path, programs: str, given: list[str], reason: str
) -> None:
    ended = bonus("backtest", "--programs", programs, "--out", str(tmp_path / "out"), *given)
    assert (ended.code, reason in ended.err) == (2, True), ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_range_is_read_as_times_or_as_places_in_the_logs() -> None:
    assert read_range(None, None) == Range()
    assert read_range("2026-01-01T01:00:00+01:00", "2026-01-02T00:00:00Z") == Range(
        from_ms=1_767_225_600_000, to_ms=1_767_312_000_000
    )
    assert read_range("acme.views/0/120, acme.likes/11/0", None) == Range(
        from_offsets={"acme.views/0": 120, "acme.likes/11": 0}
    )


def test_sigterm_leaves_nothing_half_written(tmp_path: Path, programs: str) -> None:
    os.mkfifo(tmp_path / "events")
    files = ["--programs", programs, "--events", str(tmp_path / "events"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([sys.executable, "-m", "stream.cli.main", "backtest", *files])
    with (tmp_path / "events").open("w") as events:  # opened once the run reads it
        events.write(view(1) + "\n")
        events.flush()
        deadline_s = time.monotonic() + 30
        while not (tmp_path / ".out.partial").exists() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert (tmp_path / ".out.partial").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events", "programs"]
