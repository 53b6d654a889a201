"""``bonus migrate``: the new side is as the old one, but for what is said of it."""

from pathlib import Path

import pytest

from stream.cli.main import run_command
from stream.cli.migrate import MoveSettings, _target
from stream.cli.options import read_settings


def settings(**given: str) -> MoveSettings:
    """What the command is told."""
    return read_settings(MoveSettings, {"to_group": "next"} | given)


def test_the_new_side_is_the_old_one_unless_it_is_said_otherwise() -> None:
    """Brokers, topics, TLS and SASL."""
    same = _target(settings(kafka="a:1", topic_prefix="x.", security_protocol="SSL", ssl_cafile="ca.pem"))
    assert ("a:1", "x.", "SSL", Path("ca.pem")) == (
        same.kafka,
        same.topic_prefix,
        same.security_protocol,
        same.ssl_cafile,
    )
    other = _target(settings(kafka="a:1", topic_prefix="x.", to_kafka="b:2", to_topic_prefix=""))
    assert ("b:2", "") == (other.kafka, other.topic_prefix)


def test_what_has_no_option_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for the old side, with BONUS_TO_ before its name; secrets stay secrets."""
    monkeypatch.setenv("BONUS_TO_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("BONUS_TO_SASL_PLAIN_USERNAME", "mover")
    monkeypatch.setenv("BONUS_TO_SASL_PLAIN_PASSWORD", "hush")
    target = _target(settings(kafka="a:1"))
    assert ("SASL_SSL", "mover") == (target.security_protocol, target.sasl_plain_username)
    assert target.sasl_plain_password is not None
    assert target.sasl_plain_password.get_secret_value() == "hush"
    assert "hush" not in repr(target)


def test_a_mistake_in_the_environment_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence, and exit code 2."""
    monkeypatch.setenv("BONUS_TO_SECURITY_PROTOCOL", "TELNET")
    assert run_command(["migrate", "--to-group", "next"]) == 2
    assert "--security-protocol" in capsys.readouterr().err


def test_a_group_to_move_to_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is guessed."""
    assert run_command(["migrate"]) == 2
    assert "--to-group (or BONUS_TO_GROUP) is needed." in capsys.readouterr().err
