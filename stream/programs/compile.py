"""From checked documents to the rules of the core."""

from collections.abc import Iterator
from itertools import groupby

from schemas import programs as written
from schemas.program_terms import duration_ms, hours_ms, instant_ms
from stream.core import rules
from stream.programs.history import from_ms
from stream.programs.steps import default_step_ms


def compile_programs(documents: list[written.ProgramDocument]) -> tuple[rules.Program, ...]:
    """The programmes by name, each with its versions by ``from``; expects documents without mistakes."""
    in_order = sorted(documents, key=lambda document: (document.program, from_ms(document.effective)))
    return tuple(
        _program(list(versions)) for _, versions in groupby(in_order, key=lambda document: document.program)
    )


def _program(documents: list[written.ProgramDocument]) -> rules.Program:
    first = documents[0]
    starts = [_instant(document.effective.from_) for document in documents[1:]]
    return rules.Program(
        name=first.program,
        subject=first.subject,
        award=_award(first.award),
        versions=tuple(map(_version, documents, [*starts, None])),
    )


def _version(document: written.ProgramDocument, next_from_ms: int | None) -> rules.Version:
    until_ms = _instant(document.effective.until)
    return rules.Version(
        number=document.version,
        regions=None if document.regions == "all" else frozenset(document.regions),
        window=_window(document.window),
        tiers=tuple(_tier(tier) for tier in document.tiers),
        from_ms=_instant(document.effective.from_),
        until_ms=next_from_ms if until_ms is None else until_ms,
        count_from_ms=_instant(document.count_from),
        campaigns=None if document.campaigns is None else frozenset(document.campaigns),
        lines=dict(_lines(document.count)),
    )


def _instant(text: str | None) -> int | None:
    return None if text is None else instant_ms(text)


def _window(window: written.Window) -> rules.Window:
    match window:
        case written.RollingWindow():
            length_ms = duration_ms(window.rolling)
            step_ms = default_step_ms(length_ms) if window.step is None else duration_ms(window.step)
            if step_ms is None:
                raise ValueError(f"a rolling window of {window.rolling} has no default step")
            return rules.Rolling(length_ms, step_ms)
        case written.TumblingWindow():
            return rules.Tumbling(duration_ms(window.tumbling))
        case written.CalendarWindow():
            return rules.Calendar(rules.Period(window.calendar, window.timezone))
        case written.LifetimeWindow():
            return rules.Lifetime()


def _award(award: written.Award) -> rules.Award:
    match award:
        case written.OncePer():
            return rules.OncePer(rules.Period(award.once_per, award.timezone))
        case "once_per_window":
            return rules.OncePerWindow()
        case "once":
            return rules.Once()


def _lines(count: written.Lines) -> Iterator[tuple[rules.Topic, rules.Line]]:
    """The lines that narrow anything: a line that counts all is the same as none."""
    for topic in rules.TOPICS:
        line = _line(getattr(count, topic))
        if line != rules.EVERYTHING:
            yield topic, line


def _line(line: written.Line) -> rules.Line:
    return rules.Line(
        min_watch_ms=duration_ms(line.min_watch) if isinstance(line, written.ViewsLine) else 0,
        sources=None if line.sources is None else frozenset(line.sources),
        paid=line.paid,
        exclude_self=line.exclude_self,
        at_most=None if line.at_most is None else _at_most(line.at_most),
    )


def _at_most(at_most: written.AtMost) -> rules.AtMost:
    return rules.AtMost(at_most.per_viewer, at_most.of, rules.Period(at_most.per, at_most.timezone))


def _tier(tier: written.Tier) -> rules.Tier:
    return rules.Tier(
        name=tier.name,
        when=_condition(tier.when),
        thresholds=tier.when.model_dump(exclude_none=True),
        reward=tier.reward.model_dump(),
    )


def _condition(condition: written.Condition) -> rules.Condition:
    parts: list[rules.Condition] = []
    for metric in rules.METRICS:
        threshold = getattr(condition, metric)
        if threshold is not None:
            least = hours_ms(threshold) if metric == "watch_hours" else threshold
            parts.append(rules.AtLeast(metric, least))
    if condition.all is not None:
        parts.append(rules.All(tuple(map(_condition, condition.all))))
    if condition.any is not None:
        parts.append(rules.Any(tuple(map(_condition, condition.any))))
    return parts[0] if len(parts) == 1 else rules.All(tuple(parts))
