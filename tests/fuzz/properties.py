"""What holds for any bytes: of a record's value, of a file's line, of a programme file. A target is one of them."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from schemas import rejections
from schemas.decode import _line_carefully, _line_fast, decode, decode_carefully, decode_fast, decode_line
from schemas.events import Event
from schemas.rejections import CODES, Origin
from stream.core import outcome as core
from stream.core.outcome import Rejection
from stream.errors import InputError
from stream.programs import compile_documents, load

LONGEST_S = 20.0
"""Of CPU time, for a programme file of the greatest size, on a slow machine with a fuzzer's instruments."""

LONGEST_DETAIL = 400
_NAME = "fuzz.yaml"
_EMPTY = "hold no programme document"
_MORE = "There are more than"


def check_record(value: bytes) -> None:
    """A record is an event or a rejection with a code that is known, and both ways to decode say the same."""
    for topic in ("views", "likes"):
        careful = decode_carefully(value, topic)
        fast = decode_fast(value, topic) if value else None
        assert fast is None or fast == careful, (fast, careful)
        assert decode(value, topic, 0, 1) == careful
        _check_outcome(careful)


def check_line(value: bytes) -> None:
    """A line is a place and an event, or a rejection, and both ways to read it say the same."""
    line = decode_line(value)
    stripped = value.rstrip(b"\r\n")
    careful = _line_carefully(stripped)
    fast = _line_fast(stripped) if stripped else None
    assert fast is None or fast == careful, (fast, careful)
    assert line == careful
    _check_outcome(line if isinstance(line, Rejection) else line.event)


def check_programs(content: bytes) -> None:
    """A file is programmes that survive being stored, or sentences with file and line; soon."""
    began_s = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _NAME).write_bytes(content)
        try:
            loaded = load(Path(folder))
        except InputError as error:
            _check_sentences(str(error))
        else:
            assert loaded.programs
            assert compile_documents(loaded.documents) == loaded.programs
    assert time.process_time() - began_s < LONGEST_S


def _check_outcome(outcome: core.Event | Rejection) -> None:
    if not isinstance(outcome, Rejection):
        assert isinstance(outcome, Event)
        assert all(type(number) is int for number in (outcome.occurred_at, outcome.watch_ms))
        assert 0 <= outcome.occurred_at
        return
    assert outcome.code in CODES, outcome
    assert outcome.detail.isprintable(), outcome
    assert len(outcome.detail) <= LONGEST_DETAIL, outcome
    rejections.headers([], outcome, Origin("views", 0, 0))


def _check_sentences(told: str) -> None:
    lines = told.split("\n")
    if _EMPTY in told:
        assert len(lines) == 1
        return
    for line in lines:
        assert line.isprintable(), line
        if line.startswith(_MORE):
            continue
        name, number, problem = line.split(":", 2)
        assert (name, int(number) > 0, bool(problem.strip())) == (_NAME, True, True), line


TARGETS: dict[str, Callable[[bytes], None]] = {
    "records": check_record,
    "lines": check_line,
    "programs": check_programs,
}
