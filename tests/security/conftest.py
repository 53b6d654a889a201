"""A secured broker and a secured Redis for all tests of this folder, with certificates made for the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.broker import CannotRun
from tests.kafka.servers import started, unavailable
from tests.security.certificates import Authority
from tests.security.secured_broker import SecuredBroker
from tests.security.secured_redis import SecuredRedis

OPERATORS_PASSWORD = "op3rator's own"
KEY_PASSWORD = "k3y of the worker"


@dataclass(frozen=True)
class Papers:
    """PEM files: who is to be trusted, the servers' identity, and a worker's with and without a password."""

    authority: Path
    stranger: Path
    servers: Path
    worker: Path
    locked: Path


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of one authority, and another authority that signed none of them."""
    folder = tmp_path_factory.mktemp("papers")
    authority = Authority(folder, "authority")
    return Papers(
        authority.file,
        Authority(folder, "stranger").file,
        authority.issue("localhost", "localhost"),
        authority.issue("worker"),
        authority.issue("locked", password=KEY_PASSWORD),
    )


@pytest.fixture(scope="session")
def secured_kafka(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """The broker of `secured_broker`; the operator logs in by PLAIN and by SCRAM."""
    broker = SecuredBroker(
        tmp_path_factory.mktemp("secured-kafka"),
        identity=papers.servers,
        authority=papers.authority,
        password=OPERATORS_PASSWORD,
    )
    try:
        broker.start()
        broker.add_user("operator", OPERATORS_PASSWORD)
    except CannotRun as why:
        unavailable("Kafka", why)
    try:
        yield broker
    finally:
        broker.kill()


@pytest.fixture(scope="session")
def secured_redis(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    """A Redis that asks for a client certificate, and for whatever login a test gives its users."""
    with started(
        SecuredRedis(
            tmp_path_factory.mktemp("secured-redis"), identity=papers.servers, authority=papers.authority
        ),
        "Redis",
    ) as server:
        yield server
