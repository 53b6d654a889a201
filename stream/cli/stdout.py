"""stdout, which may be a pipe whose reader has gone, or a file on a full disk."""

import os
import sys
from errno import EPIPE
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

from stream.errors import BonusError


class Unread(Exception):
    """Whoever read stdout has gone: what is left to say is for nobody, and nothing is wrong."""


class Unwritable(BonusError):
    """What there is to say can't be written to stdout."""


def watch_stdout() -> None:
    """Have stdout raise Unread or Unwritable, which libraries don't take for errors of their own."""
    told = sys.stdout
    if not isinstance(told, TextIOWrapper):
        return
    told.flush()
    sys.stdout = TextIOWrapper(
        BufferedWriter(_Watched(told.fileno(), "wb", closefd=False)),
        encoding=told.encoding,
        errors=told.errors,
        line_buffering=told.line_buffering or told.write_through,
    )


class _Watched(FileIO):
    def write(self, data: Any, /) -> int:
        """Write, or say why not; what comes after that goes nowhere, also when the interpreter ends."""
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if error.errno == EPIPE:
                raise Unread from None
            raise Unwritable(f"The output can't be written: {error.strerror}.") from None
