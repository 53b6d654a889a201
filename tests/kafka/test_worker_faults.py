"""A mistake in the worker itself, or in what it remembers, ends it: loudly, and with nothing acknowledged."""

import pytest
import redis

from stream.store.layout import Layout
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import committed_of, ends_of
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet


def spoil(fleet: Fleet, field: str | None, value: int) -> None:
    """Set a field, or every count, of all subjects of partition 0 to what no worker writes."""
    with redis.Redis.from_url(fleet.redis_url, decode_responses=True) as client:
        for key in list(client.scan_iter(match=Layout(fleet.group, 0).subject("*"))):
            fields = client.hgetall(key)
            assert isinstance(fields, dict)
            counts = [name for name in fields if ":" in name]
            client.hset(key, mapping=dict.fromkeys(counts if field is None else [field], value))


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [("no cell", 1, "'no cell'"), (None, 10**30, "Integer value out of range")],
    ids=["in the core", "in a bonus"],
)
async def test_an_exception_ends_the_worker(
    fleet: Fleet, seed: int, field: str | None, value: int, cause: str
) -> None:
    """State that can't be counted on, or a bonus that can't be written: exit code 1, one sentence, and the group
    stands where it stood. Once the state is deleted, it is made again from the logs."""
    kafka, bonuses = fleet.kafka, fleet.kafka.prefix + "bonuses"
    await kafka.create_topics(partitions=1)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=100)
    first = await fleet.start()
    await fleet.settled()
    first.terminate()
    assert await first.ended() == 0
    spoil(fleet, field, value)
    committed, paid = (
        await committed_of(kafka.bootstrap, fleet.group),
        await ends_of(kafka.bootstrap, bonuses),
    )

    await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=500)
    second = await fleet.start()
    assert await second.ended() == 1
    [sentence] = second.sentences
    assert cause in sentence
    assert committed == await committed_of(kafka.bootstrap, fleet.group)
    assert paid == await ends_of(kafka.bootstrap, bonuses)

    with redis.Redis.from_url(fleet.redis_url) as client:
        client.delete(*client.scan_iter(match=Layout(fleet.group, 0).tag + "*"))
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)
