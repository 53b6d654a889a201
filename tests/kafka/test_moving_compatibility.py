"""State that a release has written is gone on with by every later one: to exactly the bonuses of the whole log."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer

from schemas import bonuses as wire
from stream.core.outcome import Bonus
from stream.core.rules import TOPICS, Limits
from stream.programs.load import load
from stream.transport.identity import Logs
from tests import model
from tests.data import state
from tests.kafka.logs_of import read
from tests.kafka.moves import stop
from tests.kafka.traffic import FLUSH_S, value_of
from tests.kafka.workers import Fleet
from tests.model import Engagement, Record


def send(fleet: Fleet, records: Iterable[Record]) -> None:
    """Write records to the inputs, with their timestamps, where they must lie."""
    producer = Producer({"bootstrap.servers": fleet.kafka.bootstrap})
    for record in records:
        assert isinstance(record.decoded, Engagement)
        event = {name: value for name, value in asdict(record.decoded).items() if value is not None}
        producer.produce(
            fleet.kafka.prefix + record.topic, value_of(event), partition=0, timestamp=record.timestamp
        )
    assert producer.flush(FLUSH_S) == 0


def send_paid(fleet: Fleet, bonuses: Iterable[Bonus]) -> None:
    """Write the bonuses that were paid before."""
    producer = Producer({"bootstrap.servers": fleet.kafka.bootstrap})
    headers: dict[str, str | bytes | None] = {wire.HEADER_APP: fleet.group}
    for bonus in bonuses:
        producer.produce(
            fleet.kafka.prefix + "bonuses", wire.encode(bonus), bonus.creator_id, partition=0, headers=headers
        )
    assert producer.flush(FLUSH_S) == 0


async def make_ours(fleet: Fleet, held: state.State) -> None:
    """Put a recorded state into Redis, as if it had been counted from these very topics."""
    state.put(held, fleet.redis_url, fleet.group)
    names = {topic: fleet.kafka.prefix + topic for topic in (*TOPICS, "bonuses")}
    logs = await Logs.open(fleet.kafka.options, names.values())
    await logs.close()
    with redis.Redis.from_url(fleet.redis_url) as client:
        meta = f"{{{fleet.group}:0}}:meta"
        body = json.loads(client.hget(meta, "body") or "")
        body["cluster"] = logs.identity.cluster
        body["topics"] = {topic: logs.identity.topics[name].id for topic, name in names.items()}
        client.hset(meta, "body", json.dumps(body))


@pytest.mark.parametrize("path", state.STATES, ids=lambda path: path.stem)
async def test_a_recorded_state_is_gone_on_with(fleet: Fleet, path: Path) -> None:
    """What it holds of counts, removes, places, ids and awards makes what follows exact."""
    held, fleet.programs = state.State.read(path), state.PROGRAMS
    programs = load(state.PROGRAMS).programs
    paid = model.bonuses(programs, held.before, Limits())
    expected = model.bonuses(programs, [*held.before, *held.after], Limits())
    await fleet.kafka.create_topics(partitions=1, create_time=True)
    send(fleet, held.before)
    send_paid(fleet, paid.values())
    await make_ours(fleet, held)

    worker = await fleet.start(allow_create_time=True)
    taken = await worker.said("partition taken")
    assert len(held.before) == sum(dict(taken["positions"]).values())  # type: ignore[call-overload]
    assert taken["bonuses_found"] == 0
    send(fleet, held.after)
    await fleet.settled()
    await stop(worker)

    found = await read(fleet.kafka.bootstrap, fleet.kafka.prefix + "bonuses")
    shown = [json.loads(record.value) for records in found.values() for record in records]
    assert Counter(expected.keys()) == Counter(bonus["bonus_id"] for bonus in shown)
    assert len(expected) > len(paid) + 20
    for bonus in shown:
        assert json.loads(wire.encode(expected[bonus["bonus_id"]])) == bonus
