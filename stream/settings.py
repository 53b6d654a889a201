"""Every setting of worker, backtest and topics in one place: unit, default, and when to change it.

A setting is given as an option (``--allowed-lateness 2h``) or an environment variable
(``BONUS_ALLOWED_LATENESS=2h``); the option wins. The descriptions here are what ``--help`` shows.

```
LimitSettings    what decides results: lateness, skew, dedupe, topics in step
KafkaSettings    how to reach Kafka
 └── Settings    the worker: both of these, and Redis, programmes, bounds, times, logs
StateSettings    where state is, for those who only look at it
```
"""

import re
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stream.core.rules import Limits
from stream.errors import InputError

ENV_PREFIX = "BONUS_"

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")


def parse_duration(written: object) -> timedelta:
    """Read ``250ms``, ``10s``, ``5m``, ``24h`` or ``30d`` (a day is 24 h); a timedelta passes through.

    Raises ValueError with what was expected, also for a bare number: a unit is never guessed.
    """
    if isinstance(written, timedelta):
        return written
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 500ms, 10s, 5m, 24h or 30d, got {written!r}")
    try:
        return timedelta(milliseconds=int(match[1]) * _UNITS_MS[match[2]])
    except OverflowError:
        raise ValueError(f"a duration of {written} is too long") from None


def _above_zero(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("expected a duration above 0")
    return duration


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
PositiveDuration = Annotated[Duration, AfterValidator(_above_zero)]


def _as_brokers(written: str) -> str:
    for broker in written.split(","):
        _, _, port = broker.strip().rpartition(":")
        if "://" in broker or not port.isdecimal() or not 0 < int(port) < 65536:
            # Who writes a URL here may have put a password into it.
            shown = "a URL" if "@" in broker or "://" in broker else repr(broker)
            raise ValueError(f"expected HOST:PORT, several separated by commas, got {shown}")
    return written


_URL = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)


def split_redis_url(written: str) -> SplitResult:
    """The parts of a URL that may name several hosts, also by IPv6, which ``urlsplit`` refuses in newer Pythons."""
    match = _URL.fullmatch(written)
    assert match is not None
    scheme, netloc, path, query, fragment = match.groups("")
    return SplitResult(scheme.lower(), netloc, path, query, fragment)


def _as_redis_url(written: str) -> str:
    parts = split_redis_url(written)
    if parts.scheme not in ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster"):
        raise ValueError(
            "expected a URL that starts with redis://, rediss://, unix://, redis+cluster:// or rediss+cluster://"
        )
    if parts.scheme == "unix":
        return written
    # Not repeated: the URL may hold a password, also where the mistake is.
    if not all(_is_port(node) for node in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("expected a port from 1 to 65535 after the host, as in redis://localhost:6379/0")
    # The client would take any other for number 0.
    if re.fullmatch(r"/?|/[0-9]+", parts.path) is None:
        raise ValueError("expected the number of a database after the port, as in redis://localhost:6379/0")
    return written


def _is_port(node: str) -> bool:
    """Whether what follows the host of ``host[:port]``, if anything, is a port."""
    try:
        port = urlsplit(f"//{node}").port
    except ValueError:
        return False
    return port is None or port > 0


def _as_address(written: str) -> str:
    try:
        ip_address(written)
    except ValueError:
        raise ValueError(
            f"expected an address of this machine, such as 127.0.0.1 or ::1, found {written!r}"
        ) from None
    return written


Brokers = Annotated[str, AfterValidator(_as_brokers)]
RedisUrl = Annotated[str, AfterValidator(_as_redis_url)]
GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Address = Annotated[str, AfterValidator(_as_address)]


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )


class LimitSettings(_Environment):
    """The limits that decide results. Give worker and backtest the same ones."""

    allowed_lateness: Duration = Field(
        default=timedelta(hours=1),
        description="How far event time may lie behind arrival; older events go to `late`. "
        "Raise it when producers buffer longer; it costs memory for ids.",
    )
    allowed_skew: Duration = Field(
        default=timedelta(minutes=5),
        description="How far event time may run ahead of arrival before a record is a `clock_error`.",
    )
    dedupe_window: Duration | None = Field(
        default=None,
        description="How long an accepted event's id is remembered, by arrival. "
        "Default and least: lateness + skew.",
    )
    topic_lag: Duration = Field(
        default=timedelta(hours=1),
        description="How far the Kafka timestamps of one partition number's topics may lie apart. "
        "Raise it when one topic is produced in large delayed batches; panes are kept longer.",
    )

    @model_validator(mode="after")
    def _dedupe_spans_lateness_and_skew(self) -> Self:
        if self.dedupe_window is not None and in_ms(self.dedupe_window) < self._least_dedupe_ms():
            least = written_ms(self._least_dedupe_ms())
            raise ValueError(
                f"--dedupe-window must be at least --allowed-lateness + --allowed-skew, that is {least}"
            )
        return self

    def limits(self) -> Limits:
        """The same limits as the core reads them, in milliseconds."""
        return Limits(
            allowed_lateness_ms=in_ms(self.allowed_lateness),
            allowed_skew_ms=in_ms(self.allowed_skew),
            dedupe_window_ms=in_ms(self.dedupe_window) if self.dedupe_window else self._least_dedupe_ms(),
            topic_lag_ms=in_ms(self.topic_lag),
        )

    def _least_dedupe_ms(self) -> int:
        return in_ms(self.allowed_lateness) + in_ms(self.allowed_skew)


class KafkaSettings(_Environment):
    """How to reach Kafka. TLS and SASL options have aiokafka's names."""

    kafka: Brokers = Field(
        default="localhost:9092", description="Bootstrap brokers, HOST:PORT, several separated by commas."
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,200}$",
        description="Put before every topic name, for example `acme.`: environments that share a cluster.",
    )
    connect_timeout: PositiveDuration = Field(
        default=timedelta(seconds=60),
        description="How long each step of a start waits for Kafka and Redis before it ends with exit code 3.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="What the brokers' listener speaks."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="How to log in where security_protocol is SASL_*."
    )
    sasl_plain_username: str | None = Field(default=None, description="User name for PLAIN and SCRAM.")
    sasl_plain_password: SecretStr | None = Field(
        default=None,
        description="Password for PLAIN and SCRAM. Prefer the environment: options show in the process list.",
    )
    ssl_cafile: Path | None = Field(
        default=None, description="PEM file of the authorities to trust. Default: the system's."
    )
    ssl_certfile: Path | None = Field(
        default=None, description="PEM file of the client certificate, for mutual TLS."
    )
    ssl_keyfile: Path | None = Field(
        default=None, description="PEM file of the client's key, where it isn't in ssl_certfile."
    )
    ssl_password: SecretStr | None = Field(
        default=None, description="Password of the client's key. Prefer the environment."
    )
    check_crcs: bool = Field(
        default=True,
        description="Check the checksum of every batch read. Off only for brokers that write none.",
    )

    @model_validator(mode="after")
    def _sasl_has_credentials(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (
            self.sasl_plain_username and self.sasl_plain_password
        ):
            raise ValueError(
                "--security-protocol SASL_* needs --sasl-plain-username and --sasl-plain-password"
            )
        return self

    def kafka_options(self) -> dict[str, object]:
        """Keyword arguments for every aiokafka client: brokers, TLS and SASL.

        Raises InputError where a certificate or key can't be read.
        """
        options: dict[str, object] = {
            "bootstrap_servers": [broker.strip() for broker in self.kafka.split(",")],
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_plain_username
            options["sasl_plain_password"] = _revealed(self.sasl_plain_password)
        return options

    def consumer_options(self) -> dict[str, object]:
        """Keyword arguments for every aiokafka consumer: those of all clients, and whether to check sums."""
        return self.kafka_options() | {"check_crcs": self.check_crcs}

    def topic(self, name: str) -> str:
        """The name in Kafka of one of our topics."""
        return self.topic_prefix + name

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
        except OSError as error:  # ssl.SSLError is one
            raise InputError(
                f"ssl_cafile {self.ssl_cafile} can't be used ({error.strerror or error}): a PEM file of "
                "certificates was expected."
            ) from None
        try:
            if self.ssl_certfile is not None:
                # Without any password OpenSSL would ask a person at the terminal.
                context.load_cert_chain(
                    self.ssl_certfile, self.ssl_keyfile, _revealed(self.ssl_password) or ""
                )
        except OSError as error:
            raise InputError(
                f"ssl_certfile {self.ssl_certfile} can't be used ({error.strerror or error}): a PEM file was "
                "expected, with its key or beside ssl_keyfile, and ssl_password where the key has one."
            ) from None
        return context


class StateSettings(_Environment):
    """Whose state to look at, and where it is."""

    redis: RedisUrl = Field(
        default="redis://localhost:6379/0", repr=False, description="URL of the Redis that has the state."
    )
    group: GroupName = Field(default="bonus", description="The group whose state it is.")
    connect_timeout: PositiveDuration = Field(
        default=timedelta(seconds=10),
        description="How long to wait for Redis before it ends with exit code 3.",
    )


class Settings(LimitSettings, KafkaSettings):
    """Everything a worker is told."""

    programs: Path = Field(description="Folder of the programmes' *.yaml and *.yml files.")
    redis: RedisUrl = Field(
        default="redis://localhost:6379/0",
        repr=False,
        description="URL of the Redis that keeps the counters: redis://, rediss:// (TLS) or unix://; "
        "redis+cluster://HOST:PORT,HOST:PORT or rediss+cluster:// for a Redis Cluster.",
    )
    group: GroupName = Field(
        default="bonus",
        description="Consumer group, and the name under which state is kept. "
        "A new name counts from the logs' start.",
    )
    instance_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,248}$",
        description="A lasting name of this worker in its group, such as a pod's: a restart within session_timeout "
        "then moves no partition. Each worker needs its own.",
    )
    http_port: int = Field(
        default=0, ge=0, le=65535, description="Port of /health and /metrics over HTTP. 0 is off."
    )
    http_host: Address = Field(
        default="0.0.0.0",
        description="Address that /health and /metrics listen on, such as 127.0.0.1.",
    )
    allow_create_time: bool = Field(
        default=False,
        description="Accept input topics with message.timestamp.type=CreateTime. "
        "Only where producers' clocks are trusted: see docs/events.md, topics in step.",
    )
    accept_gap: bool = Field(
        default=False,
        description="Go on where Kafka no longer has records that the state still needs, or, without state, where "
        "`bonuses` has lost its beginning. Their counts are lost, and what they paid may be paid again: use it once, "
        "after the sentence that asks for it.",
    )
    drain_timeout: PositiveDuration = Field(
        default=timedelta(seconds=15),
        description="How long SIGTERM waits for work in flight and a last checkpoint. "
        "Keep it below the orchestrator's kill.",
    )
    session_timeout: PositiveDuration = Field(
        default=timedelta(seconds=10),
        description="How long a silent worker keeps its partitions. "
        "Lower is quicker take-over, and more false alarms.",
    )
    stall_timeout: PositiveDuration = Field(
        default=timedelta(seconds=60),
        description="How long a partition may stand still, with committed records to read and nothing to wait for, "
        "before the worker ends, to be started anew. Keep it above 45s: that a request to Kafka was lost is found "
        "out after 40s.",
    )
    checkpoint_interval: PositiveDuration = Field(
        default=timedelta(seconds=1),
        description="Time between checkpoints to Redis. Longer spares Redis and makes take-over replay more.",
    )
    max_subjects_in_memory: int = Field(
        default=200_000,
        ge=1_000,
        description="Creators and videos a partition keeps in memory; "
        "the least recently used live in Redis alone.",
    )
    max_bytes_in_flight: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes read and not yet counted, over all partitions; beyond it reading pauses.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="How log lines look; auto is console on a terminal, else JSON."
    )

    @property
    def app(self) -> str:
        """The application's name, from which transactional ids and Redis keys are made: the group."""
        return self.group


def in_ms(duration: timedelta) -> int:
    """A duration in whole milliseconds, rounded down."""
    return duration // timedelta(milliseconds=1)


def written_ms(milliseconds: int) -> str:
    """Milliseconds as one would write the duration, in the largest unit that divides it: ``1h``, ``90s``."""
    unit = max((unit for unit in _UNITS_MS if milliseconds % _UNITS_MS[unit] == 0), key=_UNITS_MS.__getitem__)
    return f"{milliseconds // _UNITS_MS[unit]}{unit}" if milliseconds else "0s"


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
