"""Following the topic `programs`: the edition in force, from the start of the log to its end and on."""

import asyncio
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from schemas import rulebook as wire
from stream.errors import InputError, Unreachable
from stream.rulebook.edition import EMPTY, Edition

_POLL_MS = 500
_TROUBLE_S = 1.0


class Follower:
    """Reads `programs` from its start; ``edition`` is what was read last.

    Partition 0 holds everything; whatever is in others is not looked at.
    """

    def __init__(self, consumer: AIOKafkaConsumer, log: TopicPartition) -> None:
        self._consumer = consumer
        self._log = log
        self.edition = EMPTY

    @classmethod
    async def open(cls, options: Mapping[str, object], topic: str) -> "Follower":
        """Connect, with aiokafka consumer ``options``, and read to the end.

        Raises ``Unreachable``; ``InputError`` where the topic holds something else.
        """
        consumer = AIOKafkaConsumer(
            **options, group_id=None, auto_offset_reset="none", isolation_level="read_committed"
        )
        log = TopicPartition(topic, 0)
        follower = cls(consumer, log)
        try:
            await consumer.start()
            consumer.assign([log])
            consumer.seek(log, (await consumer.beginning_offsets([log]))[log])
            await follower.read_to_end()
        except (KafkaError, OSError) as error:
            await consumer.stop()
            raise Unreachable(
                f"The programmes in force could not be read from {topic}: {error!r}."
            ) from error
        return follower

    async def read_to_end(self) -> Edition:
        """Read up to the present end of the log; the edition there."""
        end = (await self._consumer.end_offsets([self._log]))[self._log]
        while await self._consumer.position(self._log) < end:
            await self._poll()
        return self.edition

    async def follow(self, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        """Read on until closed; ``changed`` is called after each new edition."""
        while True:
            before = self.edition
            try:
                await self._poll()
            except ConsumerStoppedError:
                return
            except (KafkaError, OSError) as error:
                say(f"programmes in force can't be read at the moment: {error!r}")
                await asyncio.sleep(_TROUBLE_S)
            if self.edition is not before:
                changed()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._consumer.stop()

    async def _poll(self) -> None:
        batches = await self._consumer.getmany(self._log, timeout_ms=_POLL_MS)
        for record in batches.get(self._log, []):
            self.edition = _applied(self.edition, record)
        number = await self._consumer.position(self._log)
        if self.edition.programs and number > self.edition.number:
            self.edition = Edition(number, self.edition.programs, self.edition.former)


def _applied(edition: Edition, record: ConsumerRecord) -> Edition:
    name = (record.key or b"").decode()
    programs = dict(edition.programs)
    if record.value is None:
        programs.pop(name, None)
    else:
        try:
            programs[name] = tuple(wire.decode(record.value))
        except InputError as error:
            raise InputError(f"{record.topic}/{record.partition}/{record.offset}: {error}") from error
    said = dict(record.headers).get(wire.HEADER_EDITIONS, b"").decode()
    return Edition(record.offset + 1, programs, tuple(said.split(",")) if said else edition.former)
