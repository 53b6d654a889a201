"""The brute-force model: what the bonuses of a log are, written to be believed by reading.

``bonuses`` walks the records in the order in which they are processed, keeps every accepted event in one
list, and after every record adds up, from that list alone, each window that the record could have changed. It
keeps no counters, prunes nothing and shares nothing between programmes; the engine must come to the same.

Where the contract leaves a choice, the model takes it as follows:

- before a topic-partition's first timestamp there is no arrival, and every event is a clock error;
- a view is an add of ``watch_hours`` too, however short it was, so its pane is judged for that metric;
- a pane keeps "holding an add" after the add was taken back;
- ``count_from`` can only move a count's start earlier: a line that carries on from before keeps its start;
- a line that carries on from a version with ``count_from`` carries on from that time;
- of several panes and windows reached at one record the earlier is the one that starts first; for a lifetime
  window, which may count from before its version is in force, that is the version's ``from``;
- the earlier version is the one before by ``from``, whatever its number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from stream.core import rules
from stream.core.outcome import Bonus, Event, Evidence, Rejection
from stream.core.rules import Topic
from tests.model_calendar import period_of


@dataclass
class Engagement:
    """An engagement event with everything but its place and time filled in."""

    event_id: str
    occurred_at: int
    creator_id: str = "ada"
    video_id: str = "v1"
    viewer_id: str = "bob"
    region: str = "US"
    campaign_id: str | None = None
    watch_ms: int = 0
    source: str = "other"
    paid: bool = False
    action: str = "add"
    added_at: int | None = None


class Record(NamedTuple):
    """A record of a log: where it lies, its Kafka timestamp in ms (-1: none), and what it holds."""

    topic: Topic
    partition: int
    offset: int
    timestamp: int
    decoded: Event | Rejection


class Verdict(NamedTuple):
    """``accepted``, ``duplicate``, ``late`` or the code of a rejection; and the arrival it was decided by."""

    code: str
    arrival: int | None


class Accepted(NamedTuple):
    """An accepted event with its record and arrival."""

    record: Record
    event: Event
    arrival: int


class Counted(NamedTuple):
    """One event that counts: +1 or -1, and its watch time, at a point of event time."""

    topic: Topic
    at: int
    amount: int
    watch_ms: int


Span = tuple[int | None, int | None]
"""A half-open span of time in ms; ``None`` is unbounded."""


class Judged(NamedTuple):
    """A pane or window that is judged: where it starts, and what it sums over."""

    starts: int | None
    window: Span


# --- Which records count at all --------------------------------------------------------------------------


def verdicts(records: Sequence[Record], limits: rules.Limits) -> list[Verdict]:
    """What becomes of each record, decided from its own topic-partition alone."""
    arrivals: dict[tuple[Topic, int], int] = {}
    remembered: dict[tuple[Topic, int, str], int] = {}
    result = []
    for record in records:
        log = record.topic, record.partition
        # Arrival: the running maximum of the timestamps, all records included; -1 changes nothing.
        if record.timestamp != -1:
            arrivals[log] = max(record.timestamp, arrivals.get(log, record.timestamp))
        arrival = arrivals.get(log)
        code = _verdict(record.decoded, arrival, remembered, log, limits)
        result.append(Verdict(code, arrival))
        # Only an accepted event's id is remembered, and a duplicate does not renew the time.
        if code == "accepted" and not isinstance(record.decoded, Rejection) and arrival is not None:
            remembered[(*log, record.decoded.event_id)] = arrival
    return result


def _verdict(
    decoded: Event | Rejection,
    arrival: int | None,
    remembered: dict[tuple[Topic, int, str], int],
    log: tuple[Topic, int],
    limits: rules.Limits,
) -> str:
    """Rejected, clock error, late, duplicate, accepted: the first that fits, in this order."""
    if isinstance(decoded, Rejection):
        return decoded.code
    if arrival is None or decoded.occurred_at - arrival > limits.allowed_skew_ms:
        return "clock_error"
    if arrival - decoded.occurred_at > limits.allowed_lateness_ms:
        return "late"
    accepted_at = remembered.get((*log, decoded.event_id))
    if accepted_at is not None and arrival - accepted_at <= limits.dedupe_window_ms:
        return "duplicate"
    return "accepted"


# --- What a version counts -------------------------------------------------------------------------------


def count_start(program: rules.Program, index: int, topic: Topic, region: str) -> int | None:
    """When the count of ``topic`` in ``region`` began, for the version at ``index``; ``None``: always.

    It is the ``from`` of the version that brought the line and the region; a line left equal carries on from
    the version before it, also across a gap.
    """
    version = program.versions[index]
    own = version.from_ms if version.count_from_ms is None else version.count_from_ms
    if index == 0:
        return own
    before = program.versions[index - 1]
    same_line = version.line(topic) == before.line(topic) and version.campaigns == before.campaigns
    if same_line and _in_regions(before, region):
        return earliest([own, count_start(program, index - 1, topic, region)])
    return own


def counted(
    program: rules.Program,
    index: int,
    region: str,
    subject: tuple[str, ...],
    accepted: Sequence[Accepted],
    limits: rules.Limits,
) -> list[Counted]:
    """The events of ``subject`` and ``region`` that count for the version at ``index``.

    Counts are kept per region, and a programme looks only at its own regions. Events of other subjects matter
    only in that they take places: those of all of a creator's videos, where ``at_most`` is of the creator.
    """
    version = program.versions[index]
    if not _in_regions(version, region):
        return []
    result = []
    places = _Places(limits)
    for item in accepted:
        topic, event = item.record.topic, item.event
        if event.region != region or not passes(version, topic, event):
            continue
        # A remove is -1 in the pane of its added_at, else of its occurred_at.
        removes = event.action == "remove"
        at = event.added_at if removes and event.added_at is not None else event.occurred_at
        if not within(at, (count_start(program, index, topic, region), None)):
            continue
        if places.counts(version.line(topic).at_most, item, at) and _subject(program, event) == subject:
            result.append(Counted(topic, at, -1 if removes else 1, event.watch_ms))
    return result


def passes(version: rules.Version, topic: Topic, event: Event) -> bool:
    """Whether an event passes the filters and campaigns; a remove must pass them too."""
    line = version.line(topic)
    return (
        (version.campaigns is None or event.campaign_id in version.campaigns)
        and (topic != "views" or event.watch_ms >= line.min_watch_ms)
        and (line.sources is None or event.source in line.sources)
        and (line.paid is None or event.paid == line.paid)
        and not (line.exclude_self and event.viewer_id == event.creator_id)
    )


class _Places:
    """``at_most``: a viewer's adds that count and are not yet taken back, per line and local period."""

    def __init__(self, limits: rules.Limits) -> None:
        self._limits = limits
        self._taken: dict[tuple[Topic, str, str, str, int], int] = {}

    def counts(self, at_most: rules.AtMost | None, item: Accepted, at: int) -> bool:
        """Whether the event counts; takes a place for an add, frees one for a remove."""
        if at_most is None:
            return True
        event = item.event
        start, end = period_of(at_most.period, at)
        video = event.video_id if at_most.of == "video" else ""
        key = item.record.topic, event.viewer_id, event.creator_id, video, start
        # Places are forgotten once their period's end + lateness lies before arrival.
        if end + self._limits.allowed_lateness_ms < item.arrival:
            self._taken.pop(key, None)
        taken = self._taken.get(key, 0)
        if event.action == "remove":
            self._taken[key] = max(0, taken - 1)
            return taken > 0
        # The first per_viewer in offset order count.
        self._taken[key] = min(at_most.per_viewer, taken + 1)
        return taken < at_most.per_viewer


# --- Windows ---------------------------------------------------------------------------------------------


def judged(
    program: rules.Program, index: int, region: str, tier: rules.Tier, counts: Sequence[Counted]
) -> list[Judged]:
    """The panes or windows in force that hold a counted add of a metric that the tier names."""
    version = program.versions[index]
    topics = {rules.topic_of(metric) for metric in metrics_of(tier.when)}
    adds = [count.at for count in counts if count.topic in topics and count.amount > 0]
    in_force = version.from_ms, version.until_ms
    if isinstance(version.window, rules.Lifetime):
        # From each metric's count start to until, judged once an add lies in [from, until).
        start = earliest([count_start(program, index, topic, region) for topic in topics])
        opened = any(within(at, in_force) for at in adds)
        return [Judged(version.from_ms, (start, version.until_ms))] if opened else []
    # Panes and windows that start within effective are judged by that version, to their own end.
    holding = {_holding(version.window, at) for at in adds}
    return [pane for pane in holding if pane.starts is not None and within(pane.starts, in_force)]


def _holding(window: rules.Rolling | rules.Tumbling | rules.Calendar, at: int) -> Judged:
    """The pane or window that holds ``at``, with the window that ends with it."""
    match window:
        case rules.Rolling(length_ms=length, step_ms=step):
            # pane p:            |p*step ---- (p+1)*step)
            # its window:  [(p+1)*step - length ------- )
            pane = at // step
            return Judged(pane * step, ((pane + 1) * step - length, (pane + 1) * step))
        case rules.Tumbling(length_ms=length):
            start = at // length * length
            return Judged(start, (start, start + length))
        case rules.Calendar(period=period):
            start, end = period_of(period, at)
            return Judged(start, (start, end))


def value(metric: rules.Metric, window: Span, counts: Sequence[Counted]) -> int:
    """A metric's sum over a window; below zero it reads as 0. ``watch_hours`` is in ms."""
    topic = rules.topic_of(metric)
    inside = [count for count in counts if count.topic == topic and within(count.at, window)]
    return max(0, sum(count.watch_ms if metric == "watch_hours" else count.amount for count in inside))


def holds(when: rules.Condition, values: dict[rules.Metric, int]) -> bool:
    """Whether a condition holds: ``>=`` throughout."""
    match when:
        case rules.AtLeast(metric=metric, threshold=threshold):
            return values[metric] >= threshold
        case rules.All(parts=parts):
            return all(holds(part, values) for part in parts)
        case rules.Any(parts=parts):
            return any(holds(part, values) for part in parts)


def metrics_of(when: rules.Condition) -> set[rules.Metric]:
    """The metrics that a condition names."""
    if isinstance(when, rules.AtLeast):
        return {when.metric}
    return {metric for part in when.parts for metric in metrics_of(part)}


# --- Awards ----------------------------------------------------------------------------------------------


def bonuses(
    programs: Sequence[rules.Program], records: Sequence[Record], limits: rules.Limits
) -> dict[str, Bonus]:
    """All bonuses of one partition's records, by id, in the order in which they are awarded.

    ``records`` are in processing order: each topic's in offset order, the topics interleaved in any way.
    """
    awarded: dict[str, Bonus] = {}
    accepted: list[Accepted] = []
    for record, verdict in zip(records, verdicts(records, limits), strict=True):
        if isinstance(record.decoded, Rejection) or verdict.code != "accepted" or verdict.arrival is None:
            continue
        accepted.append(Accepted(record, record.decoded, verdict.arrival))
        # A remove never brings a tier about.
        if record.decoded.action == "remove":
            continue
        for program in programs:
            for bonus in _reached(program, accepted, limits):
                # What was awarded stays awarded, and is never awarded again.
                awarded.setdefault(bonus.bonus_id, bonus)
    return awarded


def _reached(program: rules.Program, accepted: Sequence[Accepted], limits: rules.Limits) -> Iterator[Bonus]:
    """Every award that the last record's subject has earned by now, the earlier pane first, then the earlier
    version."""
    last = accepted[-1]
    region = last.event.region
    subject = _subject(program, last.event)
    found = []
    for index, version in enumerate(program.versions):
        counts = counted(program, index, region, subject, accepted, limits)
        for tier in version.tiers:
            for pane in judged(program, index, region, tier, counts):
                values = {metric: value(metric, pane.window, counts) for metric in metrics_of(tier.when)}
                if holds(tier.when, values):
                    order = float("-inf") if pane.starts is None else pane.starts
                    found.append((order, index, _bonus(program, version, tier, pane, values, last)))
    found.sort(key=lambda entry: entry[:2])
    yield from (bonus for _, _, bonus in found)


def _bonus(
    program: rules.Program,
    version: rules.Version,
    tier: rules.Tier,
    pane: Judged,
    values: dict[rules.Metric, int],
    last: Accepted,
) -> Bonus:
    period = _period(program.award, pane)
    event, record = last.event, last.record
    return Bonus(
        bonus_id=bonus_id(program, tier.name, event, period[0]),
        program=program.name,
        program_version=version.number,
        tier=tier.name,
        subject=program.subject,
        creator_id=event.creator_id,
        video_id=event.video_id if program.subject == "video" else None,
        region=event.region,
        period=period,
        window=pane.window,
        metrics=values,
        thresholds=tier.thresholds,
        reward=tier.reward,
        evidence=Evidence(event.event_id, record.topic, record.partition, record.offset),
    )


def _period(award: rules.Award, pane: Judged) -> Span:
    """What an award is once per: ever, the window, or the local period that holds the pane's start."""
    match award:
        case rules.Once():
            return None, None
        case rules.OncePerWindow():
            return pane.window
        case rules.OncePer(period=period):
            assert pane.starts is not None, "once_per goes with rolling windows"
            return period_of(period, pane.starts)


def bonus_id(program: rules.Program, tier: str, event: Event, period_start: int | None) -> str:
    """The first 32 hex digits of SHA-256 over: program, tier, subject kind, ids, period start or ``-``."""
    lines = [program.name, tier, program.subject, *_subject(program, event)]
    lines.append("-" if period_start is None else str(period_start))
    return sha256("\n".join(lines).encode()).hexdigest()[:32]


# --- Small words -----------------------------------------------------------------------------------------


def _subject(program: rules.Program, event: Event) -> tuple[str, ...]:
    """A creator, or a video: the pair of both ids."""
    return (event.creator_id,) if program.subject == "creator" else (event.creator_id, event.video_id)


def _in_regions(version: rules.Version, region: str) -> bool:
    return version.regions is None or region in version.regions


def within(at: int, span: Span) -> bool:
    """Whether ``at`` lies in the half-open ``span``."""
    start, end = span
    return (start is None or start <= at) and (end is None or at < end)


def earliest(times: Sequence[int | None]) -> int | None:
    """The earliest of times of which ``None`` is before all others."""
    known = [time for time in times if time is not None]
    return min(known) if len(known) == len(times) else None
