"""What operators decide, as plain data: programmes, their versions, windows, conditions and awards.

The shell builds these from YAML (``stream.programs``); the core only reads them. Every value is frozen and
compares by meaning, so "the same rules" is ``==``. All times are Unix milliseconds, all lengths milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Topic = Literal["views", "likes", "shares", "comments"]
Metric = Literal["views", "likes", "shares", "comments", "watch_hours"]
SubjectKind = Literal["creator", "video"]
Unit = Literal["day", "week", "month"]

TOPICS: tuple[Topic, ...] = ("views", "likes", "shares", "comments")
METRICS: tuple[Metric, ...] = ("views", "likes", "shares", "comments", "watch_hours")
MS_PER_HOUR = 3_600_000


def topic_of(metric: Metric) -> Topic:
    """The topic whose events feed ``metric``; watch time is carried by views."""
    return "views" if metric == "watch_hours" else metric


@dataclass(frozen=True, slots=True)
class Period:
    """A local calendar period: a day, a week from Monday, or a month, in an IANA time zone."""

    unit: Unit
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last ``length_ms``, moving on by ``step_ms``, which divides it at most 10,000 times."""

    length_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class Tumbling:
    """Back-to-back windows of ``length_ms``, cut from the Unix epoch."""

    length_ms: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Local days, weeks or months."""

    period: Period


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One window a version: from the metric's count start to the version's ``until``."""


Window = Rolling | Tumbling | Calendar | Lifetime


@dataclass(frozen=True, slots=True)
class AtMost:
    """Of one viewer's events on one video (or creator), the first ``per_viewer`` a period count."""

    per_viewer: int
    of: SubjectKind
    period: Period


@dataclass(frozen=True, slots=True)
class Line:
    """What counts of one topic; the default counts everything."""

    min_watch_ms: int = 0
    sources: frozenset[str] | None = None
    paid: bool | None = None
    exclude_self: bool = False
    at_most: AtMost | None = None


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``metric >= threshold``. For ``watch_hours`` the threshold is in ms of watch time, rounded up."""

    metric: Metric
    threshold: int


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part holds. Never empty."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Holds when at least one part holds. Never empty."""

    parts: tuple["Condition", ...]


Condition = AtLeast | All | Any


@dataclass(frozen=True, slots=True)
class Tier:
    """A threshold and what reaching it pays. ``thresholds`` and ``reward`` are carried as written."""

    name: str
    when: Condition
    thresholds: Mapping[str, object] = field(hash=False)
    reward: Mapping[str, object] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Once:
    """One award per (program, tier, subject)."""


@dataclass(frozen=True, slots=True)
class OncePerWindow:
    """One award per window as well. Tumbling and calendar windows only."""


@dataclass(frozen=True, slots=True)
class OncePer:
    """One award per local period that holds the start of a pane at which the tier is reached. Rolling only."""

    period: Period


Award = Once | OncePerWindow | OncePer


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a programme, in force for what starts in ``[from_ms, until_ms)``.

    ``None`` is unbounded. ``until_ms`` is already resolved: where the document leaves it open, it is the next
    version's ``from_ms``. ``lines`` holds a line only for topics that the document narrows.
    """

    number: int
    regions: frozenset[str] | None
    window: Window
    tiers: tuple[Tier, ...]
    from_ms: int | None = None
    until_ms: int | None = None
    count_from_ms: int | None = None
    campaigns: frozenset[str] | None = None
    lines: Mapping[Topic, Line] = field(default_factory=dict, hash=False)

    def line(self, topic: Topic) -> Line:
        """What counts of ``topic``; a topic without a line counts all."""
        return self.lines.get(topic, EVERYTHING)


@dataclass(frozen=True, slots=True)
class Program:
    """A programme: what it judges, how often it pays, and its versions in the order of their ``from_ms``."""

    name: str
    subject: SubjectKind
    award: Award
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The global limits that decide results; the same for worker and backtest."""

    allowed_lateness_ms: int = 3_600_000
    allowed_skew_ms: int = 300_000
    dedupe_window_ms: int = 3_900_000
    topic_lag_ms: int = 3_600_000


EVERYTHING = Line()
