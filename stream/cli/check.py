"""``bonus check``: what is wrong with a folder of programmes, or what they say."""

import time
from pathlib import Path
from typing import Annotated

import typer

from stream.cli.options import retention_ms, some_path
from stream.core.rules import (
    Award,
    Calendar,
    Lifetime,
    Once,
    OncePer,
    Period,
    Program,
    Rolling,
    Version,
    Window,
)
from stream.errors import InputError
from stream.settings import written_ms


def check(
    directory: Annotated[
        Path, typer.Argument(parser=some_path, metavar="DIR", help="Folder of *.yaml and *.yml files.")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as mistakes.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            parser=some_path, metavar="DIR", help="The folder as it is loaded now: tells what may not change."
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long the topics keep records: warns of longer windows."),
    ] = None,
) -> None:
    """List the mistakes in programmes, one line each with file, line and field; if there are none, the programmes.

    Warnings tell what is allowed, but probably not what you want. They go to stderr; with --strict they end the check
    with 1.

    \b
    bonus check programs/
    bonus check programs/ --strict --against deployed/ --retention 7d
    """
    from stream.programs import review

    now_ms = time.time_ns() // 1_000_000
    loaded, warnings = review(directory, now_ms, against, retention_ms(retention))
    if strict and warnings:
        raise InputError("\n".join(map(str, warnings)))
    rows = [
        HEADINGS,
        *(row(program, each, now_ms) for program in loaded.programs for each in program.versions),
    ]
    for line in aligned(rows):
        typer.echo(line)
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


HEADINGS = ("PROGRAM", "VERSION", "NOW", "FROM", "UNTIL", "REGIONS", "SUBJECT", "WINDOW", "AWARD", "TIERS")


def row(program: Program, version: Version, now_ms: int) -> tuple[str, ...]:
    """One version for people; whether it is in force at ``now_ms`` (Unix ms) is for the eye only."""
    return (
        program.name,
        str(version.number),
        _standing(version, now_ms),
        instant(version.from_ms),
        instant(version.until_ms),
        "all" if version.regions is None else ",".join(sorted(version.regions)),
        program.subject,
        _window(version.window),
        _award(program.award),
        ", ".join(tier.name for tier in version.tiers),
    )


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of equal length as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    ]


def _standing(version: Version, now_ms: int) -> str:
    if version.from_ms is not None and now_ms < version.from_ms:
        return "to come"
    return "over" if version.until_ms is not None and now_ms >= version.until_ms else "in force"


def instant(unix_ms: int | None) -> str:
    """A time for people; a dash where there is none."""
    if unix_ms is None:
        return "-"
    from schemas.program_terms import instant_text

    return instant_text(unix_ms)


def _window(window: Window) -> str:
    if isinstance(window, Lifetime):
        return "lifetime"
    if isinstance(window, Calendar):
        return _period(window.period)
    if isinstance(window, Rolling):
        return f"rolling {written_ms(window.length_ms)} by {written_ms(window.step_ms)}"
    return f"tumbling {written_ms(window.length_ms)}"


def _award(award: Award) -> str:
    if isinstance(award, Once):
        return "once"
    return f"once per {_period(award.period)}" if isinstance(award, OncePer) else "once per window"


def _period(period: Period) -> str:
    return period.unit if period.timezone == "UTC" else f"{period.unit} in {period.timezone}"
