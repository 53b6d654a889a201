"""Programme documents as canonical JSON: what is stored beside the state, and what is compared with the files.

One line of JSON a document, keys in the schema's order, defaults left out, decimals with the digits that were
written. The rules are always made from these lines, so what was stored compiles to what the files did.
"""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal

import msgspec
from pydantic import ValidationError

from schemas.programs import ProgramDocument
from stream.core.rules import Program, Version
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
    """A sentence for each version of ``old`` that ``new`` lacks or has otherwise, ``until`` left aside.

    Both are canonical documents; they are compared by meaning, so ``60s`` for ``1m`` is no change. What a bonus
    event shows as written (``thresholds``, ``reward``) is compared as written. Empty where all is well.
    """
    now = {program.name: program for program in compile_documents(new)}
    sentences: list[str] = []
    for before in compile_documents(old):
        after = now.get(before.name)
        numbered = {version.number: version for version in after.versions} if after else {}
        for version in before.versions:
            what = _difference(before, version, after, numbered.get(version.number))
            if what:
                sentences.append(f"{before.name} version {version.number} is loaded already, but {what}")
    return sentences


def _difference(before: Program, old: Version, after: Program | None, new: Version | None) -> str | None:
    if after is None or new is None:
        return "its document is missing: put it back, and end it with effective.until if it is to stop."
    names = [name for name in ("subject", "award") if getattr(before, name) != getattr(after, name)]
    new = replace(new, until_ms=old.until_ms)
    names += [
        WRITTEN[item.name] for item in fields(Version) if getattr(old, item.name) != getattr(new, item.name)
    ]
    if not names:
        return None
    return f"its {' and '.join(names)} changed: only effective.until may; make the change a new version."


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
