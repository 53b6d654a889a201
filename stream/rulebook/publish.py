"""Publishing to the topic `programs`: a new edition, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas import rulebook as wire
from stream.errors import Unreachable
from stream.rulebook.edition import Edition, by_program


async def publish(
    options: Mapping[str, object], app: str, topic: str, edition: Edition, documents: Sequence[str]
) -> list[str]:
    """Put ``documents`` in force in place of ``edition``; the programmes that changed, those that ended included.

    ``options`` are aiokafka's client options. Raises ``Unreachable``; then nothing is in force that was not before,
    or all of it.
    """
    now, wanted = datetime.now(UTC), by_program(documents)
    ended = sorted(set(edition.programs) - set(wanted))
    new = sorted(name for name, texts in wanted.items() if edition.programs.get(name) != texts)
    if not (ended or new):
        return []
    # The last record tells which editions were in force before. A tombstone would go one day, so it is never last.
    values: list[tuple[str, bytes | None]] = [(name, None) for name in ended]
    values += [(name, wire.encode(name, wanted[name], now)) for name in new or sorted(wanted)[:1]]
    headers = [(wire.HEADER_EDITIONS, ",".join(edition.remembered()).encode())]
    producer = AIOKafkaProducer(**options, transactional_id=f"{app}-{topic}", acks="all")
    try:
        await producer.start()
        async with producer.transaction():
            for name, value in values:
                await producer.send_and_wait(topic, value, key=name.encode(), partition=0, headers=headers)
    except (KafkaError, OSError) as error:
        raise Unreachable(f"The programmes could not be published to {topic}: {error!r}.") from error
    finally:
        await producer.stop()
    return ended + new
