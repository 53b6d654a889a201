"""Rules that change while workers run: which were in force from which offsets on, and what the engine makes of that.

A test writes files into the fleet's folder, waits until every partition has gone over, and holds `bonuses` against
an engine run that goes over at the very same places.
"""

import asyncio
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import redis
from aiokafka import ConsumerRecord

from schemas.decode import decode
from stream.core.outcome import Bonus
from stream.core.partition import Partition
from stream.core.rules import TOPICS, Limits, Program, Topic
from stream.programs import compile_documents
from stream.rulebook.edition import Edition
from stream.rulebook.follow import Follower
from stream.store.layout import Layout
from stream.worker.body import Body
from stream.worker.rules import adopt, in_force
from tests.kafka import expected, logs_of
from tests.kafka.logs_of import ASK_EVERY_S, Logs
from tests.kafka.workers import PATIENCE_S, Fleet, Worker
from tests.laws.store import Store
from tests.model import Record

Places = Mapping[int, Mapping[Topic, int]]
"""By partition, the first offset of each topic that an edition counts for."""


class Change(NamedTuple):
    """An edition, and where partitions went over to it."""

    edition: Edition
    places: Places


def put(folder: Path, name: str, text: str) -> None:
    """Write a file as deployments do: the folder never holds half of it."""
    fresh = folder / f".{name}"
    fresh.write_text(text)
    fresh.rename(folder / name)


async def edition_of(fleet: Fleet) -> Edition:
    """What is in force, as read from the topic."""
    follower = await Follower.open(fleet.kafka.options, fleet.kafka.prefix + "programs")
    await follower.close()
    return follower.edition


async def adopted(workers: Sequence[Worker], partitions: int, *, before: int) -> Places:
    """Where every partition went over to an edition after the one of this number, as told by their workers."""
    deadline = time.monotonic() + PATIENCE_S
    while len(places := _told(workers, before)) < partitions:
        assert time.monotonic() < deadline, "\n".join(["not all have gone over", *map(str, workers)])
        await asyncio.sleep(ASK_EVERY_S)
    return places


def checkpointed(fleet: Fleet, partitions: int) -> dict[int, Body]:
    """What the checkpoints say of themselves."""
    with redis.Redis.from_url(fleet.redis_url) as client:
        stored = {
            number: client.hget(Layout(fleet.group, number).meta, "body") for number in range(partitions)
        }
    return {number: Body.decode(body) for number, body in stored.items() if isinstance(body, bytes)}


async def all_checkpointed(
    fleet: Fleet, partitions: int, *, since: Mapping[int, Body] | None = None
) -> dict[int, Body]:
    """The checkpoints, once each of so many partitions has one, which says something else than that of ``since``."""
    deadline, before = time.monotonic() + PATIENCE_S, since or {}
    while True:
        found = checkpointed(fleet, partitions)
        if len(found) == partitions and all(body != before.get(number) for number, body in found.items()):
            return found
        assert time.monotonic() < deadline, "\n".join(["some have no new one", *map(str, fleet.started)])
        await asyncio.sleep(ASK_EVERY_S)


async def assert_exact(fleet: Fleet, first: Edition, *changes: Change, at_least: int = 1) -> dict[str, Bonus]:
    """`bonuses` holds what the engine makes of the logs with rules that change at these places, each bonus once."""
    kafka = fleet.kafka
    logs = await logs_of.read(kafka.bootstrap, *(kafka.prefix + topic for topic in TOPICS))
    due = {bonus.bonus_id: bonus for bonus in _run(logs, kafka.prefix, first, changes)}
    found = await logs_of.read(kafka.bootstrap, kafka.prefix + "bonuses")
    named = {
        name: rules
        for edition in (first, *(each.edition for each in changes))
        for name, rules in _rules(edition)
    }
    expected.assert_bonuses(due, found, named.values())
    assert len(due) >= at_least, "too few bonuses were due to tell anything"
    return due


async def metric(port: int, name: str, value: float) -> None:
    """Return once the worker shows this value."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := await asyncio.to_thread(_scrape, port, name)) != value:
        assert time.monotonic() < deadline, f"{name} is {found}, not {value}"
        await asyncio.sleep(ASK_EVERY_S)


def _scrape(port: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics?name[]={name}") as answer:
        [sample] = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    told, value = sample.split()
    assert told == name
    return float(value)


def _told(workers: Sequence[Worker], before: int) -> dict[int, Mapping[Topic, int]]:
    found: dict[int, Mapping[Topic, int]] = {}
    for worker in workers:
        for line in worker.lines:
            edition, number, positions = (line.get(name) for name in ("edition", "partition", "positions"))
            if line["event"] != "programmes adopted" or not isinstance(edition, int) or edition <= before:
                continue
            assert isinstance(number, int)
            assert isinstance(positions, dict)
            assert number not in found, f"partition {number} went over twice"
            found[number] = positions
    return found


def _rules(edition: Edition) -> list[tuple[str, Program]]:
    return [(program.name, program) for program in compile_documents(edition.documents)]


def _run(logs: Logs, prefix: str, first: Edition, changes: Sequence[Change]) -> list[Bonus]:
    found: list[Bonus] = []
    numbers = {tp.partition for tp in logs}
    for number in numbers:
        held = {
            tp.topic.removeprefix(prefix): records for tp, records in logs.items() if tp.partition == number
        }
        rules = in_force(first.number, {}, first.documents, {}, Limits())
        partition, store = Partition(number, rules.plan, Limits(), complete=False), Store()
        for change in changes:
            found += _feed(partition, store, held, len(numbers), change.places[number])
            store.write(partition.cut(), 0)
            rules = adopt(rules, change.edition, partition)
            partition.judge_by(rules.plan)
        found += _feed(partition, store, held, len(numbers), None)
    return found


def _feed(
    partition: Partition,
    store: Store,
    held: Mapping[str, Sequence[ConsumerRecord]],
    partitions: int,
    until: Mapping[Topic, int] | None,
) -> list[Bonus]:
    """Apply what lies between the partition's positions and ``until``."""
    found: list[Bonus] = []
    for topic in TOPICS:
        chunk = [
            Record(
                topic,
                partition.number,
                record.offset,
                record.timestamp,
                decode(record.value, topic, partition.number, partitions),
            )
            for record in held[topic]
            if partition.positions[topic] <= record.offset and (until is None or record.offset < until[topic])
        ]
        if chunk:
            found += store.feed(partition, chunk)
        partition.positions[topic] = max(partition.positions[topic], 0 if until is None else until[topic])
    return found
