"""Over TLS, with every kind of login: the worker pays and stops in order, and the other commands do their work.

The worker that logs in by SCRAM has the rights that docs/security.md grants, in Kafka and in Redis, and no more.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from tests.kafka.expected import assert_exact
from tests.kafka.servers import Kafka
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet, programs_in
from tests.security.commands import bonus, by_certificate, by_plain, by_scram
from tests.security.conftest import KEY_PASSWORD, Papers
from tests.security.secured_broker import SecuredBroker
from tests.security.secured_redis import SecuredRedis
from tests.security.written_rights import rights_in_kafka, user_in_redis

RECORDS = 400
ODD_PASSWORD = "p@ss/w%rd:#1"
ENCODED = "p%40ss%2Fw%25rd%3A%231"


@pytest.fixture
async def secured_fleet(
    secured_kafka: SecuredBroker, secured_redis: SecuredRedis, papers: Papers, tmp_path: Path
) -> AsyncIterator[Fleet]:
    """A fleet of this test's own topics and group; the test itself uses the open listeners."""
    name = uuid4().hex[:12]
    kafka = Kafka(secured_kafka.bootstrap, f"t{name}.")
    fleet = Fleet(
        kafka, secured_redis.tls_url(ssl_ca_certs=papers.authority), f"g{name}", programs_in(tmp_path)
    )
    yield fleet
    await fleet.end()
    await kafka.delete_topics()


async def pays_and_stops(fleet: Fleet, **settings: object) -> None:
    """A worker with these settings pays what is due, and ends with 0 when it is told to."""
    worker = await fleet.start_serving(**settings)
    await send_traffic(fleet.kafka.bootstrap, fleet.kafka.prefix, seed=11, records=RECORDS)
    await fleet.settled()
    worker.terminate()
    assert (await worker.ended(), worker.sentences) == (0, [])
    await assert_exact(fleet.kafka.bootstrap, fleet.kafka.prefix, fleet.programs)


async def test_a_worker_needs_the_rights_that_are_written_down_and_no_more(
    secured_fleet: Fleet, secured_kafka: SecuredBroker, secured_redis: SecuredRedis, papers: Papers
) -> None:
    """By SCRAM-SHA-512 and an ACL user of Redis, both over TLS, under the very names of the page."""
    fleet, fleet.kafka.prefix, fleet.group = secured_fleet, "", "bonus"
    secured_kafka.add_user("bonus", ODD_PASSWORD)
    secured_kafka.grant(rights_in_kafka("bonus"))
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command(*user_in_redis("bonus", ODD_PASSWORD))
    fleet.redis_url = secured_redis.tls_url(f"bonus:{ENCODED}", ssl_ca_certs=papers.authority)
    await fleet.kafka.create_topics(partitions=2)
    mine = {"sasl_plain_username": "bonus", "sasl_plain_password": ODD_PASSWORD}
    await pays_and_stops(fleet, **by_scram(secured_kafka, papers, **mine))
    # A second one, which finds a checkpoint and bonuses to scan.
    await pays_and_stops(fleet, **by_scram(secured_kafka, papers, **mine))


async def test_a_worker_with_client_certificates_for_both(
    secured_fleet: Fleet, secured_kafka: SecuredBroker, papers: Papers, tmp_path: Path
) -> None:
    """Mutual TLS; the key for Kafka and Redis has a password."""
    fleet = secured_fleet
    server = SecuredRedis(
        tmp_path / "redis", identity=papers.servers, authority=papers.authority, client_certificates=True
    )
    server.start()
    try:
        fleet.redis_url = server.tls_url(
            ssl_ca_certs=papers.authority,
            ssl_certfile=papers.locked,
            ssl_password=KEY_PASSWORD.replace(" ", "%20"),
        )
        await fleet.kafka.create_topics(partitions=1)
        await pays_and_stops(
            fleet,
            **by_certificate(secured_kafka, papers, ssl_certfile=papers.locked, ssl_password=KEY_PASSWORD),
        )
    finally:
        server.kill()


async def test_a_worker_that_logs_in_by_plain(
    secured_fleet: Fleet, secured_kafka: SecuredBroker, papers: Papers
) -> None:
    await secured_fleet.kafka.create_topics(partitions=1)
    await pays_and_stops(secured_fleet, **by_plain(secured_kafka, papers))


async def test_the_other_commands_over_a_secured_cluster(
    secured_fleet: Fleet, secured_kafka: SecuredBroker, papers: Papers, tmp_path: Path
) -> None:
    """Topics made, programmes put in force and shown, and a backtest, by one kind of login each."""
    kafka, programs = secured_fleet.kafka, secured_fleet.programs
    prefix = {"topic_prefix": kafka.prefix}
    made = await bonus("topics", "create", "--partitions", "1", **by_plain(secured_kafka, papers, **prefix))
    assert (made.code, made.err) == (0, "")
    applied = await bonus("programs", "apply", programs, **by_certificate(secured_kafka, papers, **prefix))
    assert (applied.code, "creators published: new version 1." in applied.out) == (0, True)
    shown = await bonus("programs", "show", **by_scram(secured_kafka, papers, **prefix))
    assert (shown.code, shown.err) == (0, "")
    assert "creators" in shown.out
    await send_traffic(kafka.bootstrap, kafka.prefix, seed=12, records=RECORDS)
    out = tmp_path / "bonuses.ndjson"
    command = ("backtest", "--programs", programs, "--out", out, "--kafka", secured_kafka.mutual)
    ended = await bonus(*command, "--workers", "1", **by_certificate(secured_kafka, papers, **prefix))
    assert ended.code == 0, ended.err
    assert len(out.read_text().splitlines()) > 10
