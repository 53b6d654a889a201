"""``python -m tests.kafka.joins``: a `bonus worker` that is kept from joining its group before it has any part of it.

``BONUS_TEST_JOIN`` says how: one of ``JOINS``. Until there is an assignment nobody polls, so aiokafka has nobody to
tell.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import UnknownError
from aiokafka.protocol.metadata import MetadataRequest

from stream.cli.main import run_command


def _first_lookup_raises(error: Exception) -> None:
    honest, raised = AIOKafkaClient.coordinator_lookup, list[Exception]()

    async def lookup(self: AIOKafkaClient, kind: CoordinationType, name: str) -> object:
        if kind is CoordinationType.GROUP and not raised:
            raised.append(error)
            raise error
        return await honest(self, kind, name)

    AIOKafkaClient.coordinator_lookup = lookup


def no_brokers() -> None:
    """The client that joins the group hears of no brokers at first, as it does from one that slept for too long."""
    honest, told = AIOKafkaConnection.send, list[object]()

    def send(self: AIOKafkaConnection, request: object, expect_response: bool = True) -> object:
        answer = honest(self, request, expect_response)
        member = not self._client_id.startswith("aiokafka")  # the others have no name of their own
        if not (member and isinstance(request, MetadataRequest)) or told:
            return answer
        told.append(request)
        return _without_brokers(answer)

    AIOKafkaConnection.send = send


async def _without_brokers(answer: Awaitable[Any]) -> object:
    found = await answer
    found.brokers = []
    return found


def put_off() -> None:
    """The broker fails to say who coordinates the group, once: it is its own mistake, such as a disk that is full."""
    _first_lookup_raises(UnknownError())


def given_up() -> None:
    """aiokafka's task that would join dies."""
    _first_lookup_raises(AssertionError())


JOINS: dict[str, Callable[[], None]] = {
    "no-brokers": no_brokers,
    "put-off": put_off,
    "given-up": given_up,
}


def main() -> int:
    """Prepare what the environment asks for, then be a worker."""
    JOINS[os.environ["BONUS_TEST_JOIN"]]()
    return run_command(["worker"])


if __name__ == "__main__":
    sys.exit(main())
