"""A programme document: one version of one programme, as operators write it in YAML.

The models check each field; what must hold between fields and between documents is checked by
``stream.programs``. Unknown keys are errors, nothing is converted, and ``null`` is only for the two times of
``effective``. The scalars, and what they mean in milliseconds, are in ``schemas.program_terms``.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from schemas.program_terms import (
    EXPECTED,
    Amount,
    CampaignId,
    Currency,
    Duration,
    Flag,
    Hours,
    Instant,
    LeastWatch,
    Natural,
    ProgramName,
    Region,
    Source,
    Subject,
    TierName,
    Timezone,
    Unit,
    Yes,
    told,
)

AWARDS = "once, once_per_window or {once_per: day|week|month}"
REGIONS = "all, or a list of regions such as [US, GB]"
WINDOWS = "{rolling: 24h}, {tumbling: 1h}, {calendar: day|week|month} or {lifetime: true}"
CONDITION = "at least one of views, likes, shares, comments, watch_hours, all and any"


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError(EXPECTED, "expected {what}", {"what": "a value, or no such key"})
    return value


T = TypeVar("T")
Optional = Annotated[T | None, BeforeValidator(_not_null)]
"""A key that may be absent, and is not ``null`` where it is present."""


def _without_null(schema: JsonDict) -> None:
    """Show an optional key's own type in the generated schema: ``null`` is refused."""
    properties = schema.get("properties")
    for entry in properties.values() if isinstance(properties, dict) else ():
        if not isinstance(entry, dict):
            continue
        match entry.get("anyOf"):
            case [dict() as only, {"type": "null"}]:
                del entry["anyOf"], entry["default"]
                entry.update(only)


class Strict(BaseModel):
    """A mapping whose keys are all known and whose values are taken as they are."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=_without_null)


def _one_of(what: str, **kinds: type) -> Discriminator:
    """Choose among mappings by the key that only one of them has, and among plain values by their type.

    ``kinds`` maps that key (for plain values, any word) to the type. The tag is ``<key>``: it turns up in the
    locations of errors, where its shape tells it apart from the keys that operators write.
    """

    def tag(value: object) -> str | None:
        for key, kind in kinds.items():
            by_key = issubclass(kind, Strict) and isinstance(value, dict) and key in value
            if by_key or isinstance(value, kind):
                return f"<{key}>"
        return None

    return Discriminator(
        tag,
        custom_error_type=EXPECTED,
        custom_error_message="expected {what}",
        custom_error_context={"what": what},
    )


class Effective(Strict):
    """When a version is in force, by event time: ``[from, until)``; absent or null is unbounded."""

    model_config = ConfigDict(json_schema_extra=None)

    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None


class RollingWindow(Strict):
    """The last ``rolling``, moving on by ``step``."""

    rolling: Duration
    step: Optional[Duration] = None


class TumblingWindow(Strict):
    """Back-to-back windows cut from the Unix epoch."""

    tumbling: Duration


class CalendarWindow(Strict):
    """Local days, weeks from Monday, or months."""

    calendar: Unit
    timezone: Timezone = "UTC"


class LifetimeWindow(Strict):
    """One window for all of a version."""

    lifetime: Yes


Window = Annotated[
    Annotated[RollingWindow, Tag("<rolling>")]
    | Annotated[TumblingWindow, Tag("<tumbling>")]
    | Annotated[CalendarWindow, Tag("<calendar>")]
    | Annotated[LifetimeWindow, Tag("<lifetime>")],
    _one_of(
        WINDOWS,
        rolling=RollingWindow,
        tumbling=TumblingWindow,
        calendar=CalendarWindow,
        lifetime=LifetimeWindow,
    ),
]


class AtMost(Strict):
    """Of one viewer's events on one video (or creator), the first ``per_viewer`` in each local period count."""

    per_viewer: Natural
    of: Subject = "video"
    per: Unit = "day"
    timezone: Timezone = "UTC"


class Line(Strict):
    """What counts of a topic; each entry narrows it."""

    sources: Optional[Annotated[list[Source], Field(min_length=1)]] = None
    paid: Optional[Flag] = None
    exclude_self: Flag = False
    at_most: Optional[AtMost] = None


class ViewsLine(Line):
    """What counts of the views, and of the watch time they carry."""

    min_watch: LeastWatch = "0s"


class Lines(Strict):
    """A line a topic; a topic without one counts all."""

    views: ViewsLine = ViewsLine()
    likes: Line = Line()
    shares: Line = Line()
    comments: Line = Line()


def _condition_schema(schema: JsonDict) -> None:
    _without_null(schema)
    schema["minProperties"] = 1


class Condition(Strict):
    """Every key must hold: a metric at or above its threshold, all of a list, any of a list. Never empty."""

    model_config = ConfigDict(json_schema_extra=_condition_schema)

    views: Optional[Natural] = None
    likes: Optional[Natural] = None
    shares: Optional[Natural] = None
    comments: Optional[Natural] = None
    watch_hours: Optional[Hours] = None
    all: Optional[Annotated[list["Condition"], Field(min_length=1)]] = None
    any: Optional[Annotated[list["Condition"], Field(min_length=1)]] = None

    @model_validator(mode="before")
    @classmethod
    def _some_key(cls, value: object) -> object:
        if value == {}:
            raise PydanticCustomError(EXPECTED, "expected {what}", {"what": CONDITION})
        return value


class Reward(Strict):
    """What a tier pays: a decimal, carried as written, and its currency."""

    amount: Amount
    currency: Currency


class Tier(Strict):
    """A threshold and its reward."""

    name: TierName
    when: Condition
    reward: Reward


class OncePer(Strict):
    """One award in each local period."""

    once_per: Unit
    timezone: Timezone = "UTC"


Award = Annotated[
    Annotated[Literal["once", "once_per_window"], told(AWARDS), Tag("<word>")]
    | Annotated[OncePer, Tag("<once_per>")],
    _one_of(AWARDS, word=str, once_per=OncePer),
]
Regions = Annotated[
    Annotated[Literal["all"], told(REGIONS), Tag("<all>")]
    | Annotated[list[Region], Field(min_length=1), Tag("<list>")],
    _one_of(REGIONS, all=str, list=list),
]


class ProgramDocument(Strict):
    """One version of one programme."""

    program: ProgramName
    version: Natural
    effective: Effective = Effective()
    count_from: Optional[Instant] = None
    regions: Regions
    campaigns: Optional[Annotated[list[CampaignId], Field(min_length=1)]] = None
    subject: Subject
    window: Window
    count: Lines = Lines()
    tiers: Annotated[list[Tier], Field(min_length=1)]
    award: Award = "once"
