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
    Count,
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
    """When a version is in force, by event time: ``[from, until)``."""

    model_config = ConfigDict(json_schema_extra=None)

    from_: Instant | None = Field(
        default=None,
        alias="from",
        description="The first instant in force. Absent or null: unbounded.",
        examples=["2026-01-01T00:00:00Z"],
    )
    until: Instant | None = Field(
        default=None,
        description="The first instant no longer in force. Absent or null: the next version's `from`, if any. "
        "It may change after the version was loaded.",
        examples=["2026-07-01T00:00:00+02:00"],
    )


class RollingWindow(Strict):
    """The last so many hours or days, moving on step by step."""

    rolling: Duration = Field(description="The length of the window.", examples=["24h"])
    step: Optional[Duration] = Field(
        default=None,
        description="How far apart the panes are at which it is judged; divides `rolling`, at most 10,000 times. "
        "Absent: the largest of 1d, 1h, 10m, 1m, 10s, 1s that divides it and is at most a hundredth of it.",
        examples=["1m"],
    )


class TumblingWindow(Strict):
    """Back-to-back windows cut from the Unix epoch."""

    tumbling: Duration = Field(description="The length of each window.", examples=["1h"])


class CalendarWindow(Strict):
    """Local days, weeks from Monday, or months."""

    calendar: Unit = Field(description="What is one window.", examples=["month"])
    timezone: Timezone = Field(
        default="UTC", description="Where midnight, Monday and the 1st begin.", examples=["America/New_York"]
    )


class LifetimeWindow(Strict):
    """One window for all of a version: from the start of its counts to its ``until``."""

    lifetime: Yes = Field(description="Nothing else can be said.", examples=[True])


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
    """How many events of one viewer count on one video (or creator) in each local calendar period."""

    per_viewer: Count = Field(description="The first so many count, in the order of the log.", examples=[1])
    of: Subject = Field(
        default="video",
        description="What the events are on: each video has places of its own, or a creator's videos share them.",
        examples=["creator"],
    )
    per: Unit = Field(default="day", description="The period of the event's time.", examples=["week"])
    timezone: Timezone = Field(
        default="UTC", description="Where the periods begin.", examples=["America/Los_Angeles"]
    )


class Line(Strict):
    """What counts of a topic; each entry narrows it."""

    sources: Optional[Annotated[list[Source], Field(min_length=1)]] = Field(
        default=None, description="Only events seen in one of these places.", examples=[["for_you", "search"]]
    )
    paid: Optional[Flag] = Field(
        default=None,
        description="false: only unpaid events; true: only paid ones. Absent: both.",
        examples=[False],
    )
    exclude_self: Flag = Field(
        default=False, description="true: not what creators do on their own videos.", examples=[True]
    )
    at_most: Optional[AtMost] = Field(
        default=None,
        description="Of each viewer's events that pass everything else, only the first few in a period.",
        examples=[{"per_viewer": 1}],
    )


class ViewsLine(Line):
    """What counts of the views, and of the watch time they carry."""

    min_watch: LeastWatch = Field(
        default="0s", description="Only views watched at least that long.", examples=["5s"]
    )


class Lines(Strict):
    """A line a topic; a topic without one counts all."""

    views: ViewsLine = Field(
        default=ViewsLine(),
        description="What counts of the views, and for watch_hours.",
        examples=[{"min_watch": "5s", "paid": False}],
    )
    likes: Line = Field(
        default=Line(), description="What counts of the likes.", examples=[{"exclude_self": True}]
    )
    shares: Line = Field(default=Line(), description="What counts of the shares.", examples=[{"paid": False}])
    comments: Line = Field(
        default=Line(),
        description="What counts of the comments.",
        examples=[{"at_most": {"per_viewer": 3, "of": "creator"}}],
    )


def _condition_schema(schema: JsonDict) -> None:
    _without_null(schema)
    schema["minProperties"] = 1


class Condition(Strict):
    """Every key must hold: a metric at or above its threshold, all of a list, any of a list. Never empty."""

    model_config = ConfigDict(json_schema_extra=_condition_schema)

    views: Optional[Count] = Field(default=None, description="At least so many views.", examples=[1000])
    likes: Optional[Count] = Field(default=None, description="At least so many likes.", examples=[500])
    shares: Optional[Count] = Field(default=None, description="At least so many shares.", examples=[100])
    comments: Optional[Count] = Field(default=None, description="At least so many comments.", examples=[50])
    watch_hours: Optional[Hours] = Field(
        default=None,
        description="At least so much watch time of the views that count, compared exactly.",
        examples=[12.5],
    )
    all: Optional[Annotated[list["Condition"], Field(min_length=1)]] = Field(
        default=None, description="Each of these must hold.", examples=[[{"views": 1000}, {"likes": 500}]]
    )
    any: Optional[Annotated[list["Condition"], Field(min_length=1)]] = Field(
        default=None,
        description="At least one of these must hold.",
        examples=[[{"likes": 500}, {"shares": 100}]],
    )

    @model_validator(mode="before")
    @classmethod
    def _some_key(cls, value: object) -> object:
        if value == {}:
            raise PydanticCustomError(EXPECTED, "expected {what}", {"what": CONDITION})
        return value


class Reward(Strict):
    """What a tier pays, carried as written."""

    amount: Amount = Field(description="How much; bonus events carry the same digits.", examples=["5.00"])
    currency: Currency = Field(description="Of what.", examples=["USD"])


class Tier(Strict):
    """A threshold and its reward."""

    name: TierName = Field(
        description="Unique in its document; over all versions one name is one award.", examples=["bronze"]
    )
    when: Condition = Field(description="What must hold.", examples=[{"views": 1000}])
    reward: Reward = Field(
        description="What reaching it pays.", examples=[{"amount": "5.00", "currency": "USD"}]
    )


class OncePer(Strict):
    """One award in each local period; goes with a rolling window."""

    once_per: Unit = Field(
        description="The period that holds the start of the pane at which a tier is reached.",
        examples=["day"],
    )
    timezone: Timezone = Field(
        default="UTC", description="Where the periods begin.", examples=["Asia/Kolkata"]
    )


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

    program: ProgramName = Field(
        description="The programme's name, the same in all its versions.", examples=["creator-rewards"]
    )
    version: Natural = Field(
        description="Its number; a change of policy is a new version with its own dates.", examples=[1]
    )
    effective: Effective = Field(
        default=Effective(),
        description="When the version is in force. Versions must not overlap; a gap is a warning.",
        examples=[{"from": "2026-01-01T00:00:00Z"}],
    )
    count_from: Optional[Instant] = Field(
        default=None,
        description="Counts of the version that would start later start there; not later than `effective.from`. A "
        "line that carries on from a version before keeps an earlier start. Absent: at the `from` of the version "
        "that brought the line.",
        examples=["2025-12-01T00:00:00Z"],
    )
    regions: Regions = Field(
        description="The creators' regions it looks at; counts of different regions never add up.",
        examples=[["US", "GB"]],
    )
    campaigns: Optional[Annotated[list[CampaignId], Field(min_length=1)]] = Field(
        default=None,
        description="Only events that carry one of these campaign ids. Absent: all events.",
        examples=[["acme-24"]],
    )
    subject: Subject = Field(
        description="Whose events are added up; the same in all versions.", examples=["creator"]
    )
    window: Window = Field(
        description="The span of event time that is added up.", examples=[{"rolling": "24h", "step": "1m"}]
    )
    count: Lines = Field(
        default=Lines(),
        description="What counts, a line a topic.",
        examples=[{"views": {"min_watch": "5s", "sources": ["for_you"]}}],
    )
    tiers: Annotated[list[Tier], Field(min_length=1)] = Field(
        description="From the lowest to the highest; each that is reached is awarded.",
        examples=[
            [{"name": "bronze", "when": {"views": 1000}, "reward": {"amount": "5.00", "currency": "USD"}}]
        ],
    )
    award: Award = Field(
        default="once",
        description="How often a tier pays a subject: once and for good, once a window (tumbling, calendar), or "
        "once a local period (rolling). The same in all versions.",
        examples=[{"once_per": "day", "timezone": "America/Los_Angeles"}],
    )
