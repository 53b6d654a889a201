"""Short ways to write programmes and logs in tests; times are Unix ms, ids are filled in."""

from collections import Counter
from collections.abc import Mapping
from typing import TypedDict, Unpack

from stream.core import rules
from stream.core.outcome import Event, Rejection
from tests.model import Engagement, Record

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Least(TypedDict, total=False):
    """Thresholds by metric; ``watch_hours`` in ms."""

    views: int
    likes: int
    shares: int
    comments: int
    watch_hours: int


class EventFields(TypedDict, total=False):
    """What an event may say beside when it occurred."""

    event_id: str
    creator_id: str
    video_id: str
    viewer_id: str
    region: str
    campaign_id: str | None
    watch_ms: int
    source: str
    paid: bool
    added_at: int | None


class VersionFields(TypedDict, total=False):
    """What a version may say beside its window and tiers."""

    number: int
    regions: frozenset[str] | None
    from_ms: int | None
    until_ms: int | None
    count_from_ms: int | None
    campaigns: frozenset[str] | None
    lines: Mapping[rules.Topic, rules.Line]


def least(**thresholds: Unpack[Least]) -> rules.Condition:
    """The condition that needs each metric at least so often."""
    given = tuple(
        rules.AtLeast(metric, thresholds[metric]) for metric in rules.METRICS if metric in thresholds
    )
    return given[0] if len(given) == 1 else rules.All(given)


def tier(
    name: str = "bronze", when: rules.Condition | None = None, **thresholds: Unpack[Least]
) -> rules.Tier:
    """A tier that needs ``when``, or each metric given by name at least so often."""
    reward = {"amount": "5.00", "currency": "USD"}
    return rules.Tier(name, when or least(**thresholds), {"as": "written"}, reward)


def version(window: rules.Window, *tiers: rules.Tier, **fields: Unpack[VersionFields]) -> rules.Version:
    """Version 1, for all regions and in force for ever, unless said otherwise."""
    return rules.Version(
        number=fields.get("number", 1),
        regions=fields.get("regions"),
        window=window,
        tiers=tiers,
        from_ms=fields.get("from_ms"),
        until_ms=fields.get("until_ms"),
        count_from_ms=fields.get("count_from_ms"),
        campaigns=fields.get("campaigns"),
        lines=fields.get("lines", {}),
    )


def program(
    *versions: rules.Version,
    name: str = "rewards",
    subject: rules.SubjectKind = "creator",
    award: rules.Award | None = None,
) -> rules.Program:
    """A programme that judges creators and pays each tier once, unless said otherwise."""
    return rules.Program(name, subject, award or rules.Once(), versions)


class Log:
    """The records of partition 0 in processing order; each topic has its own offsets."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._next: Counter[rules.Topic] = Counter()

    def append(self, topic: rules.Topic, timestamp: int, decoded: Event | Rejection) -> Record:
        """Append any record."""
        record = Record(topic, 0, self._next[topic], timestamp, decoded)
        self._next[topic] += 1
        self.records.append(record)
        return record

    def add(
        self, topic: rules.Topic, at: int, *, arrives: int | None = None, **fields: Unpack[EventFields]
    ) -> Record:
        """Append an event that occurred ``at``, arriving at once and with a new id unless said otherwise."""
        fields.setdefault("event_id", f"{topic}-{self._next[topic]}")
        event = Engagement(occurred_at=at, **fields)
        return self.append(topic, at if arrives is None else arrives, event)

    def remove(
        self, topic: rules.Topic, at: int, *, arrives: int | None = None, **fields: Unpack[EventFields]
    ) -> Record:
        """Append an event that takes an earlier one back."""
        fields.setdefault("event_id", f"{topic}-{self._next[topic]}")
        event = Engagement(occurred_at=at, action="remove", **fields)
        return self.append(topic, at if arrives is None else arrives, event)
