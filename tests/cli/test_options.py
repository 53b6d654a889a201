"""Options made from the settings: the command line wins over the environment, which wins over defaults."""

from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stream.cli.options import UsageError, read_settings, with_settings
from stream.settings import Settings

GIVEN: list[Settings] = []
app = typer.Typer(rich_markup_mode=None)


@app.command()
@with_settings(Settings)
def command(settings: Settings, times: int = 1) -> None:
    """A command with an option of its own."""
    GIVEN.extend([settings] * times)


def called(*arguments: str) -> Settings:
    GIVEN.clear()
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return GIVEN[-1]


def test_an_option_wins_over_the_environment_and_that_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BONUS_KAFKA", "env:1")
    monkeypatch.setenv("BONUS_ALLOWED_LATENESS", "2h")
    settings = called("--programs", "p", "--kafka", "option:2")
    assert settings.kafka == "option:2"
    assert settings.allowed_lateness == timedelta(hours=2)
    assert settings.group == "bonus"
    assert settings.programs == Path("p")


def test_flags_have_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONUS_ALLOW_CREATE_TIME", "true")
    assert called("--programs", "p").allow_create_time is True
    assert called("--programs", "p", "--no-allow-create-time", "--accept-gap").allow_create_time is False
    assert called("--programs", "p", "--accept-gap").accept_gap is True


def test_a_commands_own_options_stay() -> None:
    called("--programs", "p", "--times", "3")
    assert len(GIVEN) == 3


def test_every_setting_is_an_option_with_its_variable_and_default_in_the_help() -> None:
    shown = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in shown
        assert f"env: BONUS_{name.upper()}]" in shown
        assert field.description
    assert "[default: 1h; env: BONUS_ALLOWED_LATENESS]" in shown
    assert "[default: redis://localhost:6379/0; env: BONUS_REDIS]" in shown


def test_a_missing_setting_is_asked_for_by_option_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BONUS_PROGRAMS", raising=False)
    with pytest.raises(UsageError, match=r"^--programs \(or BONUS_PROGRAMS\) is needed\.$"):
        read_settings(Settings, {"programs": None})


def test_a_wrong_setting_is_named_and_says_what_was_expected() -> None:
    with pytest.raises(UsageError, match=r"^--topic-lag \(BONUS_TOPIC_LAG\): expected a duration such as"):
        read_settings(Settings, {"programs": "p", "topic_lag": "5"})


@pytest.mark.parametrize(
    ("name", "written", "sentence"),
    [
        ("http_port", "abc", "expected an integer from 0 to 65535, found 'abc'"),
        ("http_port", "65536", "expected an integer from 0 to 65535, found '65536'"),
        ("http_port", "-1", "expected an integer from 0 to 65535, found '-1'"),
        ("max_subjects_in_memory", "5", "expected an integer of at least 1000, found '5'"),
        ("max_bytes_in_flight", "1.5", "expected an integer of at least 1048576, found '1.5'"),
        ("check_crcs", "maybe", "expected true or false, found 'maybe'"),
        ("log_level", "loud", "expected debug, info, warning or error, found 'loud'"),
        ("topic_prefix", "a b", "expected text that matches ^[A-Za-z0-9._-]{0,200}$, found 'a b'"),
        (
            "http_host",
            "here",
            "expected an address of this machine, such as 127.0.0.1 or ::1, found 'here'",
        ),
    ],
)
def test_what_was_expected_is_told_in_our_own_words(name: str, written: str, sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        read_settings(Settings, {"programs": "p", name: written})
    option = f"--{name.replace('_', '-')} (BONUS_{name.upper()})"
    assert str(told.value) == f"{option}: {sentence}."


def test_a_secret_is_in_no_error() -> None:
    with pytest.raises(UsageError) as error:
        read_settings(Settings, {"programs": "p", "sasl_plain_password": "hunter2", "kafka": "nowhere"})
    assert "hunter2" not in f"{error.value!r} {error.value.__cause__}"
