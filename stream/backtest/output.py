"""Output files that are whole or not there: a run that breaks off leaves nothing that looks like a result."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stream.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A file to write lines to, which takes its name only when the block ends well, in place of what was there.

    Until then it is ``.NAME.partial`` beside it, and an exception takes that away. What is no regular file (a
    pipe, ``/dev/stdout``) is written directly.

    Raises:
        InputError: the place can't be written to.
    """
    direct = path.exists() and not path.is_file()
    # A link to a pipe, as /dev/stdout is one, leads to no path that could be opened.
    target = path if direct else path.resolve()
    partial = target if direct else target.with_name(f".{target.name}.partial")
    with _told(path):
        file = partial.open("wb")

    def write_line(line: bytes) -> None:
        with _told(path):
            file.write(line + b"\n")

    try:
        yield write_line
        with _told(path):
            file.close()
            if not direct:
                os.replace(partial, target)
    finally:
        with suppress(OSError):
            file.close()
        if not direct:
            partial.unlink(missing_ok=True)


def copy_lines(paths: Iterable[Path], write: Callable[[bytes], None]) -> None:
    """Write all lines of these files."""
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                write(line.rstrip(b"\n"))


def refuse_overwriting(events: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Raise ``InputError`` where an output is an input, or given twice."""
    taken = {path.resolve() for path in events if path.is_file()}
    for output in outputs:
        place = output.resolve()
        if place in taken:
            raise InputError(f"{output} is given twice: an output must be no other file of the same run.")
        if place.is_file() or not place.exists():
            taken.add(place)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"The output file {path} can't be written: {error.strerror}.") from None
