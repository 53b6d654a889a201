"""The documents of all files together: the versions of each programme, one after another.

::

    version 1   from ├──────────────┤ until
    version 2                            from ├──────────────────▶   a gap between them is a warning
    version 3                                         from ├─────▶   cuts version 2 off where that has no until
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from math import inf

from schemas.program_terms import instant_ms, instant_text
from schemas.programs import Effective
from stream.programs.document import Checked
from stream.programs.mistakes import Mistake, Path


def from_ms(effective: Effective) -> float:
    """When a version comes into force, for putting versions in order; unbounded is minus infinity."""
    return -inf if effective.from_ is None else instant_ms(effective.from_)


def check_history(documents: Iterable[Checked]) -> tuple[list[Mistake], list[Mistake]]:
    """What is wrong between documents, and what is only worth a warning."""
    named = [checked for checked in documents if checked.has("program")]
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    for _, group in groupby(sorted(named, key=_program), key=_program):
        versions = list(group)
        mistakes += _steady(versions)
        distinct = list(_distinct(versions, mistakes))
        in_order = sorted(distinct, key=lambda checked: from_ms(checked.document.effective))
        mistakes += _overlaps(in_order)
        warnings += _gaps(in_order)
    return mistakes, warnings


def _program(checked: Checked) -> str:
    return checked.document.program


def _called(checked: Checked) -> str:
    """How a mistake speaks of another document."""
    place = f"{checked.source.file}:{checked.source.line(())}"
    return (
        f"version {checked.document.version} ({place})" if checked.has("version") else f"the one at {place}"
    )


def _at(checked: Checked, path: Path, problem: str) -> Mistake:
    return checked.source.mistake(path, problem)


def _steady(versions: list[Checked]) -> Iterator[Mistake]:
    """``subject`` and ``award`` are the same in every version."""
    for name in ("subject", "award"):
        sound = [checked for checked in versions if checked.has(name)]
        for checked in sound[1:]:
            if getattr(checked.document, name) != getattr(sound[0].document, name):
                problem = f"expected the same as in {_called(sound[0])}: it may not change between versions"
                yield _at(checked, (name,), problem)


def _distinct(versions: list[Checked], mistakes: list[Mistake]) -> Iterator[Checked]:
    """The versions whose place in time is known; a number that is taken is a mistake."""
    first: dict[int, Checked] = {}
    for checked in versions:
        number = checked.document.version
        if checked.has("version") and first.setdefault(number, checked) is not checked:
            problem = f"{checked.document.program} has {_called(first[number])} already"
            mistakes.append(_at(checked, ("version",), problem))
        elif checked.has("effective"):
            yield checked


def _overlaps(in_order: list[Checked]) -> Iterator[Mistake]:
    """Each version that starts before the end of one that started earlier, or together with it."""
    if not in_order:
        return
    longest = in_order[0]
    for earlier, later in pairwise(in_order):
        start_ms = from_ms(later.document.effective)
        if _until_ms(earlier, start_ms) >= _until_ms(longest, start_ms):
            longest = earlier
        if _until_ms(longest, start_ms) > start_ms or from_ms(longest.document.effective) == start_ms:
            yield _at(
                later, ("effective", "from"), f"overlaps {_called(longest)}: versions follow one another"
            )


def _gaps(in_order: list[Checked]) -> Iterator[Mistake]:
    reached_ms = -inf
    for earlier, later in pairwise(in_order):
        start_ms = from_ms(later.document.effective)
        reached_ms = max(reached_ms, _until_ms(earlier, start_ms))
        if reached_ms < start_ms:
            since = instant_text(int(reached_ms))
            yield _at(
                later,
                ("effective", "from"),
                f"nothing is in force from {since} until this time",
            )


def _until_ms(checked: Checked, next_ms: float) -> float:
    until = checked.document.effective.until
    return next_ms if until is None else instant_ms(until)
