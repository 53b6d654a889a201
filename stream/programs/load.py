"""From a folder of programme files to rules, or to every mistake in them.

What a folder can cost is bounded: each file (`stream.programs.reader`), all together, and what is told of them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stream.core.rules import Program
from stream.errors import InputError
from stream.programs.document import Checked, check_document
from stream.programs.documents import canonical, compile_documents
from stream.programs.history import check_history
from stream.programs.mistakes import Mistake
from stream.programs.reader import MAX_BYTES, read

SUFFIXES = (".yaml", ".yml")
MAX_FOLDER_BYTES = 8 * 1024 * 1024
MAX_MISTAKES = 1_000
"""So many mistakes are told at once, and no more are looked for."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The programmes of a folder, ready for the engine and for the checkpoint.

    ``documents`` are canonical JSON, one a version, by program and version number; ``digest`` (hex SHA-256) is
    equal where they are equal. ``warnings`` print as one line each.
    """

    programs: tuple[Program, ...]
    documents: tuple[str, ...]
    digest: str
    warnings: tuple[Mistake, ...]


def load(folder: Path) -> Loaded:
    """Load every ``*.yaml`` and ``*.yml`` file of ``folder`` itself; hidden files and folders are passed over.

    Raises ``InputError`` with all mistakes, a line each, by file and line; also where there is no programme.
    """
    return loaded_from(*read_folder(folder))


def read_folder(folder: Path) -> tuple[list[Checked], list[Mistake]]:
    """The documents of a folder, none of them with a mistake, and what is worth a warning; raises as ``load``."""
    mistakes: list[Mistake] = []
    checked: list[Checked] = []
    left_bytes = MAX_FOLDER_BYTES
    for path in _files(folder):
        content = _content(path)
        if isinstance(content, Mistake):
            mistakes.append(content)
            continue
        left_bytes -= len(content)
        if left_bytes < 0:
            problem = f"expected at most {MAX_FOLDER_BYTES} bytes in all files of the folder together"
            mistakes.append(Mistake(path.name, 1, "", problem))
            break
        _check_file(path.name, content, checked, mistakes)
        if len(mistakes) > MAX_MISTAKES:
            break
    between, warnings = check_history(checked)
    mistakes += between
    if mistakes:
        raise _refusal(mistakes)
    if not checked:
        raise InputError(f"The files in {folder} hold no programme document.")
    return checked, warnings


def _check_file(name: str, content: bytes, checked: list[Checked], mistakes: list[Mistake]) -> None:
    """Add a file's documents to ``checked``, and what is wrong with them to ``mistakes``, until those are many."""
    reading = read(name, content)
    mistakes += reading.mistakes
    for document in reading.documents:
        checked.append(check_document(document))
        mistakes += checked[-1].mistakes
        if len(mistakes) > MAX_MISTAKES:
            return


def _refusal(mistakes: list[Mistake]) -> InputError:
    lines = [str(mistake) for mistake in sorted(mistakes)[:MAX_MISTAKES]]
    if len(mistakes) > MAX_MISTAKES:
        lines.append(f"There are more than {MAX_MISTAKES} mistakes: these are the first.")
    return InputError("\n".join(lines))


def loaded_from(checked: list[Checked], warnings: list[Mistake]) -> Loaded:
    """Documents without mistakes, made ready."""
    in_order = sorted(
        (each.document for each in checked), key=lambda document: (document.program, document.version)
    )
    documents = tuple(map(canonical, in_order))
    digest = hashlib.sha256("\n".join(documents).encode()).hexdigest()
    return Loaded(compile_documents(documents), documents, digest, tuple(sorted(warnings)))


def _files(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        raise InputError(
            f"There is no folder {folder}: give one that holds the programmes' YAML files."
        ) from None
    except NotADirectoryError:
        raise InputError(
            f"{folder} is a file: give the folder that holds the programmes' YAML files."
        ) from None
    except OSError as error:
        raise InputError(f"The folder {folder} can't be read: {error.strerror}.") from None
    files = [
        path for path in entries if path.suffix in SUFFIXES and path.name[0] != "." and not path.is_dir()
    ]
    if not files:
        raise InputError(f"The folder {folder} has no programme: expected *.yaml or *.yml files in it.")
    return files


def _content(path: Path) -> bytes | Mistake:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            return Mistake(path.name, 1, "", "expected a regular file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return Mistake(path.name, 1, "", f"can't be read: {error.strerror}")
