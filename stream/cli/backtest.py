"""``bonus backtest``: the engine over files, or over the topics' history."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from schemas.instants import instant_ms
from stream.cli.options import UsageError, some_path, with_settings
from stream.settings import KafkaSettings, LimitSettings

if TYPE_CHECKING:
    from rich.table import Table

    from stream.backtest import Range, Summary

_WIDTH = 200
"""Columns of a table in a file or a pipe."""

_MANY_LATE = 10
"""So many late lines, and one in a hundred, tell of a file that is not in order; fewer are late by themselves."""


class BacktestSettings(LimitSettings, KafkaSettings):
    """What a backtest is told besides its files."""

    programs: Path = Field(description="Folder of the programmes' *.yaml and *.yml files.")


@with_settings(BacktestSettings)
def backtest(
    settings: BacktestSettings,
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            parser=some_path, metavar="PATH", help="Where the bonuses go, as NDJSON; empty if there are none."
        ),
    ],
    events: Annotated[
        list[Path] | None,
        typer.Option(
            parser=some_path, metavar="FILE...", help="Events as NDJSON, one log read in the order given."
        ),
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(
            parser=some_path,
            metavar="PATH",
            help="Where what can't be accepted goes, as NDJSON, with the reason.",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            parser=some_path,
            metavar="DIR",
            help="A second folder of programmes, run over the same history: who gains, who loses and what it costs "
            "is told as a table. --out gets the bonuses of --programs.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            parser=some_path, metavar="FILE.html", help="The comparison as one page, with plots, to pass on."
        ),
    ] = None,
    report_json: Annotated[
        Path | None,
        typer.Option(parser=some_path, metavar="FILE", help="The comparison as JSON, for programs."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME|OFFSETS",
            help="With --kafka: begin at records of this Kafka timestamp (2026-01-01T00:00:00Z), or at these offsets "
            "(views/0/120,likes/0/40; a partition not named begins with its log). Counts begin empty there. "
            "Default: all that the topics hold.",
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="TIME", help="With --kafka: end before records of this Kafka timestamp."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --kafka: processes, each with whole partitions. Default: one a core.",
        ),
    ] = None,
) -> None:
    """Run programmes over past events, with the worker's own engine and no effect on anything.

    Over files, or with --kafka over the topics' history: no group is joined, nothing is committed, no topic is made.
    A run over Kafka that was broken off goes on when it is called again with the same --out.

    \b
    bonus backtest --programs programs/ --events views.ndjson likes.ndjson --out bonuses.ndjson
    bonus backtest --programs programs/ --kafka kafka:9092 --out bonuses.ndjson
    bonus backtest --programs programs/ --kafka kafka:9092 --from 2026-01-01T00:00:00Z --out january.ndjson
    bonus backtest --programs programs/ --compare next/ --kafka kafka:9092 --out bonuses.ndjson --report diff.html
    """
    both = events and context.params["kafka"] is not None  # beside files BONUS_KAFKA means nothing
    neither = not events and "kafka" not in settings.model_fields_set
    if both or neither:
        raise UsageError("A backtest needs either --events FILE... or --kafka HOST:PORT, and not both.")
    if events and (start or end or workers):
        raise UsageError("--from, --to and --workers are for --kafka: files are read as they are.")
    if compare is None and (report or report_json):
        raise UsageError(
            "--report and --report-json tell of a comparison: give a second folder with --compare."
        )
    from stream.backtest import run_over_files, run_over_kafka
    from stream.backtest.output import refuse_overwriting, whole_file
    from stream.backtest.report import document, page, paid, tables

    wanted = read_range(start, end)
    refuse_overwriting(events or [], [path for path in (out, rejected, report, report_json) if path])
    with _sigterm_breaks_off(), ExitStack() as files:
        # Before the run: a place that can't be written to is told at once.
        write_page = files.enter_context(whole_file(report)) if report else None
        write_document = files.enter_context(whole_file(report_json)) if report_json else None
        if events:
            summary = run_over_files(
                settings.programs, events, out, rejected, settings.limits(), progress=True, compare=compare
            )
        else:
            summary = run_over_kafka(
                settings.programs, settings, wanted, out, rejected, settings.limits(), workers, compare
            )
        if write_page is not None:
            write_page(page(summary).encode())
        if write_document is not None:
            write_document(document(summary))
    if summary.comparison is not None:
        _print_tables(tables(summary.comparison))
    for warning in summary.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if summary.comparison is None:
        _print_tables([paid(summary)], err=True)  # stdout may be where the bonuses go
    for line in told(summary, "lines" if events else "records", rejected_kept=rejected is not None):
        typer.echo(line, err=True)


@contextmanager
def _sigterm_breaks_off() -> Iterator[None]:
    """Have SIGTERM break the block off as Ctrl-C does, so that nothing half written stays; the exit code is 143."""

    def break_off(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, break_off)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_tables(found: Iterable["Table"], *, err: bool = False) -> None:
    """Print tables to stdout or stderr, whole also where that is no terminal."""
    from rich.console import Console

    console = Console(highlight=False, stderr=err)
    if not console.is_terminal:
        console = Console(highlight=False, stderr=err, width=_WIDTH)
    for table in found:
        console.print(table)
        console.print()


def told(summary: "Summary", what: str = "lines", *, rejected_kept: bool = False) -> list[str]:
    """What a backtest came to, for people: how to find out what was turned away, then the counts in one line."""
    counts = {"accepted": summary.accepted, "duplicates": summary.duplicates}
    counts |= dict(sorted(summary.turned_away.items()))
    fate = ", ".join(f"{code} {count}" for code, count in counts.items())
    return [
        *_hints(summary, what, rejected_kept=rejected_kept),
        f"{summary.lines} {what}: {fate}; bonuses {summary.bonuses}.",
    ]


def _hints(summary: "Summary", what: str, *, rejected_kept: bool) -> Iterator[str]:
    turned_away = sum(summary.turned_away.values())
    if turned_away and not rejected_kept:
        yield f"{what.capitalize()} were turned away; --rejected FILE tells why."
    late = summary.turned_away.get("late", 0)
    if what == "lines" and late >= max(_MANY_LATE, summary.lines / 100) and late * 2 > turned_away:
        yield (
            "Most are late: lateness is judged against the largest timestamp so far, so sort a file by time."
        )


def each_file_named(arguments: list[str]) -> list[str]:
    """Put ``--events`` before every file that follows one: ``--events a b`` is ``--events a --events b``.

    Raises UsageError where none follows.
    """
    spread: list[str] = []
    more_files = False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            if spread[-1:] == ["--events"]:
                raise UsageError(f"--events: expected a file, found {argument}.")
            more_files = argument == "--events" or argument.startswith("--events=")
        elif more_files and spread[-1] != "--events":
            spread.append("--events")
        spread.append(argument)
    return spread


def read_range(start: str | None, end: str | None) -> "Range":
    """``--from`` and ``--to`` as they are written.

    Raises UsageError where they are neither a time nor offsets, or have nothing between them.
    """
    from stream.backtest import Range

    to_ms = None if end is None else instant_ms(end)
    if end is not None and to_ms is None:
        raise UsageError(f"--to {end}: expected a time with its offset, such as 2026-01-01T00:00:00Z.")
    if start is None:
        return Range(to_ms=to_ms)
    from_ms = instant_ms(start)
    if from_ms is not None:
        if to_ms is not None and from_ms >= to_ms:
            raise UsageError(f"--from {start} must be before --to {end}: no record lies between them.")
        return Range(from_ms=from_ms, to_ms=to_ms)
    offsets: dict[str, int] = {}
    for written in start.split(","):
        place, _, offset = written.strip().rpartition("/")
        if "/" not in place or not offset.isdecimal():
            raise UsageError(
                f"--from {written}: expected a time with its offset, such as 2026-01-01T00:00:00Z, "
                "or offsets as topic/partition/offset, separated by commas."
            )
        offsets[place] = int(offset)
    return Range(from_offsets=offsets, to_ms=to_ms)
