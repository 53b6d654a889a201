"""When a version is loaded: before its start, and after it."""

import time
from collections.abc import Mapping

from schemas.program_terms import instant_text
from stream.core.outcome import Bonus
from stream.core.rules import Metric
from tests.kafka import expected
from tests.kafka.rules_of import Change, adopted, assert_exact, edition_of, put
from tests.kafka.test_rules_changes import PARTITIONS, views
from tests.kafka.traffic import load
from tests.kafka.workers import Fleet

LATE = "version loaded after its start: what it brings counts from here on"
SOON_MS = 20_000

STEADY = """
program: steady
version: {version}
effective: {{from: {start}}}
regions: all
subject: creator
window: {{rolling: 1h, step: 1s}}
tiers: [{{name: {tier}, when: {{views: {views}}}, reward: {{amount: "0.05", currency: USD}}}}]
"""


def steady(version: int, start_ms: int, tier: str, views: int) -> str:
    """A version of a programme that counts all views, and pays one tier."""
    return STEADY.format(version=version, start=instant_text(start_ms), tier=tier, views=views)


def now_ms() -> int:
    return int(time.time() * 1000)


async def test_a_version_loaded_before_its_start_gives_what_a_backtest_gives(fleet: Fleet, seed: int) -> None:
    """A new programme, and a version that carries its line on: as if known from the first record."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    old = steady(1, now_ms() - 86_400_000, "old", 4)
    put(fleet.programs, "steady.yaml", old)
    worker = await fleet.start_serving(PARTITIONS)
    before = await edition_of(fleet)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(1_500)
        start_ms = now_ms() + SOON_MS
        put(fleet.programs, "steady.yaml", old + "---" + steady(2, start_ms, "new", 30))
        put(
            fleet.programs,
            "soon.yaml",
            steady(1, start_ms, "t", 3).replace("program: steady", "program: soon"),
        )
        await adopted([worker], PARTITIONS, before=before.number)
        assert now_ms() < start_ms
        while now_ms() < start_ms:
            await going.reached(500)
        await going.reached(3_000)
    await fleet.settled()
    due = await expected.assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=100)
    versions = {(bonus.program, bonus.program_version) for bonus in due.bonuses.values()}
    assert {("steady", 1), ("steady", 2), ("soon", 1)} <= versions
    assert not [line for line in worker.lines if line["event"] == LATE]


async def test_a_version_loaded_after_its_start_counts_what_is_read_since_and_says_so(fleet: Fleet) -> None:
    """What it brings starts at nothing, although its start lies before; a line that it carries on carries on."""
    kafka, yesterday_ms = fleet.kafka, now_ms() - 86_400_000
    await kafka.create_topics(partitions=PARTITIONS)
    old = steady(1, yesterday_ms, "old", 100)
    put(fleet.programs, "steady.yaml", old)
    worker = await fleet.start_serving(PARTITIONS)
    before = await edition_of(fleet)
    await views(fleet, "ada", "early", 3)

    put(fleet.programs, "steady.yaml", old + "---" + steady(2, now_ms() - 3_600_000, "carried-on", 5))
    put(
        fleet.programs,
        "brought.yaml",
        steady(1, yesterday_ms, "t", 3).replace("program: steady", "program: brought"),
    )
    places = await adopted([worker], PARTITIONS, before=before.number)
    for program, version in (("steady", 2), ("brought", 1)):
        await worker.said(LATE, level="warning", program=program, version=version)
    change = Change(await edition_of(fleet), places)
    await views(fleet, "ada", "late", 2)
    due = await assert_exact(fleet, before, change)
    assert {("steady", "carried-on"): {"views": 5}} == metrics_of(due)
    await views(fleet, "ada", "later", 1)
    due = await assert_exact(fleet, before, change)
    assert {("steady", "carried-on"): {"views": 5}, ("brought", "t"): {"views": 3}} == metrics_of(due)


def metrics_of(due: Mapping[str, Bonus]) -> dict[tuple[str, str], Mapping[Metric, int]]:
    """What was counted for each tier of these tests that was reached."""
    return {
        (bonus.program, bonus.tier): bonus.metrics
        for bonus in due.values()
        if bonus.program in ("steady", "brought")
    }


async def test_a_restart_is_no_new_load(fleet: Fleet, seed: int) -> None:
    """What was loaded late counts on from where it was loaded, also at another worker."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    first = await fleet.start_serving(PARTITIONS)
    before = await edition_of(fleet)
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        await going.reached(1_500)
        put(fleet.programs, "steady.yaml", steady(1, now_ms() - 3_600_000, "t", 12))
        places = await adopted([first], PARTITIONS, before=before.number)
        await going.reached(1_500)
        first.terminate()
        assert await first.ended() == 0
        second = await fleet.start_serving(PARTITIONS)
        await going.reached(1_500)
    await fleet.settled()
    due = await assert_exact(fleet, before, Change(await edition_of(fleet), places), at_least=100)
    assert any(bonus.program == "steady" for bonus in due.values())
    assert not [line for line in second.lines if line["event"] in (LATE, "programmes adopted")]
