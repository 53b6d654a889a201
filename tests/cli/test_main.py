"""The command as people call it: exit codes, sentences on stderr, help that teaches."""

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from stream.cli import main as cli
from stream.cli.backtest import each_file_named
from stream.errors import InputError

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "stream" / "demo" / "programs"
GOOD = """
program: p
version: 1
effective: {from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z}
regions: [US, DE]
subject: creator
window: {rolling: 24h, step: 1m}
tiers: [{name: bronze, when: {views: 10}, reward: {amount: "1.00", currency: USD}}]
"""
GAP = """
---
program: p
version: 2
effective: {from: 2026-02-28T23:00:00Z}
regions: [US, DE]
subject: creator
window: {calendar: month, timezone: Europe/Berlin}
tiers: [{name: bronze, when: {views: 10}, reward: {amount: "1.00", currency: USD}}]
award: once
"""


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def bonus(*arguments: str, **environment: str) -> Ended:
    """Run ``bonus`` as a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BONUS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "stream.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean, **environment},
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def folder(path: Path, **files: str) -> str:
    for name, content in files.items():
        (path / f"{name}.yaml").write_text(content)
    return str(path)


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "worker",
        "check",
        "backtest",
        "explain",
        "migrate",
        "topics create",
        "programs apply",
        "programs show",
    ],
)
def test_help_of_every_command_shows_an_example(command: str) -> None:
    ended = bonus(*command.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"\n  bonus {command} " in ended.out
    assert " range>" not in ended.out  # what is a number has the metavar N


def test_bare_bonus_shows_the_commands_and_is_a_usage_error() -> None:
    ended = bonus()
    assert ended.code == 2
    listed = re.findall(r"^  ([a-z]+)  ", ended.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == ["demo", "check", "backtest", "worker", "explain", "migrate", "topics", "programs"]
    assert "See it run:         bonus demo" in ended.out
    assert "..." not in ended.out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nope"], "No such command 'nope'. See bonus --help."),
        (["chekc"], "No such command 'chekc'. Did you mean 'check'? See bonus --help."),
        (["topics", "creat"], "Did you mean 'create'? See bonus topics --help."),
        (["check", "programs", "--against"], "requires an argument. See bonus check --help."),
        (["check", ""], "'DIR': expected a path, found nothing. See bonus check --help."),
        (
            ["programs", "apply", ""],
            "'DIR': expected a path, found nothing. See bonus programs apply --help.",
        ),
        (["worker", "--programs", ""], "'--programs': expected a path, found nothing."),
        (["worker"], "--programs (or BONUS_PROGRAMS) is needed."),
        (
            ["worker", "--programs", "p", "--topic-lag", "5"],
            "--topic-lag (BONUS_TOPIC_LAG): expected a duration",
        ),
        (["check"], "Missing argument 'DIR'. See bonus check --help."),
        (["demo", "--rate", "0"], "Invalid value for '--rate'"),
        (["backtest", "--programs", "p", "--out", "o"], "either --events FILE... or --kafka HOST:PORT"),
        (
            ["backtest", "--programs", "p", "--events", "--out", "o"],
            "--events: expected a file, found --out.",
        ),
        (["topics", "create", "--partitions", "none"], "Invalid value for '--partitions'"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_2(arguments: list[str], sentence: str) -> None:
    ended = bonus(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("command", [["topics", "create"], ["worker", "--programs", str(SAMPLES)]])
def test_an_unreachable_kafka_is_one_sentence_and_3(command: list[str]) -> None:
    ended = bonus(*command, "--kafka", "127.0.0.1:1", "--connect-timeout", "500ms", BONUS_LOG_LEVEL="error")
    assert ended.code == 3, ended.err
    assert "127.0.0.1:1" in ended.err
    assert "Traceback" not in ended.err


def test_check_tells_every_mistake_at_once_by_file_line_and_field(tmp_path: Path) -> None:
    ended = bonus(
        "check", folder(tmp_path, a=GOOD.replace("creator\n", "viewer\n"), b="program: [", c="x: 1")
    )
    assert (ended.code, ended.out) == (1, "")
    assert any(line.startswith("a.yaml:6: subject: ") for line in ended.err.splitlines())
    assert {line.partition(":")[0] for line in ended.err.splitlines()} == {"a.yaml", "b.yaml", "c.yaml"}


def test_check_shows_versions_tiers_and_warnings(tmp_path: Path) -> None:
    ended = bonus("check", folder(tmp_path, a=GOOD + GAP))
    assert ended.code == 0
    assert [" ".join(line.split()) for line in ended.out.splitlines()[1:]] == [
        "p 1 over 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z DE,US creator rolling 1d by 1m once bronze",
        "p 2 in force 2026-02-28T23:00:00Z - DE,US creator month in Europe/Berlin once bronze",
    ]
    (warning,) = ended.err.splitlines()
    assert warning.startswith("warning: a.yaml:")


def test_check_strict_takes_warnings_for_mistakes(tmp_path: Path) -> None:
    assert bonus("check", "--strict", folder(tmp_path, a=GOOD + GAP)).code == 1
    assert bonus("check", "--strict", str(SAMPLES)).code == 0


def test_several_files_may_follow_one_events_option() -> None:
    given = ["backtest", "--events", "a", "b", "--out", "o", "--events=c", "d"]
    spread = ["backtest", "--events", "a", "--events", "b", "--out", "o", "--events=c", "--events", "d"]
    assert each_file_named(given) == spread


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (InputError("The folder is empty."), 1, "The folder is empty.\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            RuntimeError("oh"),
            1,
            "This is a bug in bonus: RuntimeError: oh. Set BONUS_LOG_LEVEL=debug to see where.\n",
        ),
    ],
)
def test_whatever_is_raised_ends_without_a_traceback(
    raised: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise raised

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.delenv("BONUS_LOG_LEVEL", raising=False)
    assert cli.run_command([]) == code
    assert capsys.readouterr().err == said


def test_ctrl_c_while_the_command_is_being_loaded_is_130(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    ended = subprocess.run(
        [sys.executable, "-c", "from stream.cli.start import main; main()", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_the_installed_command_begins_where_ctrl_c_is_caught() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["scripts"] == {"bonus": "stream.cli.start:main"}
