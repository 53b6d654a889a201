"""A side of a move whose Kafka is not there."""

import time

import pytest

from stream.errors import Unreachable
from stream.migrate.side import Side, connected
from stream.settings import KafkaSettings
from tests.kafka.broker import free_ports

WITHIN_S = 3


async def unreached(address: str) -> str:
    """The sentence with which a move ends that finds no Kafka there, as late as it is told."""
    settings = KafkaSettings.model_validate({"kafka": address, "connect_timeout": f"{WITHIN_S}s"})
    began_s = time.monotonic()
    with pytest.raises(Unreachable) as error:
        async with connected(Side(settings, "redis://127.0.0.1:1", "bonus"), print):
            pass
    assert time.monotonic() - began_s > WITHIN_S / 2
    return str(error.value)


async def test_kafka_that_is_not_there_is_waited_for_no_longer_than_told() -> None:
    """In the words of all commands."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    expected = f"Kafka at {address} could not be reached within {WITHIN_S} s, or refused the connection."
    assert expected == await unreached(address)
