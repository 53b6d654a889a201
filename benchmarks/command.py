"""The command line of a benchmark: options from a function's signature, and failures as one sentence."""

import sys
from collections.abc import Callable

import typer

from benchmarks.worker import WorkerFailed
from stream.errors import BonusError
from tests.kafka.broker import CannotRun


class CannotMeasure(Exception):
    """A run came to nothing that could be measured; the message says why."""


def run(command: Callable[..., None]) -> None:
    """Run ``command`` with the options that were given, and end the process where it can't be done."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(command)
    try:
        app()
    except (BonusError, CannotMeasure, CannotRun, WorkerFailed) as error:
        sys.exit(str(error))
