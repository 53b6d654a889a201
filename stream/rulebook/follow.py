"""Following the topic `programs`: the edition in force, from the start of the log to its end and on.

```
programs/0    a b . | c . | d e x
                    ^     ^            editions: where a transaction ends (.), never within one
                           x           open: not read before it ends
```
"""

import asyncio
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from schemas import rulebook as wire
from stream.access import forbidden
from stream.asking import patient
from stream.closing import stop
from stream.errors import BonusError, InputError, Unreachable
from stream.rulebook.edition import EMPTY, Edition

_POLL_MS = 500
_TROUBLE_S = 1.0


class Follower:
    """Reads `programs` from its start; ``edition`` is what was read last, up to the end of a transaction.

    Partition 0 holds everything; whatever is in others is not looked at.
    """

    def __init__(self, reader: AIOKafkaConsumer, everything: AIOKafkaConsumer, log: TopicPartition) -> None:
        self._reader, self._everything = reader, everything
        self.log = log
        self.edition = self._draft = EMPTY

    @classmethod
    async def open(cls, options: Mapping[str, object], topic: str) -> "Follower":
        """Connect, with aiokafka consumer ``options``, and read what is committed.

        Raises ``Unreachable``; ``InputError`` where the topic holds something else.
        """
        own = dict(options) | {"group_id": None, "auto_offset_reset": "none"}
        reader, everything = (
            patient(AIOKafkaConsumer(**own, isolation_level=level))
            for level in ("read_committed", "read_uncommitted")
        )
        follower = cls(reader, everything, TopicPartition(topic, 0))
        try:
            await follower._start()
            await follower.catch_up()
        except BaseException as error:
            await follower.close()
            if isinstance(error, (KafkaError, OSError)):
                raise follower._unreadable(error) from error
            raise
        return follower

    async def catch_up(self) -> Edition:
        """Read what is committed by now; the edition there. Raises ``Unreachable``."""
        return await self._read_to_end_of(self._reader)

    async def read_to_end(self) -> Edition:
        """Read all that was written by now, once it is committed or aborted; the edition there.

        This is what a writer needs who has just shut out all others: what they committed a moment ago may not
        count as committed yet. Raises ``Unreachable``.
        """
        return await self._read_to_end_of(self._everything)

    async def is_held_back(self) -> bool:
        """Whether what was written by now ends in what is neither committed nor aborted. Raises ``Unreachable``."""
        try:
            committed = await self._reader.end_offsets([self.log])
            written = await self._everything.end_offsets([self.log])
            return bool(committed[self.log] < written[self.log])
        except (KafkaError, OSError) as error:
            raise self._unreadable(error) from error

    async def follow(self, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        """Read on until closed; ``changed`` is called after each new edition, whoever read it."""
        told = self.edition
        while True:
            try:
                await self._poll()
            except ConsumerStoppedError:
                return
            except (KafkaError, OSError) as error:
                say(f"programmes in force can't be read at the moment: {error!r}")
                await asyncio.sleep(_TROUBLE_S)
            if self.edition is not told:
                told = self.edition
                changed()

    async def close(self) -> None:
        """Let go of the connections."""
        await stop(self._reader)
        await stop(self._everything)

    async def _start(self) -> None:
        await self._reader.start()
        await self._everything.start()
        self._reader.assign([self.log])
        self._reader.seek(self.log, (await self._reader.beginning_offsets([self.log]))[self.log])

    async def _read_to_end_of(self, consumer: AIOKafkaConsumer) -> Edition:
        try:
            end = (await consumer.end_offsets([self.log]))[self.log]
            while self.edition.number < end and await self._reader.position(self.log) < end:
                await self._poll()
        except (KafkaError, OSError) as error:
            raise self._unreadable(error) from error
        return self.edition

    async def _poll(self) -> None:
        try:
            batches = await self._reader.getmany(self.log, timeout_ms=_POLL_MS)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.log.topic}/0 holds a record that is not one of programmes in force: "
                "a header's name is no text."
            ) from error
        for record in batches.get(self.log, []):
            self._draft = _applied(self._draft, record)
        position = await self._reader.position(self.log)
        # A fetch may end within a transaction; all that is stable is whole transactions.
        stable = self._reader.last_stable_offset(self.log)
        if self._draft.number and position > self.edition.number and position >= (stable or 0):
            self.edition = self._draft = Edition(position, self._draft.programs, self._draft.former)

    def _unreadable(self, error: Exception) -> BonusError:
        return forbidden(error, "Read", self.log.topic) or Unreachable(
            f"The programmes in force could not be read from {self.log.topic}: {error!r}."
        )


def _applied(edition: Edition, record: ConsumerRecord) -> Edition:
    programs = dict(edition.programs)
    try:
        name = wire.program_of(record.key)
        if record.value is None:
            programs.pop(name, None)
        else:
            programs[name] = tuple(wire.decode(record.key, record.value))
    except InputError as error:
        raise InputError(f"{record.topic}/{record.partition}/{record.offset}: {error}") from error
    former = wire.editions_before(record.headers)
    return Edition(record.offset + 1, programs, edition.former if former is None else former)
