"""Consumer groups as an outsider sees them: whether one has members, and offsets committed for one that has none."""

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_fixed

from stream.closing import stop
from stream.transport.kafka import trouble

COORDINATOR_S = 30.0
"""A cluster that has not seen a group makes the topic of their offsets first."""


async def members(options: Mapping[str, object], group: str) -> int:
    """How many members a group has, with aiokafka client ``options``; 0 for one that nobody has heard of.

    Raises ``KafkaTrouble``.
    """
    admin = AIOKafkaAdminClient(**options)
    tries = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, KafkaError) and error.retriable),
        stop=stop_after_delay(COORDINATOR_S),
        wait=wait_fixed(0.2),
        reraise=True,
    )
    with trouble(f"asking for the members of group {group}"):
        try:
            await admin.start()
            return await tries(_members, admin, group)
        finally:
            await admin.close()


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    """Raises aiokafka's ``KafkaError``, also where it leaves that in the answer: a coordinator may still load."""
    count = 0
    answers: list[Any] = await admin.describe_consumer_groups([group])
    for code, _, _, _, _, found, *_ in (each for answer in answers for each in answer.groups):
        if code:
            raise for_code(code)
        count += len(found)
    return count


async def commit(
    options: Mapping[str, object], group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]
) -> None:
    """Commit offsets for a group; raises ``GroupMovedOn`` where it has members, else ``KafkaTrouble``."""
    consumer = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False, auto_offset_reset="none")
    with trouble(f"committing offsets for group {group}"):
        try:
            await consumer.start()
            consumer.assign(list(offsets))
            await consumer.commit(dict(offsets))
        finally:
            await stop(consumer)
