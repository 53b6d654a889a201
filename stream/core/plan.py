"""The plan: programmes compiled, region by region, into what an event feeds and what is judged then.

A *counter* is one line's cells, cut into panes, from its count start on. Programmes and versions whose lines
mean the same share it, so an event costs one cell a (counter, subject) however many windows read it. Its name is
a digest of its meaning: it is the same in every process and every release, and is what the state is stored under.

A *judge* is one tier of one version for one region: which counters it reads, and over how many panes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stream.core.awards import Latching, is_for_good, latch, latching
from stream.core.conditions import metrics_of, necessary
from stream.core.filters import Filter, filter_of
from stream.core.panes import FOREVER_MS, Fixed, Local, Panes, Span
from stream.core.places import Gate
from stream.core.rules import (
    TOPICS,
    Calendar,
    Lifetime,
    Line,
    Metric,
    Program,
    Rolling,
    SubjectKind,
    Tier,
    Topic,
    Tumbling,
    Version,
    Window,
    topic_of,
)
from stream.core.starts import CountStart, Keeps, Late, Shortened, Starts, count_starts


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """Cells of one line for one region.

    What removes took back is in a series of its own, named ``removes``. ``needs`` is the least total at which each of
    the ``judges`` can be reached, ascending. ``sums_watched`` says that ms of watch time are counted, not events.
    """

    name: str
    metric: Metric
    sums_watched: bool
    subject: SubjectKind
    panes: Panes
    step_ms: int
    start_ms: int
    end_ms: int
    filter: Filter | None
    gate: Gate | None
    judges: tuple["Judge", ...] = field(repr=False)
    lengths: tuple[int, ...]
    topics: frozenset[Topic]
    removes: str
    needs: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """One tier of one version for one region.

    It judges windows that end with a pane in ``[first_pane, last_pane]``: those that start within ``effective``.
    ``reads`` names the counter of each metric, ``needs`` the least total of a counter without which the tier can't
    be reached, ``order`` ranks programmes, versions and tiers. ``for_good`` is the latch that settles the tier for
    ever, where one award does.
    """

    order: tuple[int, int, int]
    program: Program
    version: Version
    tier: Tier
    latching: Latching
    panes: Panes
    length: int
    first_pane: int
    last_pane: int
    reads: tuple[tuple[Metric, str], ...]
    needs: dict[str, int]
    window_start_ms: int | None
    for_good: str | None

    def window(self, pane: int) -> tuple[int | None, int | None]:
        """The span of the window that ends with ``pane``."""
        if isinstance(self.panes, Span):
            return (self.window_start_ms, self.version.until_ms)
        return (self.panes.start(pane - self.length + 1), self.panes.end(pane))


Feeds = tuple[tuple[SubjectKind, tuple[Counter, ...]], ...]
"""Creator counters and video counters."""

Fed = tuple[tuple[Gate, ...], Feeds]
"""What an event of a topic and a region comes to: the gates of its counters, and the counters."""


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """What events of one region come to, by topic, and all of the region's counters."""

    fed: dict[Topic, Fed]
    counters: dict[str, Counter]


class Plan:
    """Programmes, compiled. Regions are compiled when first met: ``all`` has no list of them.

    ``late`` are the versions that were loaded when their start lay behind already, ``shortened`` those that were
    ended when their end did.
    """

    def __init__(
        self, programs: Iterable[Program], late: Late | None = None, shortened: Shortened | None = None
    ) -> None:
        self.programs = tuple(programs)
        self._shortened = shortened or {}
        self._starts = {program.name: count_starts(program, late) for program in self.programs}
        self._regions: dict[str, RegionPlan] = {}
        self._fed: dict[Topic, dict[str, Fed]] = {topic: {} for topic in TOPICS}

    def fed_by(self, topic: Topic) -> dict[str, Fed]:
        """What events of ``topic`` come to, by the regions met so far; only to be read."""
        return self._fed[topic]

    def fed(self, topic: Topic, region: str) -> Fed:
        """What an event of ``topic`` and ``region`` comes to."""
        found = self._fed[topic].get(region)
        if found is None:
            found = self._fed[topic][region] = self.region(region).fed.get(topic, ((), ()))
        return found

    def region(self, region: str) -> RegionPlan:
        """What events of ``region`` come to."""
        plan = self._regions.get(region)
        if plan is None:
            plan = self._regions[region] = _compile(self.programs, self._starts, self._shortened, region)
        return plan

    def versions(self, program: str) -> dict[int, Version]:
        """The versions of a programme, by number; none where there is no such programme."""
        found = (each for each in self.programs if each.name == program)
        return {version.number: version for each in found for version in each.versions}

    def counter(self, name: str) -> Counter | None:
        """The counter whose adds or removes are stored under ``name``; None where no programme reads it now."""
        name = name.removesuffix("-")
        return self.region(name.rpartition(".")[2]).counters.get(name)

    def gate(self, name: str) -> tuple[Topic, Gate] | None:
        """The gate of this name and the topic it is for; None where no programme has it now."""
        fed = self.region(name.rpartition(".")[2]).fed
        return next(
            ((topic, gate) for topic, (gates, _) in fed.items() for gate in gates if gate.name == name), None
        )


def _compile(
    programs: Sequence[Program], starts: dict[str, Starts], shortened: Shortened, region: str
) -> RegionPlan:
    """Gather the judges of a region, then the counters that they read."""
    judges: list[Judge] = []
    drafts: dict[str, _Draft] = {}
    for rank, program in enumerate(programs):
        for index, version in enumerate(program.versions):
            if version.regions is not None and region not in version.regions:
                continue
            for place, tier in enumerate(version.tiers):
                order = (rank, index, place)
                judges.append(
                    _judge(order, program, version, tier, starts[program.name], shortened, region, drafts)
                )
    for judge in judges:
        topics = frozenset(topic_of(metric) for metric, _ in judge.reads)
        for _, name in judge.reads:
            drafts[name].add(judge, topics)
    counters = {name: draft.counter(name) for name, draft in drafts.items()}
    feeds: dict[Topic, dict[SubjectKind, list[Counter]]] = {}
    for counter in counters.values():
        feeds.setdefault(topic_of(counter.metric), {}).setdefault(counter.subject, []).append(counter)
    gates: dict[Topic, dict[str, Gate]] = {}
    for counter in counters.values():
        if counter.gate is not None:
            gates.setdefault(topic_of(counter.metric), {})[counter.gate.name] = counter.gate
    fed: dict[Topic, Fed] = {
        topic: (
            tuple(gates.get(topic, {}).values()),
            tuple((kind, tuple(fed)) for kind, fed in kinds.items()),
        )
        for topic, kinds in feeds.items()
    }
    return RegionPlan(fed, counters)


def _judge(
    order: tuple[int, int, int],
    program: Program,
    version: Version,
    tier: Tier,
    starts: Starts,
    shortened: Shortened,
    region: str,
    drafts: dict[str, "_Draft"],
) -> Judge:
    panes, length = _cut(version.window, version)
    reads: list[tuple[Metric, str]] = []
    start_of: list[int | None] = []
    owner: Owner | None = None
    if isinstance(version.window, Lifetime):
        at = (program.name, version.number)
        owner = (*at, shortened[at]) if at in shortened else at
    for metric in metrics_of(tier.when):
        topic = topic_of(metric)
        start = starts.kept(order[1], topic, region, _keeps(metric, region))
        draft = _Draft(metric, program.subject, panes, owner, start, version.line(topic), version.campaigns)
        name = f"{draft.digest()}.{region}"
        drafts.setdefault(name, draft)
        reads.append((metric, name))
        start_of.append(start.at_ms)
    names = dict(reads)
    return Judge(
        order=order,
        program=program,
        version=version,
        tier=tier,
        latching=latching(program.award),
        panes=panes,
        length=length,
        first_pane=first_pane(panes, version.from_ms),
        last_pane=last_pane(panes, version.until_ms),
        reads=tuple(reads),
        needs={names[metric]: least for metric, least in necessary(tier.when).items()},
        window_start_ms=None if None in start_of else min(at for at in start_of if at is not None),
        for_good=latch(program.name, tier.name, None) if is_for_good(program.award) else None,
    )


def _keeps(metric: Metric, region: str) -> Keeps:
    """Whether one version's counter of ``metric`` holds all that another one's windows read.

    Older panes than its own windows read may have gone, sooner or later: a longer window can't read them.
    """

    def keeps(kept: Version, needed: Version) -> bool:
        named = any(metric in metrics_of(tier.when) for tier in kept.tiers)
        if not named or (kept.regions is not None and region not in kept.regions):
            return False
        (panes, length), (panes_needed, length_needed) = _cut(kept.window, kept), _cut(needed.window, needed)
        if isinstance(panes, Span) or isinstance(panes_needed, Span):
            return False  # each version sums for itself
        return _spell(panes) == _spell(panes_needed) and length >= length_needed

    return keeps


def first_pane(panes: Panes, from_ms: int | None) -> int:
    """The first pane that starts at or after ``from_ms``."""
    if isinstance(panes, Span):
        return 1
    if from_ms is None:
        return 0
    pane = panes.pane_of(from_ms)
    return pane if panes.start(pane) == from_ms else pane + 1


def last_pane(panes: Panes, until_ms: int | None) -> int:
    """The last pane that starts before ``until_ms``."""
    if isinstance(panes, Span):
        return 1
    return FOREVER_MS if until_ms is None else panes.pane_of(until_ms - 1)


def _cut(window: Window, version: Version) -> tuple[Panes, int]:
    """How a window cuts time, and how many panes it is long."""
    match window:
        case Rolling(length_ms, step_ms):
            return Fixed(step_ms), length_ms // step_ms
        case Tumbling(length_ms):
            return Fixed(length_ms), 1
        case Calendar(period):
            return Local(period), 1
    return Span(version.from_ms, version.until_ms), 2


Owner = tuple[str, int] | tuple[str, int, int]
"""Program, version, and the edition that shortened it."""


@dataclass(slots=True)
class _Draft:
    """A counter while its readers are being gathered.

    A lifetime count has an ``owner``, a version, with which it ends: it is not shared with others, so that their
    ends don't show, nor is its own when it is set later.
    """

    metric: Metric
    subject: SubjectKind
    panes: Panes
    owner: Owner | None
    start: CountStart
    line: Line
    campaigns: frozenset[str] | None
    judges: list[Judge] = field(default_factory=list)
    topics: set[Topic] = field(default_factory=set)

    def digest(self) -> str:
        """A name for the meaning of the counter: equal for equal meaning, in every process."""
        cut = self.owner or _spell(self.panes)
        return _digest((self.metric, self.subject, cut, *self.start, *self._filters()))

    def _filters(self) -> tuple[object, ...]:
        line = self.line
        return (
            line.min_watch_ms,
            None if line.sources is None else sorted(line.sources),
            line.paid,
            line.exclude_self,
            None if line.at_most is None else repr(line.at_most),
            None if self.campaigns is None else sorted(self.campaigns),
        )

    def gate(self, region: str) -> Gate | None:
        """The line's ``at_most``, shared by all counters of the same line, count start and region."""
        at_most = self.line.at_most
        if at_most is None:
            return None
        meaning = (topic_of(self.metric), *self.start, *self._filters())
        return Gate(
            name=f"{_digest(meaning)}.{region}",
            start_ms=-1 if self.start.at_ms is None else self.start.at_ms,
            filter=filter_of(self.line, self.campaigns),
            per_viewer=at_most.per_viewer,
            of=at_most.of,
            local=Local(at_most.period),
        )

    def add(self, judge: Judge, topics: frozenset[Topic]) -> None:
        self.judges.append(judge)
        self.topics |= topics

    def counter(self, name: str) -> Counter:
        judges = sorted(self.judges, key=lambda judge: judge.needs[name])
        return Counter(
            name=name,
            metric=self.metric,
            sums_watched=self.metric == "watch_hours",
            subject=self.subject,
            panes=self.panes,
            step_ms=self.panes.step_ms if isinstance(self.panes, Fixed) else 0,
            start_ms=-1 if self.start.at_ms is None else self.start.at_ms,
            end_ms=max(_needed_until(judge) for judge in self.judges),
            filter=filter_of(self.line, self.campaigns),
            gate=self.gate(name.rpartition(".")[2]),
            judges=tuple(judges),
            lengths=tuple(sorted({judge.length for judge in self.judges})),
            topics=frozenset(self.topics),
            removes=f"{name}-",
            needs=tuple(judge.needs[name] for judge in judges),
        )


def _digest(meaning: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:12]


def _spell(panes: Panes) -> tuple[object, ...]:
    match panes:
        case Fixed(step_ms):
            return ("fixed", step_ms)
        case Local():
            return ("local", panes.period.unit, panes.period.timezone)
    raise TypeError(f"no spelling for {panes!r}")


def _needed_until(judge: Judge) -> int:
    """The end of the last window that the judge looks at: what occurs from then on is nothing to it.

    A next version that nobody knows yet may carry the last one's lines on, also across a gap: they count on.
    """
    if judge.version.until_ms is None:
        return FOREVER_MS
    if judge.version is judge.program.versions[-1] and not isinstance(judge.panes, Span):
        return FOREVER_MS
    end = judge.panes.end(judge.last_pane)
    return FOREVER_MS if end is None else end
