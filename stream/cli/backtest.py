"""``bonus backtest``: the engine over files, or over the topics' history."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from stream.cli.options import UsageError, with_settings
from stream.settings import KafkaSettings, LimitSettings

if TYPE_CHECKING:
    from stream.backtest import Summary


class BacktestSettings(LimitSettings, KafkaSettings):
    """What a backtest is told besides its files."""

    programs: Path = Field(description="Folder of the programmes' *.yaml and *.yml files.")


@with_settings(BacktestSettings)
def backtest(
    settings: BacktestSettings,
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Where the bonuses go, as NDJSON; empty if there are none.")],
    events: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE...", help="Events as NDJSON, one log read in the order given."),
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="Where lines that can't be accepted go, as NDJSON.")
    ] = None,
) -> None:
    """Run programmes over past events, with the worker's own engine and no effect on anything.

    \b
    bonus backtest --programs programs/ --events views.ndjson likes.ndjson --out bonuses.ndjson
    """
    over_kafka = context.params["kafka"] is not None
    if over_kafka == bool(events):
        raise UsageError("A backtest needs either --events FILE... or --kafka HOST:PORT, and not both.")
    if not events:
        raise UsageError("A backtest over the topics' history is not offered yet: give --events FILE...")
    from stream.backtest import run_over_files

    summary = run_over_files(settings.programs, events, out, rejected, settings.limits(), progress=True)
    for line in told(summary):
        typer.echo(line, err=True)


def told(summary: "Summary") -> list[str]:
    """What a backtest came to, for people: the programmes' warnings, one a line, then the counts in one."""
    counts = {"accepted": summary.accepted, "duplicates": summary.duplicates}
    counts |= dict(sorted(summary.turned_away.items()))
    fate = ", ".join(f"{what} {count}" for what, count in counts.items())
    return [
        *(f"warning: {warning}" for warning in summary.warnings),
        f"{summary.lines} lines: {fate}; bonuses {summary.bonuses}.",
    ]


def each_file_named(arguments: list[str]) -> list[str]:
    """Put ``--events`` before every file that follows one: ``--events a b`` is ``--events a --events b``."""
    spread: list[str] = []
    more_files = False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            more_files = argument == "--events" or argument.startswith("--events=")
        elif more_files and spread[-1] != "--events":
            spread.append("--events")
        spread.append(argument)
    return spread
