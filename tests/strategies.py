"""Hypothesis strategies: small programmes, and logs whose times crowd around the edges that matter.

Everything happens within a few seconds of an *anchor*: a local midnight in New York on which (or a day before
which) clocks change, the end of a month, the epoch; and of the hours and days after it. The limits are seconds too,
so that a log of a few dozen records meets lateness, clock errors, closed windows and forgotten panes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from hypothesis import strategies as st

from stream.core import rules
from stream.core.outcome import Event, Rejection
from stream.core.rules import Topic
from tests.builders import DAY, HOUR, SECOND
from tests.model import Engagement, Record

LIMITS = rules.Limits(
    allowed_lateness_ms=10 * SECOND,
    allowed_skew_ms=3 * SECOND,
    dedupe_window_ms=13 * SECOND,
    topic_lag_ms=5 * SECOND,
)
NEW_YORK = "America/New_York"


def _ms(local: str) -> int:
    return int(datetime.fromisoformat(local).timestamp() * 1000)


ANCHORS = (
    _ms("2026-03-08T00:00-05:00"),  # a day of 23 hours begins
    _ms("2026-11-01T00:00-04:00"),  # a day of 25 hours and a month begin
    _ms("2026-03-01T00:00+00:00"),  # a month begins, and a day later a week
    20 * SECOND,  # windows reach before the epoch
)
STRIDES = (0, HOUR, 23 * HOUR, DAY, 25 * HOUR)
"""How far after the anchor more edges lie: local midnights again, and far beyond every limit."""

_EDGES = (-8_000, -3_000, -1_500, -1, 0, 1, 500, 1_000, 2_000, 2_500, 3_000, 5_000, 8_000, 12_000, 20_000)

anchors = st.sampled_from(ANCHORS)


# --- Programmes ---


@cache
def times(anchor: int) -> st.SearchStrategy[int]:
    """An instant at an edge, mostly one near the anchor."""
    near = [anchor + edge for edge in _EDGES if anchor + edge > 0]
    return st.sampled_from(
        near * 3 + [anchor + stride + edge for stride in STRIDES[1:] for edge in _EDGES[::3]]
    )


_periods = st.builds(
    rules.Period, st.sampled_from(["day", "week", "month"]), st.sampled_from(["UTC", NEW_YORK])
)

_rolling = st.one_of(
    st.builds(
        lambda step, panes: rules.Rolling(step * panes, step),
        st.sampled_from([500, 1_000, 1_500, 5_000]),
        st.sampled_from([1, 2, 3, 8, 8, 12]),
    ),
    st.sampled_from(
        [rules.Rolling(DAY, HOUR), rules.Rolling(DAY, 10 * SECOND), rules.Rolling(2 * HOUR, 60 * SECOND)]
    ),
)
_tumbling = st.builds(rules.Tumbling, st.sampled_from([1_000, 3_000, 7_000, HOUR, DAY]))
_calendar = st.builds(rules.Calendar, _periods)
_lifetime = st.just(rules.Lifetime())

_lines = st.builds(
    rules.Line,
    min_watch_ms=st.just(0),
    sources=st.sampled_from([None, None, frozenset({"for_you"})]),
    paid=st.sampled_from([None, None, False, False, True]),
    exclude_self=st.booleans(),
)
_view_lines = st.builds(
    lambda line, watch: replace(line, min_watch_ms=watch), _lines, st.sampled_from([0, 0, 1_000])
)

_NARROWED: tuple[tuple[Topic, ...], ...] = (
    (),
    (),
    ("views",),
    ("likes",),
    ("views", "likes"),
    ("likes", "shares"),
)


@cache
@st.composite
def _line_maps(draw: st.DrawFn) -> dict[Topic, rules.Line]:
    """Few lines, of few kinds, so that versions often keep one."""
    lines: dict[Topic, rules.Line] = {}
    for topic in draw(st.sampled_from(_NARROWED)):
        lines[topic] = draw(_view_lines if topic == "views" else _lines)
    return lines


@cache
def _at_least(metric: rules.Metric) -> st.SearchStrategy[rules.Condition]:
    thresholds = (
        st.sampled_from([1, 1_000, 2_500, 4_000])
        if metric == "watch_hours"
        else st.sampled_from([1, 2, 2, 3, 3, 4, 5])
    )
    return st.builds(rules.AtLeast, st.just(metric), thresholds)


@cache
def _conditions(metrics: tuple[rules.Metric, ...]) -> st.SearchStrategy[rules.Condition]:
    leaves = st.one_of([_at_least(metric) for metric in metrics])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(rules.All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(rules.Any, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=4,
    )


@cache
@st.composite
def _tiers(draw: st.DrawFn, one_topic: bool) -> tuple[rules.Tier, ...]:
    tiers = []
    for name in draw(st.sampled_from([("bronze",), ("silver",), ("bronze", "silver")])):
        metrics: tuple[rules.Metric, ...] = ("views", "likes", "shares", "watch_hours")
        if one_topic:
            metrics = draw(st.sampled_from([("views", "watch_hours"), ("likes",), ("likes",), ("shares",)]))
        tiers.append(rules.Tier(name, draw(_conditions(metrics)), {"as": "written"}, {"amount": "5.00"}))
    return tuple(tiers)


@cache
@st.composite
def _spans(draw: st.DrawFn, anchor: int) -> list[tuple[int | None, int | None]]:
    """``effective`` of one to three versions, in order, now and then with a gap between."""
    count = draw(st.sampled_from([1, 1, 2, 2, 3]))
    edges = sorted(draw(st.lists(times(anchor), min_size=2 * count, max_size=2 * count, unique=True)))
    spans: list[tuple[int | None, int | None]] = []
    for index in range(count):
        start: int | None = edges[2 * index]
        end: int | None = edges[2 * index + 1]
        if index == 0 and draw(st.booleans()):
            start = None
        if index == count - 1:
            end = end if draw(st.integers(0, 3)) == 0 else None
        elif draw(st.integers(0, 3)):
            end = edges[2 * index + 2]
        spans.append((start, end))
    return spans


@cache
@st.composite
def programs(
    draw: st.DrawFn, anchor: int, name: str = "rewards", *, one_topic: bool = False
) -> rules.Program:
    """A valid programme around ``anchor``; with ``one_topic`` each tier names metrics of one topic only."""
    award = draw(
        st.one_of(st.just(rules.Once()), st.just(rules.OncePerWindow()), st.builds(rules.OncePer, _periods))
    )
    match award:
        case rules.Once():
            windows = st.one_of(_rolling, _tumbling, _calendar, _lifetime)
        case rules.OncePerWindow():
            windows = st.one_of(_tumbling, _calendar)
        case _:
            windows = st.one_of(_rolling)
    window = draw(windows)
    versions: list[rules.Version] = []
    for number, (start, end) in enumerate(draw(_spans(anchor)), start=1):
        back = draw(st.sampled_from([None, None, None, 0, 1_500, 9_000, 25 * HOUR]))
        keep = bool(versions) and draw(st.booleans())
        versions.append(
            rules.Version(
                number=number,
                regions=draw(st.sampled_from([None, None, None, frozenset({"US"}), frozenset({"US", "GB"})])),
                window=window if draw(st.booleans()) else draw(windows),
                tiers=draw(_tiers(one_topic)),
                from_ms=start,
                until_ms=end,
                count_from_ms=None if start is None or back is None else start - back,
                campaigns=draw(st.sampled_from([None] * 5 + [frozenset({"c1"}), frozenset({"c1", "c2"})])),
                lines=versions[-1].lines if keep else draw(_line_maps()),
            )
        )
    return rules.Program(name, draw(st.sampled_from(["creator", "video"])), award, tuple(versions))


@cache
@st.composite
def program_sets(draw: st.DrawFn, anchor: int, *, one_topic: bool = False) -> list[rules.Program]:
    """One to three programmes."""
    names = ["rewards", "rewards-2", "spotlight"][: draw(st.sampled_from([1, 1, 2, 3]))]
    return [draw(programs(anchor, name, one_topic=one_topic)) for name in names]


# --- Logs ---


@dataclass(frozen=True)
class Draft:
    """What one record shall be, before its place in the log makes it a record. Times in ms."""

    topic: Topic
    advance: int
    delay: int
    age: int
    kind: str
    pick: int
    event: Engagement


_events = st.builds(
    Engagement,
    event_id=st.just(""),
    occurred_at=st.just(0),
    creator_id=st.sampled_from(["ada"] * 5 + ["eve"]),
    video_id=st.sampled_from(["v1", "v1", "v2"]),
    viewer_id=st.sampled_from(["bob", "cyd", "ada"]),
    region=st.sampled_from(["US"] * 5 + ["GB"]),
    campaign_id=st.sampled_from([None, "c1", "c1", "c2"]),
    watch_ms=st.sampled_from([0, 1, 999, 1_000, 1_500, 2_500]),
    source=st.sampled_from(["for_you"] * 3 + ["other"]),
    paid=st.sampled_from([False, False, True]),
)

_LATENESS, _SKEW, _LAG = LIMITS.allowed_lateness_ms, LIMITS.allowed_skew_ms, LIMITS.topic_lag_ms


def drafts(*, removes: bool) -> st.SearchStrategy[Draft]:
    """A record to be: mostly an event, sometimes a duplicate, a rejection or (with ``removes``) a remove."""
    kinds = ["event"] * 8 + ["snapped"] * 2 + ["duplicate", "rejection", "no timestamp"]
    return st.builds(
        Draft,
        topic=st.sampled_from(["views", "views", "likes", "likes", "likes", "shares", "comments"]),
        # -1 stands for: on to the next of the anchor's strides
        advance=st.sampled_from(
            [0] * 12 + [1, 500, 1_000, 1_000, 2_500, 5_000, _LATENESS, 2 * _LATENESS, -1]
        ),
        delay=st.sampled_from([0, 0, 0, 0, 1_000, _LAG]),
        age=st.sampled_from(
            [
                0,
                0,
                1,
                500,
                1_000,
                1_000,
                2_500,
                4_000,
                7_000,
                _LATENESS,
                _LATENESS + 1,
                -1,
                -_SKEW,
                -_SKEW - 1,
            ]
        ),
        kind=st.sampled_from(kinds + (["remove"] * 2 + ["take back"] * 2 if removes else [])),
        pick=st.integers(0, 5),
        event=_events,
    )


def write(anchor: int, parts: Sequence[Draft]) -> list[Record]:
    """The log of ``parts`` in the order of appending; its topics are in step."""
    now = anchor
    records: list[Record] = []
    offsets: dict[Topic, int] = {}
    for number, part in enumerate(parts):
        now = _next_stride(anchor, now) if part.advance < 0 else now + part.advance
        timestamp = -1 if part.kind == "no timestamp" and part.topic in offsets else now - part.delay
        offsets[part.topic] = offsets.get(part.topic, -1) + 1
        decoded = _decoded(part, f"e{number}", max(0, now - part.delay - part.age), records, anchor)
        records.append(Record(part.topic, 0, offsets[part.topic], timestamp, decoded))
    return records


def _next_stride(anchor: int, now: int) -> int:
    ahead = [anchor + stride - 2 * SECOND for stride in STRIDES if anchor + stride - 2 * SECOND > now]
    return min(ahead, default=now + DAY)


def _decoded(
    part: Draft, event_id: str, at: int, records: Sequence[Record], anchor: int
) -> Event | Rejection:
    if part.kind == "rejection":
        return Rejection("bad_value", "Nothing can be done with this.")
    own = [record.decoded for record in records if record.topic == part.topic]
    earlier = [event for event in own if isinstance(event, Engagement)]
    chosen = earlier[-1 - part.pick % len(earlier)] if earlier else None
    if part.kind == "duplicate" and chosen is not None:
        # Half of them say something else under the same id.
        return chosen if part.pick % 2 else replace(part.event, event_id=chosen.event_id, occurred_at=at)
    if part.kind == "take back" and chosen is not None and part.topic != "views":
        added_at = min(at, chosen.occurred_at)
        return replace(chosen, event_id=event_id, occurred_at=at, action="remove", added_at=added_at)
    if part.kind == "remove" and part.topic != "views":
        return replace(part.event, event_id=event_id, occurred_at=at, action="remove")
    if part.kind == "snapped":
        at = min(
            (anchor + stride + edge for stride in STRIDES for edge in _EDGES), key=lambda edge: abs(edge - at)
        )
    return replace(part.event, event_id=event_id, occurred_at=max(0, at))


@cache
@st.composite
def logs(draw: st.DrawFn, anchor: int, *, removes: bool = True, most: int = 40) -> list[Record]:
    """The records of one partition in the order in which they were appended to its topics, which are in step."""
    parts = draw(st.one_of(_draft_lists(removes, 1, most), _draft_lists(removes, most // 2, most)))
    return write(anchor, parts)


@cache
def _draft_lists(removes: bool, least: int, most: int) -> st.SearchStrategy[list[Draft]]:
    return st.lists(drafts(removes=removes), min_size=least, max_size=most)


def interleaved(records: Sequence[Record], seed: int) -> list[Record]:
    """The same four logs in another order of processing: topic after topic, or as ``seed`` falls."""
    shuffler = random.Random(seed)
    queues = {topic: [r for r in records if r.topic == topic] for topic in rules.TOPICS}
    topics = [topic for topic in rules.TOPICS if queues[topic]]
    shuffler.shuffle(topics)
    if seed % 4 == 0:
        return [record for topic in topics for record in queues[topic]]
    turns = [record.topic for record in records]
    shuffler.shuffle(turns)
    heads = {topic: iter(queues[topic]) for topic in topics}
    return [next(heads[topic]) for topic in turns]
