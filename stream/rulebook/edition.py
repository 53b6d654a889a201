"""An edition: the set of programmes in force at a place of the topic `programs`."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

MOST_REMEMBERED = 200
"""How many former editions are remembered: a folder that equals one of them is out of date."""


@dataclass(frozen=True, slots=True)
class Edition:
    """``number`` is the offset in `programs` up to which it was read; 0 before the first record.

    ``programs`` maps a programme to its canonical documents. ``former`` are digests of editions that it replaced.
    """

    number: int
    programs: Mapping[str, tuple[str, ...]]
    former: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[str, ...]:
        """All canonical documents, by programme and version."""
        return tuple(text for name in sorted(self.programs) for text in self.programs[name])

    @property
    def digest(self) -> str:
        """Equal for equal documents."""
        return digest(self.documents)

    def remembered(self) -> tuple[str, ...]:
        """What its successor remembers."""
        return (*(each for each in self.former if each != self.digest), self.digest)[-MOST_REMEMBERED:]

    def was_replaced(self, documents: Sequence[str]) -> bool:
        """Whether these were in force once, and are not any more."""
        found = digest(documents)
        return found != self.digest and found in self.former


class Difference(NamedTuple):
    """What other documents in place of an edition's would do: programmes by name, each in order."""

    published: tuple[str, ...]
    ended: tuple[str, ...]
    unchanged: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.published or self.ended)


class _Named(msgspec.Struct):
    program: str


def digest(documents: Sequence[str]) -> str:
    """64 bits of SHA-256 over canonical documents, in hex."""
    return hashlib.sha256("\n".join(documents).encode()).hexdigest()[:16]


def by_program(documents: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Canonical documents, gathered by the programme that they name; their order stays."""
    found: dict[str, tuple[str, ...]] = {}
    for text in documents:
        name = msgspec.json.decode(text, type=_Named).program
        found[name] = (*found.get(name, ()), text)
    return found


def difference(edition: Edition, documents: Iterable[str]) -> Difference:
    """What ``documents`` would do in place of ``edition``."""
    wanted, held = by_program(documents), edition.programs
    return Difference(
        published=tuple(sorted(name for name, texts in wanted.items() if held.get(name) != texts)),
        ended=tuple(sorted(held.keys() - wanted.keys())),
        unchanged=tuple(sorted(name for name, texts in wanted.items() if held.get(name) == texts)),
    )


EMPTY = Edition(0, {})
