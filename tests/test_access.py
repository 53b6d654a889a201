"""Which right is missing, from the error that a client library raises; with real brokers in tests/security."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from stream.access import forbidden, refusal
from tests.kafka.broker import free_ports


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (TopicAuthorizationFailedError("bonuses"), "topic bonuses"),
        (TopicAuthorizationFailedError({"views", "likes"}), "topic likes, views"),
        (GroupAuthorizationFailedError("bonus"), "group bonus"),
        (TransactionalIdAuthorizationFailed("bonus-bonuses-3"), "transactional id bonus-bonuses-3"),
        (ClusterAuthorizationFailedError(), "cluster"),
    ],
)
def test_right_and_resource_are_named(error: Exception, resource: str) -> None:
    expected = f"Kafka does not allow it: this user needs the right Write on the {resource}."
    assert str(forbidden(error, "Write")) == expected


def test_the_callers_name_wins() -> None:
    """Where the error names none, or several."""
    told = str(forbidden(TopicAuthorizationFailedError(), "Read", "bonuses"))
    assert told.endswith("the right Read on the topic bonuses.")


def test_other_errors_are_none_of_its_business() -> None:
    assert forbidden(KafkaConnectionError("gone"), "Read") is None


async def test_a_broker_that_is_not_there_refuses_nothing() -> None:
    """So that a start goes on waiting for it."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    options = {"bootstrap_servers": [address], "security_protocol": "PLAINTEXT"}
    assert await refusal(options) is None
