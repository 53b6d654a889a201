"""What is wrong with a programme file, one line each, and where: file, line, field."""

import json
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Where a value is within its document: keys, and indexes into lists."""

MAX_SHOWN = 60


class Mistake(NamedTuple):
    """One thing to put right (or, as a warning, to look at). Sorts by file and line; prints as one line."""

    file: str
    line: int
    field: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.field, self.problem) if part)


def field_name(path: Path) -> str:
    """A path as people write it: ``tiers[0].when.views``; a key that is no plain word is quoted."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            word = part if part.isascii() and part.replace("_", "").replace("-", "").isalnum() else None
            name += ("." if name else "") + (word if word and len(word) <= MAX_SHOWN else quoted(part))
    return name


def quoted(text: str) -> str:
    """Any text on one printable line, in quotes, cut to ``MAX_SHOWN`` characters."""
    shown = json.dumps(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…", ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown)
