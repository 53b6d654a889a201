"""``bonus backtest`` over files, as people call it."""

import json
from pathlib import Path

import pytest

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
    assert ended.err == "14 lines: accepted 12, duplicates 1, not_json 1; bonuses 1.\n"
    (bonus_event,) = map(json.loads, Path(out).read_text().splitlines())
    assert bonus_event["metrics"] == {"views": 10}
    (line,) = map(json.loads, Path(rejected).read_text().splitlines())
    assert (line["error"], line["line"]) == ("not_json", 8)


def test_out_is_written_also_when_there_is_no_bonus(tmp_path: Path, programs: str) -> None:
    (tmp_path / "events").write_text(view(1))
    out = tmp_path / "out"
    ended = bonus("backtest", "--programs", programs, "--events", str(tmp_path / "events"), "--out", str(out))
    assert (ended.code, out.read_bytes()) == (0, b"")


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
