"""``bonus backtest``: the engine over files, or over the topics' history."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field
from typer.core import TyperCommand

from stream.cli.options import UsageError, with_settings
from stream.settings import KafkaSettings, LimitSettings


class BacktestSettings(LimitSettings, KafkaSettings):
    """What a backtest is told besides its files."""

    programs: Path = Field(description="Folder of the programmes' *.yaml and *.yml files.")


class ManyFiles(TyperCommand):
    """A command whose ``--events`` takes all files up to the next option, as a shell's ``*.ndjson`` gives them."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Read the arguments; ``--events a b`` is ``--events a --events b``."""
        return super().parse_args(ctx, each_file_named(args))


def each_file_named(arguments: list[str]) -> list[str]:
    """Put ``--events`` before every file that follows one."""
    spread: list[str] = []
    more_files = False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            more_files = argument == "--events" or argument.startswith("--events=")
        elif more_files and spread[-1] != "--events":
            spread.append("--events")
        spread.append(argument)
    return spread
