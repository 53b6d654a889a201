"""What is allowed in programmes but probably not meant: told by ``bonus check``, never by a worker.

A doubt is a warning with its file, line and field. Nothing here decides a result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from schemas.instants import LAST_MS
from schemas.program_terms import instant_text
from stream.core.conditions import metrics_of
from stream.core.panes import Fixed, Local
from stream.core.plan import first_pane, last_pane
from stream.core.rules import (
    TOPICS,
    Calendar,
    Lifetime,
    Metric,
    Program,
    Rolling,
    Tier,
    Topic,
    Tumbling,
    Version,
    topic_of,
)
from stream.core.starts import count_starts
from stream.programs.compile import compile_programs
from stream.programs.document import Checked
from stream.programs.implication import Point, holds_at_all, least_points
from stream.programs.mistakes import Mistake

MS_PER_DAY = 86_400_000
DAYS = {"day": 1, "week": 7, "month": 31}
"""The most days that a calendar window has; an hour more or less with the clocks."""


def doubts(documents: Sequence[Checked]) -> Iterator[Mistake]:
    """What is probably not meant, in documents without mistakes."""
    for checked in documents:
        version = _compiled([checked]).versions[0]
        yield from _tiers_out_of_order(checked, version)
        yield from _idle_lines(checked, version)
        yield from _cut_windows(checked, version)
        yield from _award_left_out(checked, version)
    for versions in _by_program(documents):
        for earlier, later in pairwise(versions):
            yield from _reused_names(earlier, later)
    yield from _twins(documents)


def outliving(documents: Sequence[Checked], retention_ms: int) -> Iterator[Mistake]:
    """Windows longer than the topics keep their records: history can't fill them again."""
    for versions in _by_program(documents):
        program = _compiled(versions)
        for index, checked in enumerate(versions):
            length_ms = _length_ms(program, index)
            if length_ms is None or length_ms > retention_ms:
                problem = (
                    "is longer than the topics keep their records: they can't fill it anew after a loss of Redis, "
                    "nor for a backtest"
                )
                yield checked.source.mistake(("window",), problem)


def begun(documents: Iterable[Checked], loaded: Iterable[Program], now_ms: int) -> Iterator[Mistake]:
    """Versions that are new beside ``loaded`` ones, and whose ``from`` (Unix ms) is past already."""
    known = _names(loaded)
    for checked in documents:
        document = checked.document
        from_ms = _compiled([checked]).versions[0].from_ms
        if (document.program, document.version) not in known and from_ms is not None and from_ms <= now_ms:
            problem = (
                f"{instant_text(from_ms)} is past: a running worker counts for this version only from what it "
                "reads once it has loaded it"
            )
            yield checked.source.mistake(("effective", "from"), problem)


def counted_anew(documents: Sequence[Checked], loaded: Iterable[Program]) -> Iterator[Mistake]:
    """Lines of versions that are new beside ``loaded`` ones, and count something else than the version before."""
    known = _names(loaded)
    for versions in _by_program(documents):
        program = _compiled(versions)
        starts = count_starts(program)
        for index, (earlier, later) in enumerate(pairwise(program.versions), start=1):
            if (program.name, later.number) in known or not isinstance(later.window, Rolling):
                continue
            for topic in sorted(_topics(earlier) & _topics(later)):
                # In a region that both have, or in one that stands for those that neither lists.
                region = next(iter((earlier.regions or {""}) & (later.regions or {""})), None)
                if region is None or starts[index, topic, region].at_ms != later.from_ms:
                    continue
                assert later.from_ms is not None
                whole_ms = later.from_ms + later.window.length_ms
                whole = (
                    f"windows are whole from {instant_text(whole_ms)} on"
                    if whole_ms <= LAST_MS
                    else "no window is whole"
                )
                problem = (
                    f"differs from version {earlier.number}, so it counts from {instant_text(later.from_ms)} on, and "
                    f"{whole}: count_from starts it earlier"
                )
                yield versions[index].source.mistake(("count", topic), problem)


def _names(programs: Iterable[Program]) -> set[tuple[str, int]]:
    """The versions, by programme and number."""
    return {(program.name, version.number) for program in programs for version in program.versions}


def _tiers_out_of_order(checked: Checked, version: Version) -> Iterator[Mistake]:
    """Tiers go from the lowest to the highest: each must ask more than every one before it."""
    highest: list[tuple[Tier, list[Point]]] = []  # of those before, the ones that no other one implies
    for index, tier in enumerate(version.tiers):
        lower = next((each.name for each, points in highest if holds_at_all(tier.when, points)), None)
        if lower is not None:
            problem = f"{tier.name} asks no more than {lower} before it: whoever reaches {lower} reaches both"
            yield checked.source.mistake(("tiers", index, "when"), problem)
            continue
        points = least_points(tier.when)
        if points is not None:
            highest = [each for each in highest if not holds_at_all(each[0].when, points)]
            highest.append((tier, points))


def _idle_lines(checked: Checked, version: Version) -> Iterator[Mistake]:
    for topic in TOPICS:
        if topic in version.lines and topic not in _topics(version):
            yield checked.source.mistake(("count", topic), "narrows what no tier names")


def _cut_windows(checked: Checked, version: Version) -> Iterator[Mistake]:
    """A calendar or tumbling window is judged, whole, by the version that is in force when it begins."""
    match version.window:
        case Tumbling(length_ms=length_ms):
            panes: Fixed | Local = Fixed(length_ms)
        case Calendar(period=period):
            panes = Local(period)
        case _:
            return
    from_ms, until_ms = version.from_ms, version.until_ms
    first, last = first_pane(panes, from_ms), last_pane(panes, until_ms)
    begins_ms = None if from_ms is None else panes.start(first)
    if first > last or (begins_ms or 0) > LAST_MS:
        problem = "no window begins between from and until: nothing is ever judged"
        yield checked.source.mistake(("effective",), problem)
        return
    if begins_ms is not None and begins_ms != from_ms:
        problem = (
            f"lies within a window, which is not judged: the first that is begins {instant_text(begins_ms)}"
        )
        yield checked.source.mistake(("effective", "from"), problem)
    if until_ms is not None and until_ms != (ends_ms := panes.end(last)) <= LAST_MS:
        problem = (
            f"lies within a window, which is judged to its end: events before {instant_text(ends_ms)} may pay"
        )
        yield checked.source.mistake(("effective", "until"), problem)


def _award_left_out(checked: Checked, version: Version) -> Iterator[Mistake]:
    """Who has windows that begin anew mostly means to pay in each of them."""
    if isinstance(version.window, Calendar | Tumbling) and "award" not in checked.document.model_fields_set:
        problem = "is absent, which means once and for good: write once_per_window, or once if that is meant"
        yield checked.source.mistake(("award",), problem)


def _topics(version: Version) -> set[Topic]:
    """The topics that the tiers of a version name."""
    return {topic_of(metric) for tier in version.tiers for metric in metrics_of(tier.when)}


def _reused_names(earlier: Checked, later: Checked) -> Iterator[Mistake]:
    """A tier's name is one award over all versions: under it the same should be asked, only more or less of it."""
    before = {tier.name: tier for tier in _compiled([earlier]).versions[0].tiers}
    for index, tier in enumerate(_compiled([later]).versions[0].tiers):
        old = before.get(tier.name)
        if old is not None and _kind(old) != _kind(tier):
            problem = (
                f"{tier.name} means something else in version {earlier.document.version}, and whoever got it "
                "there is not paid here: give it a name of its own"
            )
            yield later.source.mistake(("tiers", index, "name"), problem)


def _kind(tier: Tier) -> tuple[tuple[Metric, ...], object]:
    return metrics_of(tier.when), tier.reward["currency"]


def _twins(documents: Sequence[Checked]) -> Iterator[Mistake]:
    """Programmes that differ in nothing but their names, and so pay everything twice."""
    firsts: list[tuple[Program, Checked]] = []
    for versions in _by_program(documents):
        nameless = _nameless(_compiled(versions))
        twin = next((checked for program, checked in firsts if program == nameless), None)
        if twin is None:
            firsts.append((nameless, versions[0]))
            continue
        problem = (
            f"says the same as {twin.document.program} ({twin.source.file}:{twin.source.line(())}): both pay"
        )
        yield versions[0].source.mistake(("program",), problem)


def _nameless(program: Program) -> Program:
    versions = tuple(replace(version, number=at) for at, version in enumerate(program.versions))
    return replace(program, name="", versions=versions)


def _by_program(documents: Sequence[Checked]) -> Iterator[list[Checked]]:
    """The documents of each programme, in the order of their ``from``."""

    def name(checked: Checked) -> str:
        return checked.document.program

    for _, group in groupby(sorted(documents, key=name), key=name):
        by_number: Mapping[int, Checked] = {checked.document.version: checked for checked in group}
        yield [by_number[version.number] for version in _compiled(by_number.values()).versions]


def _compiled(documents: Iterable[Checked]) -> Program:
    (program,) = compile_programs([checked.document for checked in documents])
    return program


def _length_ms(program: Program, index: int) -> int | None:
    """How far the window of a version reaches at most; None where it has no end."""
    version = program.versions[index]
    match version.window:
        case Rolling(length_ms=length_ms) | Tumbling(length_ms=length_ms):
            return length_ms
        case Calendar(period=period):
            return DAYS[period.unit] * MS_PER_DAY
        case Lifetime():
            starts = [
                count_starts(program)[index, topic, region].at_ms
                for topic in _topics(version)
                for region in version.regions or {""}
            ]
            begins = [start for start in starts if start is not None]
            if version.until_ms is None or len(begins) < len(starts):
                return None
            return version.until_ms - min(begins)
