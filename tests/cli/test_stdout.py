"""What becomes of a command whose output nobody reads, or that finds no room."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_backtest import NEXT, view
from tests.cli.test_main import GOOD, SAMPLES, folder

BUFFERED = [{}, {"PYTHONUNBUFFERED": "1"}]
NO_ROOM = "The output can't be written: No space left on device.\n"


def bonus_into(stdout: int, arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run ``bonus`` with this stdout; its exit code and what it says on stderr."""
    ended = subprocess.run(
        [sys.executable, "-m", "stream.cli.main", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    return ended.returncode, ended.stderr


def unread(arguments: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run ``bonus`` into a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return bonus_into(writer, arguments, environment or {})
    finally:
        os.close(writer)


@pytest.mark.parametrize("environment", BUFFERED)
@pytest.mark.parametrize(
    "arguments", [["check", str(SAMPLES)], ["--help"], ["check", "--help"], ["--version"]]
)
def test_a_reader_that_has_gone_is_no_failure(arguments: list[str], environment: dict[str, str]) -> None:
    assert unread(arguments, environment) == (0, "")


def test_a_comparison_that_is_not_read_to_its_end_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("\n".join(map(view, range(12))))
    for name, content in (("now", GOOD), ("next", NEXT)):
        (tmp_path / name).mkdir()
        folder(tmp_path / name, a=content)
    out = tmp_path / "out"
    files = ["--programs", str(tmp_path / "now"), "--compare", str(tmp_path / "next"), "--out", str(out)]
    assert unread(["backtest", *files, "--events", str(tmp_path / "events")]) == (0, "")
    assert [json.loads(line)["metrics"] for line in out.read_text().splitlines()] == [{"views": 10}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("environment", BUFFERED)
@pytest.mark.parametrize("arguments", [["check", str(SAMPLES)], ["--help"]])
def test_a_full_disk_is_told(arguments: list[str], environment: dict[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        assert bonus_into(full.fileno(), arguments, environment) == (1, NO_ROOM)
