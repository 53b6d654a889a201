"""Output files that are whole or not there: a run that breaks off leaves nothing that looks like a result."""

import os
from collections.abc import Callable, Iterator
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
    target = path.resolve()
    direct = target.exists() and not target.is_file()
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


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"The output file {path} can't be written: {error.strerror}.") from None
