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


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SECURITY_PROTOCOL", "TELNET", "BONUS_TO_SECURITY_PROTOCOL: expected PLAINTEXT, SSL, "),
        (
            "SECURITY_PROTOCOL",
            "SASL_SSL",
            "BONUS_TO_SECURITY_PROTOCOL SASL_* needs BONUS_TO_SASL_PLAIN_USERNAME and BONUS_TO_SASL_PLAIN_PASSWORD.",
        ),
        ("CONNECT_TIMEOUT", "5", "BONUS_TO_CONNECT_TIMEOUT: expected a duration such as "),
        ("KAFKA", "foo", "--to-kafka (BONUS_TO_KAFKA): expected HOST:PORT"),
        ("REDIS", "foo", "--to-redis (BONUS_TO_REDIS): expected a URL that starts with redis://"),
    ],
)
def test_a_mistake_in_the_environment_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    sentence: str,
) -> None:
    """A sentence that names the variable of the new side, and exit code 2."""
    monkeypatch.setenv(f"BONUS_TO_{variable}", value)
    assert run_command(["migrate", "--to-group", "next"]) == 2
    assert capsys.readouterr().err.startswith(sentence)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--kafka", "expected HOST:PORT"),
        ("--to-kafka", "expected HOST:PORT"),
        ("--redis", "expected a URL that starts with redis://"),
        ("--to-redis", "expected a URL that starts with redis://"),
    ],
)
def test_a_wrong_address_is_told_with_the_option_that_has_it(
    capsys: pytest.CaptureFixture[str], option: str, expected: str
) -> None:
    """Before anything is connected to."""
    assert run_command(["migrate", "--to-group", "next", option, "foo"]) == 2
    variable = "BONUS_" + option[2:].replace("-", "_").upper()
    assert capsys.readouterr().err.startswith(f"{option} ({variable}): {expected}")


def test_a_group_to_move_to_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is guessed."""
    assert run_command(["migrate"]) == 2
    assert "--to-group (or BONUS_TO_GROUP) is needed." in capsys.readouterr().err
