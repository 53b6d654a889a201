"""Publishing to the topic `programs`: a new edition, in one transaction, and always in place of the one before.

All publishers share one transactional id. Opening the producer shuts out whoever published before, so what is then
read to the end of the log stays as it is until our own transaction, or until another publisher shuts us out: that
fails our transaction, and everything is looked at again.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordTooLargeError,
    UnknownError,
)

from schemas import rulebook as wire
from stream.access import forbidden
from stream.closing import discard
from stream.errors import InputError, Unreachable
from stream.orphans import end_orphan
from stream.rulebook.edition import Difference, Edition, by_program, difference
from stream.rulebook.follow import Follower

MAX_RECORD_BYTES = 64 * 1024 * 1024
"""More than a folder can hold: whether a record is too large is for the topic to say."""

_MOST_TRIES = 20
_FENCED_S = 0.5
"""After being shut out by another publisher, a random part of this passes, so that one of the two gets through."""


async def publish(
    options: Mapping[str, object], app: str, follower: Follower, decide: Callable[[Edition], Sequence[str]]
) -> Difference:
    """Put in force what ``decide`` makes of the edition in force; what that did to it, nothing perhaps.

    ``options`` are aiokafka's client options, ``app`` the group whose programmes these are. What ``decide`` raises
    leaves everything as it was; it may be asked more than once. On return ``follower`` has read the new edition.

    Raises ``Unreachable``; then nothing is in force that was not before, or all of it. ``InputError`` where the topic
    does not take a record so large.
    """
    for _ in range(_MOST_TRIES):
        try:
            return await _publish(options, app, follower, decide)
        except (MessageSizeTooLargeError, RecordTooLargeError) as error:
            raise InputError(
                f"A programme with all its versions is too large for {follower.log.topic}: raise max.message.bytes "
                "of that topic, or end the programme and go on under another name."
            ) from error
        except (KafkaError, OSError) as error:
            if not _is_shut_out(error):
                raise forbidden(error, "Write") or Unreachable(
                    f"The programmes could not be published to {follower.log.topic}: {error!r}."
                ) from error
        await asyncio.sleep(random.uniform(0, _FENCED_S))
    raise Unreachable(
        f"The programmes could not be published to {follower.log.topic}: others publish all the time, or the broker "
        "does not say how a transaction ends; its log would tell."
    )


def _is_shut_out(error: Exception) -> bool:
    """Whether another publisher came between, or may have.

    Kafka 4.3.1 trips over its own state where a commit meets another's shutting out: it commits nothing, and answers
    with an unknown error.
    """
    return isinstance(error, ProducerFenced) or isinstance(error.__cause__, UnknownError)


async def _publish(
    options: Mapping[str, object], app: str, follower: Follower, decide: Callable[[Edition], Sequence[str]]
) -> Difference:
    producer = AIOKafkaProducer(
        **options,
        transactional_id=f"{app}-{follower.log.topic}",
        acks="all",
        max_request_size=MAX_RECORD_BYTES,
    )
    try:
        await producer.start()
        if await follower.is_held_back():
            await end_orphan(producer, follower.log)
        edition = await follower.read_to_end()
        documents = decide(edition)
        found = difference(edition, documents)
        if found:
            await _write(producer, follower, edition, by_program(documents), found)
    finally:
        await discard(producer)
    await follower.read_to_end()
    return found


async def _write(
    producer: AIOKafkaProducer,
    follower: Follower,
    edition: Edition,
    wanted: Mapping[str, Sequence[str]],
    found: Difference,
) -> None:
    now_ms = time.time_ns() // 1_000_000
    # The last record tells which editions were in force before. A tombstone would go one day, so it is never last.
    values: list[tuple[str, bytes | None]] = [(name, None) for name in found.ended]
    values += [
        (name, wire.encode(name, wanted[name], now_ms)) for name in found.published or found.unchanged[:1]
    ]
    headers = [(wire.HEADER_EDITIONS, ",".join(edition.remembered()).encode())]
    topic, partition = follower.log
    # Not as a context: on its way out that waits for a broker that is away, to have it abort what nobody commits.
    await producer.begin_transaction()
    for name, value in values:
        await producer.send_and_wait(topic, value, key=name.encode(), partition=partition, headers=headers)
    await producer.commit_transaction()
