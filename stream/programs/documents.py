"""Programme documents as canonical JSON: what is stored beside the state, and what is compared with the files.

One line of JSON a document, keys in the schema's order, defaults left out, decimals with the digits that were
written. The rules are always made from these lines, so what was stored compiles to what the files did.
"""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import NamedTuple

import msgspec
from pydantic import ValidationError

from schemas.programs import ProgramDocument
from stream.core.conditions import metrics_of
from stream.core.rules import TOPICS, Program, Topic, Version, topic_of
from stream.core.starts import ANY_OTHER, count_starts
from stream.errors import InputError
from stream.programs.compile import compile_programs

_encoder = msgspec.json.Encoder(decimal_format="number")


def canonical(document: ProgramDocument) -> str:
    """The one line of JSON that stands for a document."""
    return _encoder.encode(document.model_dump(by_alias=True, exclude_defaults=True)).decode()


def compile_documents(documents: Sequence[str]) -> tuple[Program, ...]:
    """The rules of canonical documents, without any file; raises ``InputError`` where they are not canonical."""
    try:
        return compile_programs(
            [ProgramDocument.model_validate(json.loads(text, parse_float=Decimal)) for text in documents]
        )
    except (ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"The stored programmes can't be understood by this release: {reason}.") from error


def changed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """A sentence for each version of ``old`` that may not be what ``new`` makes of it. Empty where all is well.

    See ``changes``, which also says which version each sentence is about.
    """
    return [str(change) for change in changes(old, new)]


class Change(NamedTuple):
    """What may not be done to a loaded version; prints as a sentence."""

    program: str
    version: int
    what: str

    def __str__(self) -> str:
        return f"{self.program} version {self.version} is loaded already, but {self.what}"


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What ``new`` does to the versions of ``old`` that it may not do.

    A loaded version stays as it is but for ``until``, and so do the times from which it counts: a version put in
    before it could move them, and what was counted until now would be a count of something else. A whole
    programme may go, which ends it; what it awarded is remembered, so it can come back without paying twice.

    Both are canonical documents; they are compared by meaning, so ``60s`` for ``1m`` is no change. What a bonus
    event shows as written (``thresholds``, ``reward``) is compared as written.
    """
    now = {program.name: program for program in compile_documents(new)}
    return [
        Change(before.name, version.number, what)
        for before in compile_documents(old)
        if before.name in now
        for index, version in enumerate(before.versions)
        if (what := _difference(before, index, now[before.name]))
    ]


def _difference(before: Program, index: int, after: Program) -> str | None:
    old = before.versions[index]
    place = next((at for at, version in enumerate(after.versions) if version.number == old.number), None)
    if place is None:
        return "its document is missing: put it back, and end it with effective.until if it is to stop."
    new = replace(after.versions[place], until_ms=old.until_ms)
    names = [name for name in ("subject", "award") if getattr(before, name) != getattr(after, name)]
    names += [
        WRITTEN[item.name] for item in fields(Version) if getattr(old, item.name) != getattr(new, item.name)
    ]
    if names:
        return f"its {' and '.join(names)} changed: only effective.until may; make the change a new version."
    loaded = {version.number for version in before.versions}
    inserted = [version.number for version in after.versions[:place] if version.number not in loaded]
    moved = _moved(before, index, after, place) if inserted else []
    if not moved:
        return None
    return (
        f"version {inserted[-1]}, which now comes before it, would move the start of its count of "
        f"{' and '.join(moved)}: give the new version a from that is later than those of all loaded ones."
    )


def _moved(before: Program, index: int, after: Program, place: int) -> list[Topic]:
    """The topics that a version judges and whose count would start at another time, in some region."""
    version = before.versions[index]
    named = {topic_of(metric) for tier in version.tiers for metric in metrics_of(tier.when)}
    starts, now = count_starts(before), count_starts(after)
    regions = version.regions or {
        ANY_OTHER,
        *(region for each in (*before.versions, *after.versions) for region in each.regions or ()),
    }
    return [
        topic
        for topic in TOPICS
        if topic in named
        and any(starts[index, topic, region] != now[place, topic, region] for region in regions)
    ]


WRITTEN = {
    "regions": "regions",
    "window": "window",
    "tiers": "tiers",
    "from_ms": "effective.from",
    "count_from_ms": "count_from",
    "campaigns": "campaigns",
    "lines": "count",
}
"""A version's fields by the names that operators know; ``number`` and ``until_ms`` are equal by then."""
