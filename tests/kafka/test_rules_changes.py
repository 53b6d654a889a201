"""A folder of programmes that changes while a worker runs, and while none does."""

from collections.abc import Mapping

import pytest
from aiokafka.admin import NewTopic

from schemas.rulebook import ProgramInForce, shown
from stream.topics import PARTITIONED, planned
from tests.kafka import logs_of
from tests.kafka.broker import free_ports
from tests.kafka.logs_of import admin_of
from tests.kafka.rules_of import (
    Change,
    adopted,
    all_checkpointed,
    assert_exact,
    checkpointed,
    edition_of,
    metric,
    put,
)
from tests.kafka.traffic import Sender, Sent, load, new_event, value_of
from tests.kafka.workers import Fleet, Worker

PARTITIONS = 4
SHORT = "2s"
"""A session time-out for tests that are not about its default."""

BURSTS = """
program: bursts
version: 1
regions: all
subject: creator
window: {tumbling: 1m}
tiers: [{name: seen, when: {views: 2}, reward: {amount: "0.05", currency: USD}}]
award: once_per_window
"""
LATER = """
program: bursts
version: 2
effective: {from: 2900-01-01T00:00:00Z}
regions: all
subject: creator
window: {tumbling: 1m}
tiers: [{name: seen, when: {views: 3}, reward: {amount: "0.05", currency: USD}}]
award: once_per_window
"""


async def in_force(fleet: Fleet) -> Mapping[str, ProgramInForce | None]:
    """What a consumer of `programs` knows, by another client: the last record of each key."""
    kafka = fleet.kafka
    messages = logs_of.read_with_librdkafka(
        kafka.bootstrap, kafka.prefix + "programs", fleet.group + "-reader"
    )
    return {
        (message.key() or b"").decode(): None if (value := message.value()) is None else shown(value)
        for message in messages
    }


async def test_a_changed_folder_takes_effect_without_a_restart(fleet: Fleet, seed: int) -> None:
    """It shows in the log, in a metric, in the topic `programs`, and from one place of each partition on in what
    is paid."""
    kafka, [port] = fleet.kafka, free_ports(1)
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start_serving(PARTITIONS, http_port=port)
    before = await edition_of(fleet)
    await metric(port, "bonus_programs_edition", before.number)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(2_000)
        put(fleet.programs, "bursts.yaml", BURSTS)
        await worker.said("programmes published", programs=["bursts"], ended=[])
        places = await adopted([worker], PARTITIONS, before=before.number)
        await going.reached(2_000)
    after = await edition_of(fleet)
    await metric(port, "bonus_programs_edition", after.number)
    published = (await in_force(fleet))["bursts"]
    assert published is not None
    assert (1, 1) == (published.version, published.document and published.document.version)
    await fleet.settled()
    due = await assert_exact(fleet, before, Change(after, places), at_least=100)
    assert {"bursts", "creators"} <= {bonus.program for bonus in due.values()}


@pytest.mark.parametrize("more", [0, 2_000], ids=["at once", "after more traffic"])
async def test_after_a_kill_the_rules_change_where_they_changed_before(
    fleet: Fleet, seed: int, more: int
) -> None:
    """The place is part of the state: whoever takes over neither forgets it nor finds one of its own."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    first = await fleet.start_serving(PARTITIONS, session_timeout=SHORT)
    before = await edition_of(fleet)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(2_000)
        put(fleet.programs, "bursts.yaml", BURSTS)
        await first.said("programmes published")
        if more:
            await adopted([first], PARTITIONS, before=before.number)
            await going.reached(more)
        await first.kill()
        killed_at = checkpointed(fleet, PARTITIONS)
        second = await fleet.start(session_timeout=SHORT)
        await second.said_often(PARTITIONS, "partition taken")
        await going.reached(2_000)
    await fleet.settled()
    after, bodies = await edition_of(fleet), checkpointed(fleet, PARTITIONS)
    for number, body in killed_at.items():
        if body.edition > before.number:
            assert body.since == bodies[number].since
    places = {number: body.since for number, body in bodies.items()}
    assert all(places.values())
    due = await assert_exact(fleet, before, Change(after, places), at_least=100)
    assert any(bonus.program == "bursts" for bonus in due.values())


async def test_a_folder_with_a_mistake_changes_nothing_until_it_is_mended(fleet: Fleet, seed: int) -> None:
    kafka, [port] = fleet.kafka, free_ports(1)
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start_serving(PARTITIONS, http_port=port)
    before = await edition_of(fleet)
    await metric(port, "bonus_programs_refused", 0)
    put(fleet.programs, "bursts.yaml", BURSTS.replace("views: 2", "views: many"))
    line = await worker.said("programmes refused; those in force stay", level="error")
    assert "bursts.yaml:7: tiers[0].when.views: expected an integer" in str(line["reason"])
    await metric(port, "bonus_programs_refused", 1)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(1_000)
    await fleet.settled()
    assert before == await edition_of(fleet)
    await assert_exact(fleet, before, at_least=10)

    put(fleet.programs, "bursts.yaml", BURSTS)
    await adopted([worker], PARTITIONS, before=before.number)
    await metric(port, "bonus_programs_refused", 0)


async def test_a_change_of_a_loaded_version_is_refused_until_it_is_taken_back(fleet: Fleet) -> None:
    kafka, [port] = fleet.kafka, free_ports(1)
    await kafka.create_topics(partitions=PARTITIONS)
    worker = await fleet.start_serving(PARTITIONS, http_port=port)
    before, loaded = await edition_of(fleet), (fleet.programs / "minutes.yaml").read_text()
    put(fleet.programs, "minutes.yaml", loaded.replace("comments: 1", "comments: 3"))
    line = await worker.said("programmes refused; those in force stay", level="error")
    assert str(line["reason"]).startswith("minutes version 1 is loaded already, but its tiers changed: ")
    await metric(port, "bonus_programs_refused", 1)
    put(fleet.programs, "minutes.yaml", loaded)
    await metric(port, "bonus_programs_refused", 0)
    assert before == await edition_of(fleet)


async def test_a_file_that_goes_ends_its_programme_and_coming_back_pays_nobody_twice(fleet: Fleet) -> None:
    """What was awarded stays awarded; who was not paid yet can reach it again."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    put(fleet.programs, "once.yaml", BURSTS.replace("bursts", "once").replace("award: once_per_window", ""))
    worker = await fleet.start_serving(PARTITIONS)
    first = await edition_of(fleet)
    await views(fleet, "ada", "v1", 2)

    (fleet.programs / "once.yaml").rename(fleet.programs.parent / "once.yaml")
    ended_at = await adopted([worker], PARTITIONS, before=first.number)
    ended = await edition_of(fleet)
    await worker.said("programmes published", ended=["once"])
    assert (await in_force(fleet))["once"] is None
    await views(fleet, "bob", "v2", 2)

    (fleet.programs.parent / "once.yaml").rename(fleet.programs / "once.yaml")
    back_at = await adopted([worker], PARTITIONS, before=ended.number)
    for creator in ("ada", "bob"):
        await views(fleet, creator, "v3", 2)
    changes = [Change(ended, ended_at), Change(await edition_of(fleet), back_at)]
    due = await assert_exact(fleet, first, *changes)
    assert ["ada", "bob"] == sorted(bonus.creator_id for bonus in due.values() if bonus.program == "once")
    assert ["v1-1", "v3-1"] == sorted(
        bonus.evidence.event_id.partition("-")[2] for bonus in due.values() if bonus.program == "once"
    )


async def test_a_restart_with_an_unchanged_folder_changes_nothing(fleet: Fleet) -> None:
    """With a changed one it is published."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    first = await fleet.start_serving(PARTITIONS)
    await all_checkpointed(fleet, PARTITIONS)  # a partition without a checkpoint begins with what is in force
    await stop(first)
    written = await logs_of.ends_of(kafka.bootstrap, kafka.prefix + "programs")
    await stop(await fleet.start_serving(PARTITIONS))
    assert written == await logs_of.ends_of(kafka.bootstrap, kafka.prefix + "programs")

    put(fleet.programs, "bursts.yaml", BURSTS + "---" + LATER)
    before = await edition_of(fleet)
    worker = await fleet.start_serving(PARTITIONS)
    await worker.said("programmes published", programs=["bursts"])
    await adopted([worker], PARTITIONS, before=before.number)
    published = (await in_force(fleet))["bursts"]
    assert published is not None
    assert (1, [1, 2]) == (published.version, [each.version for each in published.versions])


async def test_a_missing_topic_of_programmes_is_made(fleet: Fleet) -> None:
    """Compacted, with one partition: a deployment from before there was this topic goes on."""
    kafka = fleet.kafka
    plans = {plan.name: plan for plan in planned(kafka.prefix, PARTITIONS, 1)}
    async with admin_of(kafka.bootstrap) as admin:
        await admin.create_topics(
            [
                NewTopic(plan.name, plan.partitions, 1, topic_configs=dict(plan.configs))
                for plan in plans.values()
                if plan.name.removeprefix(kafka.prefix) in PARTITIONED
            ]
        )
    kafka.created += plans
    await fleet.start_serving(PARTITIONS)
    assert {"creators", "minutes", "videos"} == set(await in_force(fleet))


async def test_a_foreign_record_in_the_topic_of_programmes_is_told_by_its_place(fleet: Fleet) -> None:
    """To a worker that starts, and to one that runs: none judges by rules that others may not understand."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    running = await fleet.start_serving(PARTITIONS)
    place = (await edition_of(fleet)).number
    sender = Sender(kafka.bootstrap, kafka.prefix)
    sender.send(Sent("programs", b'{"not": "ours"}', "p", partition=0))
    await sender.flush()
    for worker in (running, await fleet.start()):
        assert 1 == await worker.ended()
        [sentence] = worker.sentences
        assert sentence.startswith(
            f"{kafka.prefix}programs/0/{place}: The record is not one of programmes in force"
        )


async def stop(worker: Worker) -> None:
    worker.terminate()
    assert await worker.ended() == 0


async def views(fleet: Fleet, creator: str, name: str, times: int) -> None:
    """So many views at once of a creator's video of this name, counted when it returns."""
    sender = Sender(fleet.kafka.bootstrap, fleet.kafka.prefix)
    for number in range(times):
        sender.send(Sent("views", value_of(new_event(f"{creator}-{name}-{number}", creator)), creator))
    await sender.flush()
    await fleet.settled()
