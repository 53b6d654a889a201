"""Files as one log of lines, read in the order given; no line takes more memory than an event may."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from schemas.faults import MAX_BYTES
from stream.errors import InputError

_END = len(b"\r\n")
_SKIPPED_AT_ONCE = 1 << 20


class RawLine(NamedTuple):
    """A line of a file, with its end if it has one. ``number`` counts a file's lines from 1.

    ``length`` is in bytes; ``value`` is shorter where the line is longer than any event may be.
    """

    file: Path
    number: int
    value: bytes
    length: int


def open_files(paths: list[Path]) -> list[tuple[Path, BinaryIO]]:
    """Open every file before any is read, so that a missing one is told at once.

    Raises:
        InputError: one does not exist, is a folder, or may not be read.
    """
    opened: list[tuple[Path, BinaryIO]] = []
    try:
        for path in paths:
            opened.append((path, path.open("rb")))
    except OSError as error:
        for _, file in opened:
            file.close()
        raise unreadable(path, error) from None
    return opened


def read_lines(path: Path, file: BinaryIO) -> Iterator[RawLine]:
    """The lines of an open file; the last one needs no end, and LF and CR LF both end a line.

    Raises:
        InputError: the file can't be read to its end.
    """
    number = 0
    try:
        while value := file.readline(MAX_BYTES + _END):
            number += 1
            length = len(value)
            if length > MAX_BYTES and not value.endswith(b"\n"):
                length += _skip_line(file)
            yield RawLine(path, number, value, length)
    except OSError as error:
        raise unreadable(path, error) from None


def _skip_line(file: BinaryIO) -> int:
    """Read to the end of the line, and say how many bytes that was."""
    skipped = 0
    while part := file.readline(_SKIPPED_AT_ONCE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def unreadable(path: Path, error: OSError) -> InputError:
    """The sentence for a file that can't be opened or read."""
    return InputError(f"The events file {path} can't be read: {error.strerror}.")
