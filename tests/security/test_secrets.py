"""No password shows anywhere: in logs, also at debug, in sentences, tracebacks, help, metrics, health or reprs."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import pytest
import redis

from stream import logs
from tests.kafka.broker import free_ports
from tests.kafka.servers import Kafka
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet, Worker, programs_in
from tests.security.commands import bonus, by_certificate, by_plain
from tests.security.conftest import OPERATORS_PASSWORD, Papers
from tests.security.secured_broker import SecuredBroker
from tests.security.secured_redis import SecuredRedis

SECRET = "s3cr3t-0f-n0b0dy"
PAGES = ("/health", "/metrics", "/", "/stats/", "/graph/", "/router/", "/nowhere")


def silent_about(secrets: tuple[str, ...], said: str) -> None:
    """None of the secrets is in the text, which is not empty."""
    assert said
    for secret in secrets:
        found = said.find(secret)
        assert found < 0, f"a secret shows: …{said[max(0, found - 300) : found + 100]}…"


def all_said(worker: Worker) -> str:
    return "\n".join([*map(json.dumps, worker.lines), *worker.sentences])


async def page(port: int, path: str) -> str:
    """What an HTTP page holds, that of an error too."""

    def fetch() -> str:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                return str(answer.read(), "utf-8", "replace")
        except HTTPError as error:
            return f"{error} {error.read().decode(errors='replace')}"

    return await asyncio.to_thread(fetch)


@pytest.fixture
async def fleet(
    secured_kafka: SecuredBroker, secured_redis: SecuredRedis, papers: Papers, tmp_path: Path
) -> AsyncIterator[Fleet]:
    """A fleet whose Redis knows a user with the password ``SECRET``."""
    name = uuid4().hex[:12]
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command("ACL", "SETUSER", "keeper", "on", f">{SECRET}", "~*", "+@all")
    kafka = Kafka(secured_kafka.bootstrap, f"t{name}.")
    await kafka.create_topics(partitions=1)
    url = secured_redis.tls_url(f"keeper:{SECRET}", ssl_ca_certs=papers.authority)
    fleet = Fleet(kafka, url, f"g{name}", programs_in(tmp_path))
    yield fleet
    await fleet.end()
    await kafka.delete_topics()


async def test_a_worker_that_tells_all_it_does_tells_no_password(
    fleet: Fleet, secured_kafka: SecuredBroker, papers: Papers
) -> None:
    """Its log at debug, with what its libraries say, and its pages, from the start to the end."""
    [port] = free_ports(1)
    own = by_plain(secured_kafka, papers, log_level="debug", http_port=port)
    worker = await fleet.start_serving(**own)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed=13, records=100)
    await fleet.settled()
    pages = [await page(port, path) for path in PAGES]
    worker.terminate()
    assert await worker.ended() == 0
    said = all_said(worker)
    assert "aiokafka" in said, "the libraries have said nothing, so this shows nothing"
    silent_about((SECRET, OPERATORS_PASSWORD), said)
    for text in pages:
        silent_about((SECRET, OPERATORS_PASSWORD), text)


async def test_a_worker_that_can_not_start_tells_no_password(
    fleet: Fleet, secured_redis: SecuredRedis
) -> None:
    """Redis does not know its password; for people on a terminal, with all that debug shows."""
    worker = await fleet.start(
        redis=secured_redis.url.replace("redis://", f"redis://nobody:{SECRET}-too@"),
        log_level="debug",
        log_format="console",
    )
    assert await worker.ended() == 1
    silent_about((SECRET,), all_said(worker))
    assert "does not let us in" in worker.sentences[-1]


async def test_commands_that_fail_tell_no_password(secured_kafka: SecuredBroker, papers: Papers) -> None:
    """Wrong in every way that repeats what was given, and asked to tell more."""
    wrong: list[dict[str, object]] = [
        by_plain(secured_kafka, papers, sasl_plain_password=SECRET),
        by_plain(secured_kafka, papers, sasl_plain_password=SECRET, sasl_mechanism="SCRAM-SHA-512"),
        by_certificate(secured_kafka, papers, ssl_certfile=papers.locked, ssl_password=SECRET),
        {"kafka": f"sasl://bonus:{SECRET}@kafka:9093"},
        {"security_protocol": "SASL_SSL", "sasl_plain_password": SECRET},
    ]
    ended = await asyncio.gather(
        *(bonus("topics", "create", **each, log_level="debug", connect_timeout="10m") for each in wrong)
    )
    for each in ended:
        assert each.code in (1, 2), each
        silent_about((SECRET,), each.out + each.err)


@pytest.mark.parametrize(
    "url", ["http://bonus:{}@redis", "redis://bonus:{}@redis:port", "redis://b:{}@[", "{}"]
)
async def test_a_redis_url_that_can_not_be_read_is_not_repeated(url: str, tmp_path: Path) -> None:
    ended = await bonus("worker", redis=url.format(SECRET), programs=tmp_path, kafka="127.0.0.1:1")
    assert ended.code in (1, 2)
    silent_about((SECRET,), ended.out + ended.err)


async def test_help_shows_what_is_meant_and_not_what_is_set() -> None:
    ended = await bonus(
        "worker",
        "--help",
        redis=f"redis://:{SECRET}@redis",
        sasl_plain_password=SECRET,
        ssl_password=SECRET,
    )
    assert "BONUS_SASL_PLAIN_PASSWORD" in ended.out
    silent_about((SECRET,), ended.out + ended.err)


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logging_as_it_was")
@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_shows_no_variables(style: str) -> None:
    """Options hold the password, and are in many a frame."""
    out = StringIO()
    logs.set_up(style="console" if style == "console" else "json", to=out)
    password = SECRET[:-1] + SECRET[-1]
    try:
        raise RuntimeError(f"failed after {len(password)} characters")
    except RuntimeError:
        logs.logger("stream.worker").exception("went wrong")
    assert "failed after" in out.getvalue()
    silent_about((SECRET,), out.getvalue())
