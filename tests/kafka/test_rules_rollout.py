"""Workers whose folders differ for a while, as in a rolling deployment: all judge by the same rules."""

import asyncio
from pathlib import Path

from stream.programs import load as load_programs
from tests.kafka import logs_of
from tests.kafka.rules_of import Change, adopted, assert_exact, edition_of, put
from tests.kafka.test_rules_changes import BURSTS, PARTITIONS
from tests.kafka.traffic import load
from tests.kafka.workers import Fleet, programs_in

OUT_OF_DATE = (
    "the folder holds programmes that were replaced since; those in force stay. To go back to them: "
    "bonus programs apply"
)


def folder(place: Path) -> Path:
    """One more copy of the sample programmes."""
    place.mkdir()
    return programs_in(place)


async def test_workers_with_different_folders_judge_alike(fleet: Fleet, seed: int, tmp_path: Path) -> None:
    """One that starts with an out-of-date folder warns and changes nothing; when its folder changes both go over,
    each partition at one place, whoever has it."""
    kafka, others = fleet.kafka, folder(tmp_path / "other")
    await kafka.create_topics(partitions=PARTITIONS)
    first = await fleet.start_serving(PARTITIONS)
    start = await edition_of(fleet)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(1_000)
        put(fleet.programs, "bursts.yaml", BURSTS)
        changed_at = await adopted([first], PARTITIONS, before=start.number)
        changed = await edition_of(fleet)

        second = await fleet.start(programs=others)
        await second.said(OUT_OF_DATE, level="warning")
        await second.said("partition taken")
        await going.reached(1_500)
        assert changed == await edition_of(fleet)

        put(others, "bursts.yaml", BURSTS)
        put(others, "more.yaml", BURSTS.replace("program: bursts", "program: more").replace("0.05", "0.07"))
        again_at = await adopted([first, second], PARTITIONS, before=changed.number)
        await going.reached(1_500)
    again = await edition_of(fleet)
    for worker in (first, second):
        await worker.said("programmes adopted", edition=again.number)
    await fleet.settled()
    changes = [Change(changed, changed_at), Change(again, again_at)]
    due = await assert_exact(fleet, start, *changes, at_least=100)
    assert {"bursts", "more"} <= {bonus.program for bonus in due.values()}


async def test_workers_that_start_at_once_with_a_new_folder_publish_it_once(fleet: Fleet, seed: int) -> None:
    """None of them gives up because another was quicker, and the first record is judged by it."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(1_000)
        workers = [await fleet.start() for _ in range(3)]
        await asyncio.gather(*(worker.said("worker ready") for worker in workers))
        await going.reached(1_000)
    await fleet.settled()
    programs = load_programs(fleet.programs).programs
    written = await logs_of.read(kafka.bootstrap, kafka.prefix + "programs")
    assert [each.name for each in programs] == [
        (record.key or b"").decode() for held in written.values() for record in held
    ]
    await assert_exact(fleet, await edition_of(fleet), at_least=100)
    assert [None] * 3 == [worker.code for worker in workers]
