"""What `bonuses`, `rejected` and `late` must hold after a run, and whether they do.

`bonuses` is held against the engine, and against the brute-force model, which shares nothing with it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from aiokafka import ConsumerRecord

from stream.core.rules import TOPICS
from stream.programs.load import load
from stream.topics import RELAYS
from tests.chaos.bounds import EITHER_ORDER, LATE, Between, Due, of_either_order, of_late
from tests.chaos.setup import PARTITIONS, PREFIX
from tests.chaos.world import World
from tests.kafka import logs_of
from tests.kafka.expected import assert_bonuses, assert_turned_away, of_logs, of_model
from tests.kafka.logs_of import Logs

MODEL_RECORDS = 500_000
"""The model takes 13 s for 100,000 records, the engine 5 s: of longer logs it judges some partitions."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How much there was to be right about."""

    records: int
    bonuses: int
    modelled: int
    """In how many partitions the model was asked."""


async def judge(world: World, seed: int) -> Seen:
    """Hold what workers wrote against what the engine makes of the logs: exactly, but for the bonuses that the logs
    don't decide alone, which lie between their bounds."""
    bootstrap = world.brokers.bootstrap
    logs = await logs_of.read(bootstrap, *(PREFIX + topic for topic in TOPICS))
    found = await logs_of.read(bootstrap, PREFIX + "bonuses")
    relayed = await logs_of.read(bootstrap, *(PREFIX + topic for topic in RELAYS))
    exact = [program for program in load(world.fleet.programs).programs if not _is_bounded(program.name)]
    due = of_logs(logs, PREFIX, exact)
    sure = {tp: [each for each in held if not _is_bounded(_program(each))] for tp, held in found.items()}
    assert_bonuses(due.bonuses, sure, exact)
    assert_turned_away(due, relayed, PREFIX)
    asked = modelled(logs, seed)
    found_there = {tp: held for tp, held in sure.items() if tp.partition in asked}
    assert_bonuses(of_model(logs, PREFIX, exact, asked), found_there, exact)
    others = [each for held in found.values() for each in held if _is_bounded(_program(each))]
    bounds = {EITHER_ORDER: of_either_order(logs)} | of_late(logs, world.late)
    assert_between(bounds, others)
    return Seen(sum(map(len, logs.values())), len(due.bonuses) + len(others), len(asked))


def modelled(logs: Logs, seed: int) -> frozenset[int]:
    """The partitions that the model judges: all, or as many as it takes, drawn by the seed; one at least."""
    sizes = Counter[int]()
    for tp, held in logs.items():
        sizes[tp.partition] += len(held)
    chosen, left = set[int](), MODEL_RECORDS
    for number in Random(seed).sample(range(PARTITIONS), PARTITIONS):
        left -= sizes[number]
        if left >= 0 or not chosen:
            chosen.add(number)
    return frozenset(chosen)


def assert_between(bounds: Mapping[str, Between], found: Sequence[ConsumerRecord]) -> None:
    """Each of these bonuses is there once, and each programme's lie between their bounds."""
    bonuses = [json.loads(record.value) for record in found]
    doubled = [each for each, times in Counter(bonus["bonus_id"] for bonus in bonuses).items() if times > 1]
    wrong = [f"{len(doubled)} doubled, such as {doubled[0]}"] if doubled else []
    paid: dict[str, list[Due]] = {name: [] for name in bounds}
    for bonus in bonuses:
        video = bonus["subject"]["id"] if bonus["subject"]["kind"] == "video" else None
        paid[bonus["program"]].append((bonus["creator_id"], video, bonus["period"]["start"]))
    wrong += [f"{name}: {mistake}" for name in bounds for mistake in bounds[name].mistakes(paid[name])]
    assert not wrong, "; ".join(wrong)


def _is_bounded(program: str) -> bool:
    return program == EITHER_ORDER or program.startswith(LATE)


def _program(record: ConsumerRecord) -> str:
    return str(json.loads(record.value)["program"])
