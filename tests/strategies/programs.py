"""Programmes of one to three versions, of all windows, conditions, filters and awards."""

from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from stream.core import rules
from stream.core.rules import Topic
from tests.builders import DAY, HOUR, SECOND
from tests.strategies.edges import NEW_YORK, times

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
_windows: dict[type, st.SearchStrategy[rules.Window]] = {
    rules.Once: st.one_of(_rolling, _rolling, _tumbling, _calendar, st.just(rules.Lifetime())),
    rules.OncePerWindow: st.one_of(_tumbling, _calendar),
    rules.OncePer: st.one_of(_rolling),
}
_awards = st.one_of(st.just(rules.Once()), st.just(rules.OncePerWindow()), st.builds(rules.OncePer, _periods))

_REGIONS = [None, None, frozenset({"US"}), frozenset({"US", "GB"})]
_CAMPAIGNS = [None, None, None, frozenset({"c1"}), frozenset({"c1", "c2"})]


@cache
def _lines(at_most: bool) -> st.SearchStrategy[rules.Line]:
    places = st.builds(rules.AtMost, st.integers(1, 2), st.sampled_from(["video", "creator"]), _periods)
    return st.builds(
        rules.Line,
        sources=st.sampled_from([None, None, frozenset({"for_you"})]),
        paid=st.sampled_from([None, None, False, False, True]),
        exclude_self=st.booleans(),
        at_most=st.one_of(st.none(), places) if at_most else st.none(),
    )


@cache
@st.composite
def _line_maps(draw: st.DrawFn, topics: tuple[Topic, ...], at_most: bool) -> dict[Topic, rules.Line]:
    lines: dict[Topic, rules.Line] = {}
    for topic in topics:
        if draw(st.booleans()):
            lines[topic] = draw(_lines(at_most))
            if topic == "views":
                lines[topic] = replace(lines[topic], min_watch_ms=draw(st.sampled_from([0, 1_000])))
    return lines


def _metrics(topic: Topic) -> tuple[rules.Metric, ...]:
    return ("views", "watch_hours") if topic == "views" else (topic,)


@cache
def _at_least(metric: rules.Metric) -> st.SearchStrategy[rules.Condition]:
    return st.builds(rules.AtLeast, st.just(metric), st.sampled_from(_thresholds(metric)))


def _thresholds(metric: rules.Metric) -> tuple[int, ...]:
    counts = (1, 2, 3, 4, 5, 6, 8, 11, 15)
    return tuple(1_000 * count + 500 for count in counts) if metric == "watch_hours" else counts


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
def _tiers(draw: st.DrawFn, topics: tuple[Topic, ...], one_topic: bool) -> tuple[rules.Tier, ...]:
    """A ladder of tiers over one metric, so that a sum that is wrong by one shows; or a few tiers of any shape.

    A version seldom has just the names of the one before, so it has something left to award. With ``one_topic`` a
    tier's name tells its topic, as over all versions one name is one award.
    """
    names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5, unique=True)
    if draw(st.booleans()):
        metric = draw(st.sampled_from([metric for topic in topics for metric in _metrics(topic)]))
        conditions = [rules.AtLeast(metric, least) for least in _thresholds(metric)]
        rungs = draw(st.lists(st.sampled_from(conditions), min_size=3, max_size=5, unique=True))
        of = f"-{rules.topic_of(metric)}" if one_topic else ""
        return tuple(_tier(name + of, rung) for name, rung in zip(draw(names), rungs, strict=False))
    tiers = []
    for name in draw(names)[:3]:
        named = (draw(st.sampled_from(topics)),) if one_topic else topics
        condition: rules.Condition = draw(
            _conditions(tuple(metric for topic in named for metric in _metrics(topic)))
        )
        tiers.append(_tier(f"{name}-{named[0]}" if one_topic else name, condition))
    return tuple(tiers)


def _tier(name: str, when: rules.Condition) -> rules.Tier:
    return rules.Tier(name, when, {"as": "written"}, {"amount": "5.00", "currency": "USD"})


@cache
@st.composite
def _spans(draw: st.DrawFn, anchor: int) -> list[tuple[int | None, int | None]]:
    """``effective`` of one to three versions, in order, now and then with a gap between."""
    count = draw(st.sampled_from([1, 2, 2, 3]))
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
    draw: st.DrawFn, anchor: int, name: str, topics: tuple[Topic, ...], one_topic: bool, at_most: bool
) -> rules.Program:
    """A valid programme around ``anchor``; half of them count everything, and half of the versions keep what the
    one before counted."""
    award = draw(_awards)
    windows = _windows[type(award)]
    window = draw(windows)
    narrowed = draw(st.booleans())
    versions: list[rules.Version] = []
    for number, (start, end) in enumerate(draw(_spans(anchor)), start=1):
        back = draw(st.sampled_from([None, None, None, 0, 1_500, 9_000, 25 * HOUR]))
        version = rules.Version(
            number=number,
            regions=draw(st.sampled_from(_REGIONS)) if narrowed else None,
            window=window if draw(st.booleans()) else draw(windows),
            tiers=draw(_tiers(topics, one_topic)),
            from_ms=start,
            until_ms=end,
            count_from_ms=None if start is None or back is None else start - back,
        )
        if len(versions) > 0 and draw(st.booleans()):
            version = replace(version, lines=versions[-1].lines, campaigns=versions[-1].campaigns)
        elif narrowed:
            campaigns = draw(st.sampled_from(_CAMPAIGNS))
            version = replace(version, lines=draw(_line_maps(topics, at_most)), campaigns=campaigns)
        versions.append(version)
    return rules.Program(name, draw(st.sampled_from(["creator", "creator", "video"])), award, tuple(versions))


@cache
@st.composite
def program_sets(
    draw: st.DrawFn, anchor: int, topics: tuple[Topic, ...], *, one_topic: bool, at_most: bool
) -> list[rules.Program]:
    """One to three programmes that name metrics of ``topics``."""
    names = ["rewards", "rewards-2", "spotlight"][: draw(st.sampled_from([1, 1, 2, 3]))]
    return [draw(programs(anchor, name, topics, one_topic, at_most)) for name in names]
