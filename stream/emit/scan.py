"""The scan of `bonuses` when a partition is taken: what was paid since the checkpoint, and is not in it.

```
bonuses[p]   ... b b | b b x x b . |        place: of the checkpoint     end: READ_UNCOMMITTED, asked after fencing
                 place           end        x: aborted, .: a control record
```
The end is asked after the ledger was opened: from then on nobody but us can add a committed bonus. It is the
uncommitted end, because the committed one may still stand before a bonus whose transaction is just being closed.
"""

from collections.abc import AsyncIterator, Callable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas import bonuses as wire
from schemas.bonuses import BonusEvent
from stream.access import forbidden
from stream.closing import stop
from stream.core.awards import latch
from stream.core.subject import subject_key
from stream.emit.ledger import LedgerLost
from stream.errors import InputError

_POLL_MS = 50
"""A poll that meets nothing but the end of a transaction waits so long: the scan's last one usually does."""

_SAY_EVERY_POLLS = 200

_REMEDY = "only one may write bonuses; give each its own topic prefix"


async def scan(
    options: Mapping[str, object],
    app: str,
    bonuses: TopicPartition,
    start: int,
    end: int,
    say: Callable[[str], None],
) -> AsyncIterator[list[BonusEvent]]:
    """The committed bonuses in ``[start, end)``, read to the end however long an open transaction holds it back.

    ``options`` are those of aiokafka's consumer. Raises ``LedgerLost`` where reading fails, ``InputError`` for a
    record that this application did not write: the ledger has one writer.
    """
    if start >= end:
        return
    try:
        async for batch in _scan(options, app, bonuses, start, end, say):
            yield batch
    except UnicodeDecodeError as error:
        raise InputError(
            f"{bonuses.topic}/{bonuses.partition} holds a record with a header whose name is no text: it was written "
            f"by another application; {_REMEDY}"
        ) from error
    except (KafkaError, OSError) as error:
        raise forbidden(error, "Read", bonuses.topic) or LedgerLost(
            f"scanning {bonuses.topic}/{bonuses.partition} failed: {error!r}"
        ) from error


def award_of(bonus: BonusEvent) -> tuple[str, str]:
    """What a bonus that was found settles: its subject's key, and the latch."""
    video_id = bonus.subject.id if bonus.subject.kind == "video" else None
    return subject_key(bonus.creator_id, video_id), latch(bonus.program, bonus.tier, bonus.period.start)


async def _scan(
    options: Mapping[str, object],
    app: str,
    bonuses: TopicPartition,
    start: int,
    end: int,
    say: Callable[[str], None],
) -> AsyncIterator[list[BonusEvent]]:
    consumer = AIOKafkaConsumer(
        **options, group_id=None, auto_offset_reset="none", isolation_level="read_committed"
    )
    try:
        await consumer.start()
        consumer.assign([bonuses])
        consumer.seek(bonuses, start)
        polls_at, position = 0, start
        while position < end:
            for records in (await consumer.getmany(bonuses, timeout_ms=_POLL_MS)).values():
                yield [_read(record, app) for record in records]
            reached = await consumer.position(bonuses)
            polls_at = 0 if reached > position else polls_at + 1
            position = reached
            if polls_at and polls_at % _SAY_EVERY_POLLS == 0:
                say(
                    f"{bonuses.topic}/{bonuses.partition} can be read to {position} of {end} only: "
                    "an open transaction holds it back, or its broker is away; waiting"
                )
    finally:
        await stop(consumer)


def _read(record: ConsumerRecord, app: str) -> BonusEvent:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    writer = dict(record.headers).get(wire.HEADER_APP)
    if writer != app.encode():
        named = "without a name" if writer is None else repr(writer.decode(errors="replace"))
        raise InputError(f"{place} was written by another application ({named}, not {app!r}): {_REMEDY}")
    try:
        return wire.decode(record.value)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
