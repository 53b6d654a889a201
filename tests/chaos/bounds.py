"""The two kinds of bonuses that the logs don't decide alone, and what is promised of them all the same.

- A tier that names metrics of several topics, once removes occur, is right for some interleaving of the topics.
- A version that is loaded after its own start counts from what is read since: at least what comes after the place
  that its partition's checkpoint names, at most all there is.

Between these bounds each bonus is there once or not at all.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from aiokafka import TopicPartition

from schemas.decode import decode
from schemas.events import Event
from stream.core.outcome import Bonus
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Topic
from stream.programs import compile_documents
from tests.chaos.setup import PARTITIONS, PREFIX
from tests.kafka.logs_of import Logs

EITHER_ORDER = "either-order"
LATE = "late-"
"""How names of programmes begin that are loaded late."""

_NOWHERE = "ZZ"
"""A region that no late programme counts."""

Due = tuple[str, str | None, int | None]
"""A creator, a video, and the start of a window: what a tier is paid for once."""

Places = Mapping[int, Mapping[Topic, int]]
"""By partition, the first offset of each topic that counts."""


def either_order(tiers: Mapping[str, Mapping[str, int]] | None = None) -> str:
    """The programme whose bonuses hang on the interleaving; with other tiers, a part of it."""
    return _document(EITHER_ORDER, "creator", tiers or {"both": {"views": 2, "likes": 2}}, regions="all")


def late(name: str) -> str:
    """A programme that started long ago, whenever it is loaded."""
    effective = {"from": "2020-01-01T00:00:00Z"}
    return _document(name, "video", {"seen": {"views": 2}}, regions=["US", "GB", "DE"], effective=effective)


def _document(name: str, subject: str, tiers: Mapping[str, Mapping[str, int]], **more: object) -> str:
    """A document that is YAML as well as canonical JSON."""
    reward = {"amount": "0.02", "currency": "USD"}
    own = {
        "program": name,
        "version": 1,
        "subject": subject,
        "window": {"tumbling": "1m"},
        "tiers": [{"name": tier, "when": when, "reward": reward} for tier, when in tiers.items()],
        "award": "once_per_window",
    }
    return json.dumps(own | more)


@dataclass(frozen=True, slots=True)
class Between:
    """What must be paid, and what may be."""

    least: frozenset[Due]
    most: frozenset[Due]

    def mistakes(self, paid: Iterable[Due]) -> list[str]:
        """A sentence for each way in which what was paid lies outside."""
        found = frozenset(paid)
        wrong = {"missing": self.least - found, "false": found - self.most}
        return [f"{len(dues)} {what}, such as {min(dues, key=str)}" for what, dues in wrong.items() if dues]


def of_either_order(logs: Logs) -> Between:
    """What is reached whichever topic is read first must be paid. What each topic reaches for itself may be: some
    interleaving has the highest point of both at once."""
    both = either_order()
    orders = [_dues(_run(logs, both, order)) for order in (TOPICS, TOPICS[::-1])]
    alone = [
        _dues(_run(logs, either_order({metric: {metric: 2}}), [metric])) for metric in ("views", "likes")
    ]
    return Between(frozenset.intersection(*orders), frozenset.intersection(*alone))


def of_late(logs: Logs, since: Mapping[str, Places]) -> dict[str, Between]:
    """Of each: what lies behind the places since which it was in force must be paid, all there is may be."""
    if not since:
        return {}
    most = _dues(_run(logs, late(next(iter(since))), TOPICS))  # they differ in their names only
    return {
        name: Between(_dues(_run(logs, late(name), TOPICS, places)), most) for name, places in since.items()
    }


def _dues(bonuses: Iterable[Bonus]) -> frozenset[Due]:
    return frozenset((bonus.creator_id, bonus.video_id, bonus.period[0]) for bonus in bonuses)


def _run(logs: Logs, document: str, topics: Sequence[Topic], since: Places | None = None) -> list[Bonus]:
    """What the engine pays for the topics, one read after the other, of what lies at ``since`` or later."""
    plan, found = Plan(compile_documents([document])), list[Bonus]()
    for number in range(PARTITIONS):
        partition = Partition(number, plan, Limits())
        for topic in topics:
            first = 0 if since is None else since[number].get(topic, 0)
            records = logs[TopicPartition(PREFIX + topic, number)]
            decoded = [decode(record.value, topic, number, PARTITIONS) for record in records]
            outcome = partition.apply(
                topic,
                [record.offset for record in records],
                [record.timestamp for record in records],
                [
                    msgspec.structs.replace(event, region=_NOWHERE)
                    if record.offset < first and isinstance(event, Event)
                    else event
                    for record, event in zip(records, decoded, strict=True)
                ],
            )
            found += outcome.bonuses
    return found
