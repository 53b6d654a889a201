"""A backtest over NDJSON files: programmes and events in, bonuses and rejected lines out."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.bonuses import encode
from stream.backtest.comparison import compare as put_side_by_side
from stream.backtest.lines import RawLine, open_files, read_lines
from stream.backtest.output import refuse_overwriting, whole_file
from stream.backtest.replay import Replay, TurnedAway
from stream.backtest.summary import ProgramSet, Summary
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.programs import load

_BYTES_BETWEEN_DRAWINGS = 1 << 20


def run_over_files(
    programs: Path,
    events: Sequence[Path],
    out: Path,
    rejected: Path | None,
    limits: Limits,
    progress: bool,
    compare: Path | None = None,
) -> Summary:
    """Run the programmes over files that are one log, and write the bonuses in the order in which they are awarded.

    ``out`` is always written, empty where there is no bonus; it and ``rejected`` appear when the run is over.
    ``progress`` draws a bar of the bytes read on stderr, if that is a terminal. ``compare`` is a second folder of
    programmes, which are run over the same lines; the summary then says what differs, the bonuses are the first's.

    Raises:
        InputError: programmes or files are wrong; lines that can't be accepted are no error.
    """
    refuse_overwriting(events, [out, *([rejected] if rejected else [])])
    loaded = [(folder, load(folder)) for folder in (programs, compare) if folder is not None]
    replay = Replay([Plan(each.programs) for _, each in loaded], limits)
    replay.summary.sets = tuple(ProgramSet.of(folder, each) for folder, each in loaded)
    replay.summary.warnings = tuple(str(warning) for _, each in loaded for warning in each.warnings)
    replay.summary.source = f"the files {', '.join(map(_written, events))}"
    with ExitStack() as stack:
        opened = open_files(list(events))
        for _, file in opened:
            stack.enter_context(file)
        write_bonus = stack.enter_context(whole_file(out))
        write_rejected = stack.enter_context(whole_file(rejected)) if rejected else None
        bar = stack.enter_context(_bar(shown=progress and sys.stderr.isatty()))
        for result in replay.results(_log(opened, bar)):
            if not isinstance(result, TurnedAway):
                write_bonus(encode(result))
            elif write_rejected is not None:
                write_rejected(_rejected_line(result))
    if replay.tallies:
        replay.summary.comparison = put_side_by_side(*replay.tallies)
    return replay.summary


def _rejected_line(turned_away: TurnedAway) -> bytes:
    """Bytes that are no UTF-8 are shown as ``\\xNN``; a line that was cut says how long it was."""
    line, rejection = turned_away
    told: dict[str, object] = {
        "file": _written(line.file),
        "line": line.number,
        "error": rejection.code,
        "error_detail": rejection.detail,
        "value": line.value.rstrip(b"\r\n").decode(errors="backslashreplace"),
    }
    if line.length > len(line.value):
        told["truncated"] = line.length
    return msgspec.json.encode(told)


def _written(path: Path) -> str:
    """A file's name as text, also where it is none."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _bar(*, shown: bool) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), disable=not shown)


def _log(opened: Sequence[tuple[Path, BinaryIO]], bar: Progress) -> Iterator[RawLine]:
    """All lines of all files; the bar moves on by the bytes read."""
    total = sum(path.stat().st_size for path, _ in opened)
    task = bar.add_task("Reading", total=total or None)
    undrawn = 0
    for path, file in opened:
        for line in read_lines(path, file):
            undrawn += line.length
            if undrawn >= _BYTES_BETWEEN_DRAWINGS:
                bar.advance(task, undrawn)
                undrawn = 0
            yield line
    bar.advance(task, undrawn)
