"""The settings: durations, limits, how to reach Kafka, and secrets that stay secret."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from stream.core.rules import Limits
from stream.errors import InputError
from stream.settings import KafkaSettings, LimitSettings, Settings, parse_duration, written_ms
from stream.worker.app import BonusApp


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("10s", timedelta(seconds=10)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(days=1)),
        ("30d", timedelta(days=30)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_have_a_unit(written: str, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written", ["", "5", "1.5h", "-1s", "1 h", "1H", "1w", "h", "999999999999d", 5, None]
)
def test_anything_else_is_no_duration(written: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(0, "0s"), (250, "250ms"), (90_000, "90s"), (3_600_000, "1h"), (86_400_000, "1d")],
)
def test_a_duration_is_written_in_the_largest_unit_that_divides_it(milliseconds: int, written: str) -> None:
    assert written_ms(milliseconds) == written


def test_some_durations_are_above_0() -> None:
    with pytest.raises(ValidationError, match="expected a duration above 0"):
        Settings.model_validate({"drain_timeout": "0s"})


def test_limits_default_to_the_cores() -> None:
    assert LimitSettings().limits() == Limits()


def test_the_dedupe_window_follows_lateness_and_skew() -> None:
    settings = LimitSettings.model_validate({"allowed_lateness": "2h", "allowed_skew": "10m"})
    assert settings.limits().dedupe_window_ms == 130 * 60_000


def test_a_dedupe_window_below_lateness_and_skew_is_refused() -> None:
    with pytest.raises(ValidationError, match="--dedupe-window must be at least --allowed-lateness"):
        LimitSettings.model_validate({"dedupe_window": "64m"})
    assert LimitSettings.model_validate({"dedupe_window": "65m"}).limits() == Limits()


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:s3cret@127.0.0.1:port/0",
        "redis://me:s3cret@127.0.0.1:0/0",
        "rediss://me:s3cret@127.0.0.1:65536",
        "redis://me:s3cret@127.0.0.1:6379/first",
        "redis://me:s3cret@127.0.0.1:6379/0/1",
        "redis+cluster://me:s3cret@a:6379,b:port",
        "http://me:s3cret@127.0.0.1:6379",
    ],
)
def test_a_redis_url_that_leads_nowhere_is_refused_without_repeating_it(url: str) -> None:
    """Before anything is connected to; no number of a database is guessed."""
    with pytest.raises(ValidationError, match=r"expected .*redis://") as refused:
        Settings(programs=Path(), redis=url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://[::1]:6379/",
        "rediss://me:a%40b@redis.example:6380/12?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=1",
        "redis+cluster://me:s3cret@a:6379,[::1]:6380,c",
    ],
)
def test_a_redis_url_may_leave_out_what_has_a_default(url: str) -> None:
    assert url == Settings(programs=Path(), redis=url).redis


@pytest.mark.parametrize(("given", "host"), [({}, "0.0.0.0"), ({"http_host": "127.0.0.1"}, "127.0.0.1")])
def test_the_worker_listens_on_the_address_that_is_given(given: dict[str, str], host: str) -> None:
    settings = Settings.model_validate({"programs": "p", "http_port": 8080} | given)
    assert BonusApp(settings).conf.web_host == host


def test_no_secret_is_shown() -> None:
    settings = Settings.model_validate(
        {
            "programs": "p",
            "redis": "rediss://user:hunter2@redis.example:6380/1?password=hunter2",
            "sasl_plain_password": "hunter2",
            "ssl_password": "hunter2",
        }
    )
    assert "hunter2" not in f"{settings!r} {settings}"


def test_sasl_options_have_aiokafkas_names() -> None:
    settings = KafkaSettings.model_validate(
        {
            "kafka": "a:9092, b:9093",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "bonus",
            "sasl_plain_password": "hunter2",
        }
    )
    assert settings.kafka_options() == {
        "bootstrap_servers": ["a:9092", "b:9093"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "bonus",
        "sasl_plain_password": "hunter2",
    }
    assert settings.consumer_options() == settings.kafka_options() | {"check_crcs": True}


def test_lateness_and_skew_may_be_as_long_as_durations_are() -> None:
    """Together they are longer than Python's own durations can be."""
    longest = timedelta.max // timedelta(days=1)
    written = {"allowed_lateness": f"{longest}d", "allowed_skew": f"{longest}d"}
    assert LimitSettings.model_validate(written).limits().dedupe_window_ms == 2 * longest * 86_400_000


def test_sasl_without_credentials_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs --sasl-plain-username and --sasl-plain-password"):
        KafkaSettings(security_protocol="SASL_SSL")


def test_tls_checks_the_brokers_certificate_and_name() -> None:
    import ssl

    context = KafkaSettings(security_protocol="SSL").kafka_options()["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_an_unreadable_certificate_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be used"):
        KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "none.pem").kafka_options()


@pytest.mark.parametrize(
    "address", ["localhost", "localhost:", ":x", "http://a:9092", "a:9092,,b:1", "a:99999"]
)
def test_brokers_are_host_and_port(address: str) -> None:
    with pytest.raises(ValidationError, match="expected HOST:PORT"):
        KafkaSettings(kafka=address)
