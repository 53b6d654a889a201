"""Bonus events as consumers read them from `bonuses`: each tells of one tier that a subject has reached.

`encode` is for the emitter, `decode` for the scan of `bonuses` when a partition is taken. `BonusEvent` is the truth
that the JSON Schema is made from; what `encode` writes is held against it by the tests.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from typing_extensions import TypedDict

from stream.core.outcome import Bonus
from stream.core.rules import MS_PER_HOUR, Topic
from stream.errors import InputError

TOPIC = "bonuses"
TYPE = "threshold_reached"
HEADER_APP = "app"
"""The header that names the application which wrote a bonus: `bonuses` has one writer."""

Count = Annotated[int, Field(ge=0)]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Subject(_Document):
    """Who or what reached the tier."""

    kind: Literal["creator", "video"]
    id: str = Field(description="The creator_id, or the video_id: a video is the pair of both.")


class Span(_Document):
    """A half-open span ``[start, end)`` in Unix ms; null is unbounded, or no span at all."""

    start: int | None
    end: int | None


class Metrics(TypedDict, total=False):
    """The metrics that the tier's condition names."""

    views: Count
    likes: Count
    shares: Count
    comments: Count
    watch_hours: Annotated[float, Field(ge=0, description="Milliseconds of watch time / 3,600,000.")]


class EvidenceRecord(_Document):
    """The record after which the tier was first reached."""

    event_id: str
    topic: Topic = Field(description="Without the prefix that a deployment's topics have.")
    partition: Count
    offset: Count


class BonusEvent(_Document):
    """A tier reached by a creator or a video, once."""

    bonus_id: str = Field(
        pattern="^[0-9a-f]{32}$",
        description="The first 32 hex digits of SHA-256 over the lines program, tier, subject kind, creator_id, "
        "(video_id, for a video), period start in Unix ms or `-`.",
    )
    type: Literal["threshold_reached"]
    program: str = Field(description="The programme that pays.")
    program_version: int = Field(ge=1, description="The version by which the tier was reached.")
    tier: str = Field(description="The tier that was reached.")
    subject: Subject
    creator_id: str = Field(description="The evidence record's; also the Kafka key.")
    region: str = Field(description="The evidence record's.")
    period: Span = Field(description="The span that the award is paid once for; nulls for `once`.")
    window: Span = Field(description="The window over which the conditions held.")
    metrics: Metrics = Field(description="The named metrics in that window, right after the evidence record.")
    thresholds: dict[str, JsonValue] = Field(description="The tier's `when`, as written.")
    reward: dict[str, JsonValue] = Field(
        description="The tier's reward, as written; amounts are decimal strings."
    )
    evidence: EvidenceRecord


def encode(bonus: Bonus) -> bytes:
    """The bonus as compact JSON in UTF-8, fields in the order of `BonusEvent`: about 2 µs."""
    subject_id = bonus.creator_id if bonus.video_id is None else bonus.video_id
    return _encode(
        {
            "bonus_id": bonus.bonus_id,
            "type": TYPE,
            "program": bonus.program,
            "program_version": bonus.program_version,
            "tier": bonus.tier,
            "subject": {"kind": bonus.subject, "id": subject_id},
            "creator_id": bonus.creator_id,
            "region": bonus.region,
            "period": _span(bonus.period),
            "window": _span(bonus.window),
            "metrics": {
                metric: value / MS_PER_HOUR if metric == "watch_hours" else value
                for metric, value in bonus.metrics.items()
            },
            "thresholds": bonus.thresholds,
            "reward": bonus.reward,
            "evidence": bonus.evidence._asdict(),
        }
    )


def decode(value: bytes | None) -> BonusEvent:
    """The bonus event that a record of `bonuses` holds; fields it does not know are ignored.

    Raises:
        InputError: the record is no bonus event: somebody else writes to `bonuses`.
    """
    try:
        return BonusEvent.model_validate_json(value or b"")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "value"
        raise InputError(f"The record is not a bonus event: its {where} is wrong ({fault['msg']}).") from None


def _span(span: tuple[int | None, int | None]) -> dict[str, int | None]:
    start, end = span
    return {"start": start, "end": end}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a bonus event")


# Decimals are thresholds as written: 2.50 stays the number 2.50.
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain).encode
