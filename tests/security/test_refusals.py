"""Who is not let in, or may not do something: at once, exit code 1 and one sentence that says what to look at."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from stream.errors import InputError
from stream.store.store import StateStore
from tests.kafka.servers import Kafka
from tests.kafka.traffic import Sender, Sent, new_event, value_of
from tests.kafka.workers import Fleet, programs_in
from tests.security.commands import Ended, bonus, by_certificate, by_plain, by_scram
from tests.security.conftest import Papers
from tests.security.secured_broker import SecuredBroker
from tests.security.secured_redis import SecuredRedis
from tests.security.written_rights import rights_in_kafka, user_in_redis

PASSWORD = "pass-4711"
NEEDED = [word[1:] for word in user_in_redis("any", PASSWORD) if word[0] == "+"]
"""The commands that the page grants."""


@pytest.fixture
async def open_fleet(
    secured_kafka: SecuredBroker, secured_redis: SecuredRedis, tmp_path: Path
) -> AsyncIterator[Fleet]:
    """A fleet by the open listeners, where a test changes what it is about; topics of one partition are there."""
    name = uuid4().hex[:12]
    kafka = Kafka(secured_kafka.bootstrap, f"t{name}.")
    await kafka.create_topics(partitions=1)
    fleet = Fleet(kafka, secured_redis.url, f"g{name}", programs_in(tmp_path))
    yield fleet
    await fleet.end()
    await kafka.delete_topics()


# Kafka: connecting


async def refused(**settings: object) -> Ended:
    """How a command ends that Kafka does not let in; a time-out in its way would take longer than the test waits."""
    ended = await bonus(
        "topics", "create", "--topic-prefix", "never.", "--connect-timeout", "10m", **settings
    )
    assert ended.code == 1
    return ended


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_a_wrong_password(secured_kafka: SecuredBroker, papers: Papers, mechanism: str) -> None:
    wrong = {"sasl_mechanism": mechanism, "sasl_plain_password": PASSWORD}
    ended = await refused(**by_plain(secured_kafka, papers, **wrong))
    assert ended.sentence == (
        f"Kafka at {secured_kafka.sasl} does not let the user operator in by {mechanism}: "
        "check user name, password and mechanism."
    )


async def test_a_kind_of_login_that_is_not_offered(secured_kafka: SecuredBroker, papers: Papers) -> None:
    ended = await refused(**by_plain(secured_kafka, papers, sasl_mechanism="SCRAM-SHA-256"))
    assert "knows no login by SCRAM-SHA-256" in ended.sentence


async def test_an_authority_that_did_not_sign(secured_kafka: SecuredBroker, papers: Papers) -> None:
    ended = await refused(**by_plain(secured_kafka, papers, ssl_cafile=papers.stranger))
    assert (
        "shows a certificate that is not trusted: unable to get local issuer certificate." in ended.sentence
    )
    assert "ssl_cafile" in ended.sentence


async def test_a_name_that_is_not_in_the_certificate(secured_kafka: SecuredBroker, papers: Papers) -> None:
    ended = await refused(**by_plain(secured_kafka, papers, kafka=secured_kafka.sasl_by_address))
    assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in ended.sentence


async def test_no_client_certificate(secured_kafka: SecuredBroker, papers: Papers) -> None:
    bare = by_certificate(secured_kafka, papers)
    del bare["ssl_certfile"]
    ended = await refused(**bare)
    assert f"Kafka at {secured_kafka.mutual} refuses the TLS connection" in ended.sentence
    assert "ssl_certfile" in ended.sentence


async def test_a_locked_key_without_its_password_asks_nobody(
    secured_kafka: SecuredBroker, papers: Papers
) -> None:
    """OpenSSL would ask at the terminal, and a worker in the background wait for ever."""
    ended = await refused(**by_certificate(secured_kafka, papers, ssl_certfile=papers.locked))
    assert f"ssl_certfile {papers.locked} can't be used" in ended.sentence
    assert "ssl_password" in ended.sentence


async def test_a_backtest_is_refused_alike(
    secured_kafka: SecuredBroker, papers: Papers, tmp_path: Path
) -> None:
    """It connects by itself."""
    ended = await bonus(
        *("backtest", "--programs", programs_in(tmp_path), "--out", tmp_path / "out"),
        *("--kafka", secured_kafka.sasl, "--connect-timeout", "10m"),
        **by_plain(secured_kafka, papers, sasl_plain_password=PASSWORD),
    )
    assert ended.code == 1
    assert "does not let the user operator in by PLAIN" in ended.sentence


# Kafka: rights


LACKING = {
    "Write on the topic {prefix}bonuses": (ResourceType.TOPIC, AclOperation.WRITE, "bonuses"),
    "DescribeConfigs on the topic {prefix}views": (
        ResourceType.TOPIC,
        AclOperation.DESCRIBE_CONFIGS,
        "views",
    ),
    "Write on the transactional id {group}-{prefix}": (
        ResourceType.TRANSACTIONAL_ID,
        AclOperation.WRITE,
        "-",
    ),
    "Read on the group {group}": (ResourceType.GROUP, AclOperation.READ, ""),
}


@pytest.mark.parametrize("right", LACKING)
async def test_a_right_that_is_missing_is_named(
    open_fleet: Fleet, secured_kafka: SecuredBroker, papers: Papers, right: str
) -> None:
    """Every right of the page but one: the worker ends with the sentence that says which."""
    kind, operation, ending = LACKING[right]
    kafka, group, user = open_fleet.kafka, open_fleet.group, f"u{uuid4().hex[:12]}"
    secured_kafka.add_user(user, PASSWORD)
    rights = rights_in_kafka(user, group=group, prefix=kafka.prefix)
    kept = [
        each
        for each in rights
        if not (each.restype is kind and each.operation is operation and each.name.endswith(ending))
    ]
    assert len(kept) == len(rights) - 1
    secured_kafka.grant(kept)
    sender = Sender(kafka.bootstrap, kafka.prefix)
    sender.send(Sent("comments", value_of(new_event("a", source="search")), "ada"))
    await sender.flush()
    own = {"sasl_plain_username": user, "sasl_plain_password": PASSWORD}
    worker = await open_fleet.start(**by_scram(secured_kafka, papers, **own))
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert sentence.startswith("Kafka does not allow it: this user needs the right ")
    assert right.format(prefix=kafka.prefix, group=group) in sentence


async def test_who_may_not_make_topics_is_told_so(secured_kafka: SecuredBroker, papers: Papers) -> None:
    secured_kafka.add_user("nobody", PASSWORD)
    ended = await refused(
        **by_scram(secured_kafka, papers, sasl_plain_username="nobody", sasl_plain_password=PASSWORD)
    )
    assert "needs the right Create on the topic never." in ended.sentence


# Redis


async def refused_by_redis(url: str, group: str = "bonus", *, whole: bool = False) -> str:
    """The sentence with which a start ends that Redis does not let in."""
    said: list[str] = []
    with pytest.raises(InputError) as refusal:
        await StateStore.connect(url, group, timeout_s=600, say=said.append, whole=whole)
    assert said == []
    return str(refusal.value)


async def test_redis_with_an_authority_that_did_not_sign(
    open_fleet: Fleet, secured_redis: SecuredRedis, papers: Papers
) -> None:
    """As the worker ends: the way of all of them."""
    url = secured_redis.tls_url(f":{PASSWORD}", ssl_ca_certs=papers.stranger)
    worker = await open_fleet.start(redis=url, connect_timeout="10m")
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert "can't be trusted (certificate not trusted: self-signed certificate" in sentence
    assert "ssl_ca_certs" in sentence


async def test_redis_by_a_name_that_is_not_in_its_certificate(
    secured_redis: SecuredRedis, papers: Papers
) -> None:
    url = secured_redis.tls_url(host="127.0.0.1", ssl_ca_certs=papers.authority)
    assert "certificate is not valid for '127.0.0.1'" in await refused_by_redis(url)


async def test_redis_with_a_file_that_is_not_there(secured_redis: SecuredRedis, tmp_path: Path) -> None:
    url = secured_redis.tls_url(f":{PASSWORD}", ssl_ca_certs=tmp_path / "none.pem")
    sentence = await refused_by_redis(url)
    assert sentence.startswith("A file that the Redis URL names can't be used (No such file or directory)")
    assert PASSWORD not in sentence


async def test_redis_with_a_wrong_password(secured_redis: SecuredRedis, papers: Papers) -> None:
    sentence = await refused_by_redis(
        secured_redis.tls_url(f"nobody:{PASSWORD}", ssl_ca_certs=papers.authority)
    )
    assert "does not let us in (WRONGPASS" in sentence
    assert PASSWORD not in sentence


async def test_a_redis_user_of_another_group(secured_redis: SecuredRedis, papers: Papers) -> None:
    """The keys are another application's."""
    user = f"u{uuid4().hex[:12]}"
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command(*user_in_redis(user, PASSWORD))
    url = secured_redis.tls_url(f"{user}:{PASSWORD}", ssl_ca_certs=papers.authority)
    assert "is not allowed on {other:0}:" in await refused_by_redis(url, "other")


@pytest.mark.parametrize("command", NEEDED)
async def test_a_redis_user_who_may_not_run_a_command(
    secured_redis: SecuredRedis, papers: Papers, command: str
) -> None:
    """Also one that only scripts run, which else is found out at the first checkpoint."""
    user = f"u{uuid4().hex[:12]}"
    granted = user_in_redis(user, PASSWORD)
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command(*(word for word in granted if word != f"+{command}"))
    url = secured_redis.tls_url(f"{user}:{PASSWORD}", ssl_ca_certs=papers.authority)
    sentence = await refused_by_redis(url)
    assert "does not let us in (NOPERM" in sentence
    assert command in sentence.lower()


@pytest.mark.parametrize("command", ["scan", "zmscore"])
async def test_a_redis_user_who_may_not_go_through_all_of_the_state(
    secured_redis: SecuredRedis, papers: Papers, command: str
) -> None:
    """As a move does: a worker is let in without."""
    user = f"u{uuid4().hex[:12]}"
    others = {"scan", "zmscore"} - {command}
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command(*user_in_redis(user, PASSWORD), *(f"+{other}" for other in others))
    url = secured_redis.tls_url(f"{user}:{PASSWORD}", ssl_ca_certs=papers.authority)
    sentence = await refused_by_redis(url, whole=True)
    assert f"does not let us in (NOPERM {command.upper()} is not allowed" in sentence
    store = await StateStore.connect(url, "bonus", timeout_s=5, say=print)
    await store.close()


async def test_a_move_by_a_redis_user_with_the_rights_of_a_worker(
    open_fleet: Fleet, secured_redis: SecuredRedis
) -> None:
    """Of the old side it needs more, of the new side no more than a worker."""
    kafka, group, user = open_fleet.kafka, open_fleet.group, f"u{uuid4().hex[:12]}"
    with redis.Redis.from_url(secured_redis.url) as client:
        client.execute_command(*user_in_redis(user, PASSWORD, group=group))
    worker = secured_redis.url.replace("redis://", f"redis://{user}:{PASSWORD}@")
    place = {"kafka": kafka.bootstrap, "topic_prefix": kafka.prefix}
    move = ("migrate", "--group", group, "--to-group", group, "--dry-run")
    ended = await bonus(*move, redis=worker, to_redis=secured_redis.url, **place)
    assert ended.code == 1
    assert "does not let us in (NOPERM ZMSCORE is not allowed" in ended.sentence
    ended = await bonus(*move, redis=secured_redis.url, to_redis=worker, **place)
    assert ended.code == 1
    assert "holds no checkpoint of its partition 0" in ended.sentence
