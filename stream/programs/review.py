"""A folder as ``bonus check`` looks at it: more closely than a worker, which only has to understand it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from stream.errors import InputError
from stream.programs.document import Checked
from stream.programs.documents import changes
from stream.programs.doubts import begun, counted_anew, doubts, outliving
from stream.programs.load import Loaded, load, loaded_from, read_folder
from stream.programs.mistakes import Mistake


def review(
    folder: Path, now_ms: int, against: Path | None = None, retention_ms: int | None = None
) -> tuple[Loaded, list[Mistake]]:
    """What the programmes of ``folder`` are, and every warning about them, by file and line.

    ``against`` is the folder as it is loaded by now; ``now_ms`` (Unix ms) says which of the new versions come too
    late for a running worker. ``retention_ms`` is how long the topics keep their records.

    Raises ``InputError`` with all mistakes, a line each; a change to a loaded version is one.
    """
    documents, warnings = read_folder(folder)
    loaded = loaded_from(documents, warnings)
    found = [*warnings, *doubts(documents)]
    if retention_ms is not None:
        found += outliving(documents, retention_ms)
    if against is not None:
        before = load(against)
        illegal = sorted(_illegal(documents, before, loaded))
        if illegal:
            raise InputError("\n".join(map(str, illegal)))
        found += begun(documents, before.programs, now_ms)
        found += counted_anew(documents, before.programs)
    return loaded, sorted(found)


def _illegal(documents: Sequence[Checked], before: Loaded, after: Loaded) -> Iterator[Mistake]:
    """Each change at the version's document, or where that is missing at one of its programme."""
    for change in changes(before.documents, after.documents):
        of_program = [checked for checked in documents if checked.document.program == change.program]
        of_version = [checked for checked in of_program if checked.document.version == change.version]
        yield (of_version or of_program)[0].source.mistake((), str(change).rstrip("."))
