"""One document: its fields against the schema, then what must hold between them.

A rule between fields names the fields it reads and is skipped while one of them is wrong in itself, so that every
mistake shows at once and none shows twice.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from schemas.program_terms import duration_ms, instant_ms
from schemas.programs import (
    CalendarWindow,
    OncePer,
    ProgramDocument,
    RollingWindow,
    TumblingWindow,
)
from stream.programs.fields import validate
from stream.programs.mistakes import Mistake, Path
from stream.programs.reader import Document
from stream.programs.steps import MAX_PANES, default_step_ms

STAND_IN: dict[str, object] = {
    "program": "stand-in",
    "version": 1,
    "regions": "all",
    "subject": "creator",
    "window": {"lifetime": True},
    "tiers": [{"name": "t", "when": {"views": 1}, "reward": {"amount": "0", "currency": "XXX"}}],
}

Problem = tuple[Path, str]


class Checked(NamedTuple):
    """A document with its mistakes; in ``document`` a stand-in holds the place of each field in ``wrong``."""

    source: Document
    document: ProgramDocument
    wrong: frozenset[str]
    mistakes: list[Mistake]

    def has(self, *fields: str) -> bool:
        """Whether these fields are right in themselves."""
        return self.wrong.isdisjoint(fields)


def check_document(source: Document) -> Checked:
    """Every mistake that a document has by itself."""
    if not isinstance(source.value, dict):
        _, mistakes = validate(source)
        return Checked(source, ProgramDocument.model_validate(STAND_IN), ALL_FIELDS, list(mistakes.values()))
    document, mistakes = validate(source)
    wrong = frozenset(str(path[0]) for path in mistakes if path)
    if document is None:
        right = {key: value for key, value in source.value.items() if key not in wrong}
        document = ProgramDocument.model_validate(STAND_IN | right)
    checked = Checked(source, document, wrong, list(mistakes.values()))
    problems = list(_tier_names(source))
    for fields, rule in RULES:
        if checked.has(*fields):
            problems.extend(rule(document))
    checked.mistakes.extend(source.mistake(path, problem) for path, problem in problems)
    return checked


def _span(document: ProgramDocument) -> Iterator[Problem]:
    start, end = document.effective.from_, document.effective.until
    if start is not None and end is not None and instant_ms(end) <= instant_ms(start):
        yield ("effective", "until"), f"expected a time after from, {start}, found {end}"


def _count_from(document: ProgramDocument) -> Iterator[Problem]:
    start, count_from = document.effective.from_, document.count_from
    if count_from is None:
        return
    if start is None:
        yield ("count_from",), "goes with effective.from only: without it all events count anyway"
    elif instant_ms(count_from) > instant_ms(start):
        yield ("count_from",), f"expected a time not after effective.from, {start}, found {count_from}"


def _step(document: ProgramDocument) -> Iterator[Problem]:
    window = document.window
    if not isinstance(window, RollingWindow):
        return
    rolling_ms = duration_ms(window.rolling)
    if window.step is None:
        if default_step_ms(rolling_ms) is None:
            yield ("window", "step"), f"is needed: rolling {window.rolling} has no default step"
    elif rolling_ms % duration_ms(window.step):
        yield (
            ("window", "step"),
            f"expected a duration that divides rolling, {window.rolling}, found {window.step}",
        )
    elif rolling_ms // duration_ms(window.step) > MAX_PANES:
        yield (
            ("window", "step"),
            f"expected at most {MAX_PANES} steps in rolling, {window.rolling}, found {window.step}",
        )


def _pairing(document: ProgramDocument) -> Iterator[Problem]:
    kind = next(iter(type(document.window).model_fields))
    match document.award:
        case "once_per_window" if not isinstance(document.window, TumblingWindow | CalendarWindow):
            yield ("award",), f"once_per_window goes with a tumbling or calendar window, found {kind}"
        case OncePer() if not isinstance(document.window, RollingWindow):
            yield ("award",), f"once_per goes with a rolling window, found {kind}"


def _tier_names(source: Document) -> Iterator[Problem]:
    tiers = source.value.get("tiers") if isinstance(source.value, dict) else None
    first: dict[str, int] = {}
    for index, tier in enumerate(tiers if isinstance(tiers, list) else ()):
        name = tier.get("name") if isinstance(tier, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            line = source.line(("tiers", first[name], "name"))
            yield ("tiers", index, "name"), f"expected a name of its own, {name} is taken in line {line}"


ALL_FIELDS = frozenset(info.alias or name for name, info in ProgramDocument.model_fields.items())
RULES: tuple[tuple[tuple[str, ...], Callable[[ProgramDocument], Iterator[Problem]]], ...] = (
    (("effective",), _span),
    (("effective", "count_from"), _count_from),
    (("window",), _step),
    (("window", "award"), _pairing),
)
