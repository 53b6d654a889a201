"""What the core gives back: bonuses, and records that it turned away. Plain data, no wire format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, final

from stream.core.rules import Metric, SubjectKind, Topic


class Event(Protocol):
    """An engagement event as the core reads it: a decoded, valid record of ``schemas.events``.

    ``occurred_at`` and ``added_at`` are Unix milliseconds, ``watch_ms`` milliseconds.
    """

    event_id: str
    creator_id: str
    video_id: str
    viewer_id: str
    occurred_at: int
    region: str
    campaign_id: str | None
    watch_ms: int
    source: str
    paid: bool
    action: str
    added_at: int | None


@final
class Rejection(NamedTuple):
    """Why a record was not accepted: a code of ``schemas.rejections``, and one sentence for the producer."""

    code: str
    detail: str


class Evidence(NamedTuple):
    """The record after which a tier was first reached."""

    event_id: str
    topic: Topic
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Bonus:
    """A tier reached by a subject, once. Times are Unix ms, half-open spans; ``None`` is unbounded.

    ``metrics`` holds each metric that the condition names, ``watch_hours`` in ms of watch time.
    ``video_id`` is ``None`` for a creator.
    """

    bonus_id: str
    program: str
    program_version: int
    tier: str
    subject: SubjectKind
    creator_id: str
    video_id: str | None
    region: str
    period: tuple[int | None, int | None]
    window: tuple[int | None, int | None]
    metrics: Mapping[Metric, int]
    thresholds: Mapping[str, object]
    reward: Mapping[str, object]
    evidence: Evidence


class Outcome(NamedTuple):
    """What one chunk of one topic-partition came to.

    ``applied`` is how many of its records were, from the first on, and ``looked`` at how many panes for late events.
    ``out_of_step`` counts accepted events that arrived after their topic had been passed by more than ``topic_lag``.
    ``turned_away`` pairs an index into the chunk with the reason; the code ``late`` goes to the topic
    ``late``, every other code to ``rejected``.
    """

    applied: int
    looked: int
    accepted: int
    duplicates: int
    out_of_step: int
    turned_away: list[tuple[int, Rejection]]
    bonuses: list[Bonus]
