"""Judging: which tiers a subject has reached with the record that was just counted.

Only panes whose window the record is part of can have changed, and only those are judged that hold a counted add
of a metric that the tier names. For a record in a subject's newest pane that is one pane; a late one costs a sweep.
"""

from bisect import bisect_left
from typing import NamedTuple

from stream.core.awards import bonus_id, latch
from stream.core.conditions import holds
from stream.core.outcome import Bonus, Event, Evidence
from stream.core.panes import FOREVER_MS
from stream.core.plan import Counter, Judge, first_pane, last_pane
from stream.core.rules import Metric, Topic
from stream.core.series import NEVER
from stream.core.subject import Subject


class Hit(NamedTuple):
    """A tier reached at a pane. Hits of one award compare by pane start, then by version."""

    pane_start_ms: int
    order: tuple[int, int, int]
    pane: int
    judge: Judge
    period: tuple[int | None, int | None]


def judge(
    subject: Subject, counted: list[tuple[Counter, int]], event: Event, place: tuple[Topic, int, int]
) -> list[Bonus]:
    """The bonuses that ``event``, counted in these counters' panes, brings the subject; they are latched here.

    ``place`` is the event's: topic, partition, offset.
    """
    hits: dict[str, Hit] = {}
    for counter, pane in counted:
        series = subject.find(counter.name)
        assert series is not None
        for each in counter.judges[bisect_left(counter.needs, series.floor) :]:
            if each.needs[counter.name] > series.total:
                break
            if each.for_good not in subject.latches and _within_reach(subject, each):
                _seek(subject, each, pane, hits)
    bonuses: list[Bonus] = []
    if hits:
        evidence = Evidence(event.event_id, *place)
        for name, hit in sorted(hits.items(), key=_in_order):
            subject.award(name)
            bonuses.append(_bonus(subject, hit, event, evidence))
        for counter, _ in counted:
            subject.set_floor(counter)
    if subject.latches:  # nothing is settled otherwise
        for counter, pane in counted:
            _calm(subject, counter, pane)
    return bonuses


def _in_order(named: tuple[str, Hit]) -> tuple[tuple[int, int, int], int]:
    """By which the bonuses of one record are ordered: by programme, version and tier, then by pane."""
    return named[1].order, named[1].pane


def _calm(subject: Subject, counter: Counter, pane: int) -> None:
    """Say up to which total nothing of the counter can be reached in the period of ``pane``, if it is the newest.

    Only a tier that names nothing else is settled by its award in that period: another one is also judged at panes
    that lie further on in what else it names.
    """
    series = subject.find(counter.name)
    if series is None or series.head != pane:
        return
    first, last, floor = 0, FOREVER_MS, NEVER
    for each in counter.judges[bisect_left(counter.needs, series.floor) :]:
        if each.for_good in subject.latches:
            continue
        if each.for_good is not None or each.needs[counter.name] >= floor:
            floor = min(floor, each.needs[counter.name])
            break  # what comes after needs as much
        period = each.latching.period(each.panes, pane)
        settled = latch(each.program.name, each.tier.name, period[0]) in subject.latches
        if settled and len(each.reads) == 1:
            first, last = (
                max(first, first_pane(each.panes, period[0])),
                min(last, last_pane(each.panes, period[1])),
            )
        else:
            floor = min(floor, each.needs[counter.name])
    series.calm_from, series.calm_to, series.calm_floor = first, last, floor


def _within_reach(subject: Subject, judge: Judge) -> bool:
    """Whether all that the tier can't do without may be there: no window holds more than its series' total."""
    for name, least in judge.needs.items():
        if least:
            series = subject.find(name)
            if series is None or series.total < least:
                return False
    return True


def _seek(subject: Subject, judge: Judge, pane: int, hits: dict[str, Hit]) -> None:
    """Add the panes at which the judge's tier is reached and not yet awarded to ``hits``, the first of an award."""
    panes = _candidates(subject, judge, pane)
    windows = _Windows(subject, judge, panes)
    for windows.at, reached_at in enumerate(panes):
        if not holds(judge.tier.when, windows.value):
            continue
        period = judge.latching.period(judge.panes, reached_at)
        name = latch(judge.program.name, judge.tier.name, period[0])
        if name in subject.latches:
            continue
        hit = Hit(judge.panes.start(reached_at) or 0, judge.order, reached_at, judge, period)
        known = hits.get(name)
        if known is None or hit[:2] < known[:2]:
            hits[name] = hit


def _candidates(subject: Subject, judge: Judge, pane: int) -> list[int]:
    """The panes that the judge looks at after a record in ``pane``, ascending."""
    first, last = max(pane, judge.first_pane), min(pane + judge.length - 1, judge.last_pane)
    named = [series for _, name in judge.reads if (series := subject.find(name)) is not None]
    if max(series.head for series in named) <= pane:
        return [pane] if first == pane <= last else []
    panes: set[int] = set()
    for series in named:
        panes.update(series.panes_between(first, min(last, series.head)))
    return sorted(panes)


class _Windows:
    """What the windows of a tier read that end with each of some panes, which ascend; ``at`` is the one looked at."""

    __slots__ = ("_judge", "_panes", "_subject", "_sums", "at")

    def __init__(self, subject: Subject, judge: Judge, panes: list[int]) -> None:
        self._subject, self._judge, self._panes = subject, judge, panes
        self._sums: dict[Metric, list[int]] = {}
        self.at = 0

    def value(self, metric: Metric) -> int:
        """What the window reads of a metric; all windows are summed up once it is asked for."""
        sums = self._sums.get(metric)
        if sums is None:
            name = dict(self._judge.reads)[metric]
            sums = self._sums[metric] = window_sums(self._subject, name, self._panes, self._judge.length)
        return sums[self.at]


def window_sums(subject: Subject, name: str, panes: list[int], length: int) -> list[int]:
    """What windows read: adds less what was taken back, never below 0."""
    added, taken = subject.find(name), subject.find(name + "-")
    sums = [0] * len(panes) if added is None else added.windows(panes, length)
    if taken is None:
        return sums
    back = taken.windows(panes, length)
    return [max(0, total - less) for total, less in zip(sums, back, strict=True)]


def _bonus(subject: Subject, hit: Hit, event: Event, evidence: Evidence) -> Bonus:
    judge = hit.judge
    program = judge.program
    video_id = event.video_id if program.subject == "video" else None
    metrics: dict[Metric, int] = {
        metric: window_sums(subject, name, [hit.pane], judge.length)[0] for metric, name in judge.reads
    }
    return Bonus(
        bonus_id=bonus_id(
            program.name, judge.tier.name, program.subject, event.creator_id, video_id, hit.period[0]
        ),
        program=program.name,
        program_version=judge.version.number,
        tier=judge.tier.name,
        subject=program.subject,
        creator_id=event.creator_id,
        video_id=video_id,
        region=event.region,
        period=hit.period,
        window=judge.window(hit.pane),
        metrics=metrics,
        thresholds=judge.tier.thresholds,
        reward=judge.tier.reward,
        evidence=evidence,
    )
