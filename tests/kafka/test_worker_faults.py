"""A mistake in the worker itself, or in what it remembers, ends it: loudly, and with nothing acknowledged."""

import redis

from stream.store.layout import Layout
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import committed_of, ends_of
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import Fleet


def spoil(fleet: Fleet) -> None:
    """Write a field that no worker writes to every subject of partition 0."""
    with redis.Redis.from_url(fleet.redis_url) as client:
        for key in list(client.scan_iter(match=Layout(fleet.group, 0).subject("*"))):
            client.hset(key, "no cell", 1)


async def test_an_exception_ends_the_worker(fleet: Fleet, seed: int) -> None:
    """State that can't be read back: exit code 1, one sentence, and the group stands where it stood. Once the state
    is deleted, it is made again from the logs."""
    kafka, bonuses = fleet.kafka, fleet.kafka.prefix + "bonuses"
    await kafka.create_topics(partitions=1)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=100)
    first = await fleet.start()
    await fleet.settled()
    first.terminate()
    assert await first.ended() == 0
    spoil(fleet)
    committed, paid = (
        await committed_of(kafka.bootstrap, fleet.group),
        await ends_of(kafka.bootstrap, bonuses),
    )

    await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=500)
    second = await fleet.start()
    assert await second.ended() == 1
    [sentence] = second.sentences
    assert "The state of partition 0 in Redis at" in sentence
    assert "is damaged (" in sentence
    assert "no cell" in sentence
    assert committed == await committed_of(kafka.bootstrap, fleet.group)
    assert paid == await ends_of(kafka.bootstrap, bonuses)

    with redis.Redis.from_url(fleet.redis_url) as client:
        client.delete(*client.scan_iter(match=Layout(fleet.group, 0).tag + "*"))
    await fleet.start()
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)
