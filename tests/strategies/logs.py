"""Logs of one partition: events near the limits, duplicates, removes, rejections; and the orders to read them in."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from stream.core.outcome import Event, Rejection
from stream.core.rules import TOPICS, Limits, Topic
from tests.builders import DAY, SECOND
from tests.model import Engagement, Record
from tests.strategies.edges import EDGES, STRIDES


@dataclass(frozen=True)
class Draft:
    """What a record shall be, before its place in the log makes it one.

    The log's clock goes on by ``advance`` (ms, or to the next stride); the record's timestamp is ``delay`` ms
    behind it, and the event occurred ``age`` ms before that. ``pick`` chooses an earlier event for ``kind``.
    """

    topic: Topic
    advance: int | None
    delay: int
    age: int
    kind: str
    pick: int
    event: Engagement


_KINDS = ["event"] * 8 + ["snapped"] * 2 + ["duplicate", "expiring duplicate", "rejection", "no timestamp"]
_REMOVES = ["remove"] * 2 + ["take back"] * 3

_events = st.builds(
    Engagement,
    event_id=st.just(""),
    occurred_at=st.just(0),
    creator_id=st.sampled_from(["ada"] * 5 + ["eve"]),
    video_id=st.sampled_from(["v1", "v1", "v2"]),
    viewer_id=st.sampled_from(["bob", "bob", "cyd", "ada"]),
    region=st.sampled_from(["US"] * 4 + ["GB"]),
    campaign_id=st.sampled_from([None, "c1", "c1", "c2"]),
    watch_ms=st.sampled_from([0, 1, 999, 1_000, 1_500, 2_500]),
    source=st.sampled_from(["for_you"] * 3 + ["other"]),
    paid=st.sampled_from([False, False, True]),
)


@cache
def _drafts(limits: Limits, topics: tuple[Topic, ...], removes: bool) -> st.SearchStrategy[Draft]:
    late, skew = limits.allowed_lateness_ms, limits.allowed_skew_ms
    ages = [0, 1, 500, 1_000, 1_500, 2_000, 2_500, 4_000, 7_000, -1]
    ages = [age for age in ages if age <= late] + [late, late, late - 1, late + 1, -skew, -skew - 1]
    return st.builds(
        Draft,
        topic=st.sampled_from([*topics * 4, "comments"]),
        advance=st.sampled_from(
            [0] * 20 + [1, 500, 500, 500, 1_000, 1_000, 1_000, 2_500, 5_000, late, 2 * late, None]
        ),
        delay=st.sampled_from([0, 0, 0, 0, 500, limits.topic_lag_ms]),
        age=st.sampled_from(ages),
        kind=st.sampled_from(_KINDS + (_REMOVES if removes else [])),
        pick=st.integers(0, 5),
        event=_events,
    )


@cache
@st.composite
def logs(
    draw: st.DrawFn, anchor: int, limits: Limits, topics: tuple[Topic, ...], *, removes: bool
) -> list[Record]:
    """The records of one partition, mostly of ``topics``, as they were appended; the topics are in step."""
    drafts = _drafts(limits, topics, removes)
    least = draw(st.sampled_from([1] + [20] * 5))
    return _Writer(anchor, limits).write(draw(_parts(drafts, least)))


@cache
def _parts(drafts: st.SearchStrategy[Draft], least: int) -> st.SearchStrategy[list[Draft]]:
    return st.lists(drafts, min_size=least, max_size=40)


class _Writer:
    """Appends drafts to a log, each by what the log holds by then."""

    def __init__(self, anchor: int, limits: Limits) -> None:
        self.now = anchor
        self.limits = limits
        self.edges = [anchor + stride + edge for stride in STRIDES for edge in EDGES]
        self.strides = [anchor + stride - 2 * SECOND for stride in STRIDES]
        self.records: list[Record] = []

    def write(self, parts: Sequence[Draft]) -> list[Record]:
        for part in parts:
            own = [record for record in self.records if record.topic == part.topic]
            if part.advance is None:
                self.now = min(
                    (stride for stride in self.strides if stride > self.now), default=self.now + DAY
                )
            else:
                self.now += part.advance
            chosen = _pick(own, part.pick)
            delay = part.delay
            if part.kind == "expiring duplicate" and chosen is not None:
                # Now and one ms ago are the first and the last moment at which the id is free or taken.
                self.now = max(self.now, chosen.timestamp + self.limits.dedupe_window_ms + part.pick % 2)
                delay = 0
            timestamp = -1 if part.kind == "no timestamp" and own else self.now - delay
            decoded = self._decoded(part, self.now - delay - part.age, chosen)
            self.records.append(Record(part.topic, 0, len(own), timestamp, decoded))
        return self.records

    def _decoded(self, part: Draft, at: int, chosen: Record | None) -> Event | Rejection:
        if part.kind == "rejection":
            return Rejection("bad_value", "Nothing can be done with this.")
        if part.kind == "snapped":
            at = min(self.edges, key=lambda edge: abs(edge - at))
        event = replace(part.event, event_id=f"e{len(self.records)}", occurred_at=max(0, at))
        earlier = chosen.decoded if chosen is not None else None
        if part.kind == "remove" and part.topic != "views":
            return replace(event, action="remove")
        if not isinstance(earlier, Engagement):
            return event
        if part.kind == "duplicate":
            # Half of them say something else under the same id.
            return earlier if part.pick % 2 else replace(event, event_id=earlier.event_id)
        if part.kind == "expiring duplicate":
            return replace(event, event_id=earlier.event_id)
        if part.kind == "take back" and part.topic != "views":
            added_at = min(event.occurred_at, earlier.occurred_at)
            taken = replace(earlier, event_id=event.event_id, occurred_at=event.occurred_at, action="remove")
            return replace(taken, added_at=added_at)
        return event


def _pick(records: Sequence[Record], pick: int) -> Record | None:
    """One of the latest records that hold an event."""
    events = [record for record in records if isinstance(record.decoded, Engagement)]
    return events[-1 - pick % len(events)] if events else None


def interleaved(records: Sequence[Record], seed: int) -> list[Record]:
    """The same four logs in another order of processing: topic after topic, or as ``seed`` falls."""
    shuffler = random.Random(seed)
    queues = {topic: [each for each in records if each.topic == topic] for topic in TOPICS}
    topics = [topic for topic in TOPICS if queues[topic]]
    shuffler.shuffle(topics)
    if seed % 4 == 0:
        return [record for topic in topics for record in queues[topic]]
    turns = [record.topic for record in records]
    shuffler.shuffle(turns)
    heads = {topic: iter(queues[topic]) for topic in topics}
    return [next(heads[topic]) for topic in turns]
