"""The brute-force model: what the bonuses of a log are, written to be believed by reading.

``bonuses`` walks the records in the order in which they are processed and keeps every event that counts. Every
window that is judged is added up from those by itself; an event that comes later is added to every window that it
lies in. Nothing is pruned, no window is derived from another, and nothing is shared between programmes, versions,
regions and subjects; the engine must come to the same.

Where the documentation leaves a choice, the model takes it as follows:

- before a topic-partition's first timestamp arrival is -1, so that every event is a clock error but what the
  allowed skew lets occur after the start of 1970;
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
    arrival: int


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
        arrival = arrivals[log] = max(record.timestamp, arrivals.get(log, -1))
        code = _verdict(record.decoded, arrival, remembered, log, limits)
        result.append(Verdict(code, arrival))
        # Only an accepted event's id is remembered, and a duplicate does not renew the time.
        if code == "accepted" and not isinstance(record.decoded, Rejection):
            remembered[(*log, record.decoded.event_id)] = arrival
    return result


def _verdict(
    decoded: Event | Rejection,
    arrival: int,
    remembered: dict[tuple[Topic, int, str], int],
    log: tuple[Topic, int],
    limits: rules.Limits,
) -> str:
    """Rejected, clock error, late, duplicate, accepted: the first that fits, in this order."""
    if isinstance(decoded, Rejection):
        return decoded.code
    if decoded.occurred_at - arrival > limits.allowed_skew_ms:
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


def judged_at(version: rules.Version, at: int) -> Judged | None:
    """The pane or window that an add at ``at`` has judged, where one is in force."""
    in_force = version.from_ms, version.until_ms
    if isinstance(version.window, rules.Lifetime):
        # From each metric's count start to until, judged once an add lies in [from, until).
        return Judged(version.from_ms, (None, version.until_ms)) if within(at, in_force) else None
    # Panes and windows that start within effective are judged by that version, to their own end.
    pane = _holding(version.window, at)
    return pane if pane.starts is not None and within(pane.starts, in_force) else None


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


class Sums:
    """A window's sum of each metric, the topics whose adds have it judged, and the tiers that were reached in it."""

    def __init__(self, span: Span, counts: Sequence[Counted]) -> None:
        self._span = span
        self._of: dict[rules.Metric, int] = dict.fromkeys(rules.METRICS, 0)
        self.added: set[Topic] = set()
        self.reached: set[str] = set()
        for count in counts:
            self.take(count)

    def take(self, count: Counted) -> bool:
        """Add an event that counts; whether it lies in the window."""
        if not within(count.at, self._span):
            return False
        self._of[count.topic] += count.amount
        self._of["watch_hours"] += count.watch_ms
        return True

    def values(self, metrics: set[rules.Metric]) -> dict[rules.Metric, int]:
        """Below zero a sum reads as 0. ``watch_hours`` is in ms."""
        return {metric: max(0, self._of[metric]) for metric in metrics}


class Kept:
    """What one version counts of one subject in one region, and the windows that are judged by now."""

    def __init__(self, version: rules.Version) -> None:
        self._version = version
        self._counts: list[Counted] = []
        self._windows: dict[Judged, Sums] = {}

    def take(self, count: Counted) -> Iterator[tuple[Judged, rules.Tier, dict[rules.Metric, int]]]:
        """Add an event that counts; what is reached by it that was not before, and with which values."""
        self._counts.append(count)
        touched = [window for window, sums in self._windows.items() if sums.take(count)]
        # A remove never brings a tier about.
        if count.amount < 0:
            return
        pane = judged_at(self._version, count.at)
        if pane is not None and pane not in self._windows:
            self._windows[pane] = Sums(pane.window, self._counts)
            touched.append(pane)
        if pane is not None:
            self._windows[pane].added.add(count.topic)
        for window in touched:
            yield from self._judge(window, self._windows[window])

    def _judge(
        self, window: Judged, sums: Sums
    ) -> Iterator[tuple[Judged, rules.Tier, dict[rules.Metric, int]]]:
        for tier in self._version.tiers:
            named = metrics_of(tier.when)
            # Judged are the panes or windows that hold a counted add of a metric that the tier names.
            if tier.name in sums.reached or not any(rules.topic_of(metric) in sums.added for metric in named):
                continue
            values = sums.values(named)
            if holds(tier.when, values):
                sums.reached.add(tier.name)
                yield window, tier, values


class Region:
    """What the version at ``index`` of a programme counts in one region."""

    def __init__(self, program: rules.Program, index: int, region: str, limits: rules.Limits) -> None:
        self._program, self._version = program, program.versions[index]
        self._starts = {topic: count_start(program, index, topic, region) for topic in rules.TOPICS}
        self._places = _Places(limits)
        self._kept: dict[tuple[str, ...], Kept] = {}

    def take(self, item: Accepted) -> Iterator[tuple[Judged, rules.Tier, dict[rules.Metric, int]]]:
        """Count an accepted event of the region, if it counts; what it brings about."""
        count = self._counted(item)
        if count is None:
            return
        kept = self._kept.setdefault(_subject(self._program, item.event), Kept(self._version))
        for window, tier, values in kept.take(count):
            yield self._shown(window, tier), tier, values

    def _counted(self, item: Accepted) -> Counted | None:
        topic, event = item.record.topic, item.event
        if not passes(self._version, topic, event):
            return None
        # A remove is -1 in the pane of its added_at, else of its occurred_at.
        removes = event.action == "remove"
        at = event.added_at if removes and event.added_at is not None else event.occurred_at
        if not within(at, (self._starts[topic], None)):
            return None
        if not self._places.counts(self._version.line(topic).at_most, item, at):
            return None
        return Counted(topic, at, -1 if removes else 1, event.watch_ms if topic == "views" else 0)

    def _shown(self, window: Judged, tier: rules.Tier) -> Judged:
        """A lifetime's window is shown from the earliest count start of the named metrics on."""
        if not isinstance(self._version.window, rules.Lifetime):
            return window
        topics = {rules.topic_of(metric) for metric in metrics_of(tier.when)}
        start = earliest([self._starts[topic] for topic in topics])
        return Judged(window.starts, (start, self._version.until_ms))


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
    counting = [_Counting(program, limits) for program in programs]
    for record, verdict in zip(records, verdicts(records, limits), strict=True):
        if isinstance(record.decoded, Rejection) or verdict.code != "accepted":
            continue
        item = Accepted(record, record.decoded, verdict.arrival)
        for each in counting:
            for bonus in each.take(item):
                # What was awarded stays awarded, and is never awarded again.
                awarded.setdefault(bonus.bonus_id, bonus)
    return awarded


class _Counting:
    """A programme: each version counts for itself, and so does each of its regions."""

    def __init__(self, program: rules.Program, limits: rules.Limits) -> None:
        self._program, self._limits = program, limits
        self._regions: dict[tuple[int, str], Region] = {}

    def take(self, item: Accepted) -> Iterator[Bonus]:
        """Every award that an accepted event brings about, the earlier pane first, then the earlier version."""
        region, found = item.event.region, []
        for index, version in enumerate(self._program.versions):
            if not _in_regions(version, region):
                continue
            if (index, region) not in self._regions:
                self._regions[index, region] = Region(self._program, index, region, self._limits)
            for window, tier, values in self._regions[index, region].take(item):
                order = float("-inf") if window.starts is None else window.starts
                found.append((order, index, _bonus(self._program, version, tier, window, values, item)))
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
