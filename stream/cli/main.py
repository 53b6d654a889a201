"""``bonus``: the commands, and the one place where errors become sentences and exit codes.

Exit codes: 0 done, 1 the input was wrong, 2 usage, 3 an outside service could not be reached, 130 interrupted.
Rooms are imported inside the commands, so that ``bonus --help`` doesn't load Kafka and Faust.
"""

import logging
import sys
import traceback
from contextlib import suppress
from importlib.metadata import version
from os import environ
from pathlib import Path
from typing import Annotated

import typer

from stream.cli import backtest, check, explain, migrate, programs, topics
from stream.cli.options import UsageError, some_path, with_settings
from stream.cli.stdout import Unread, watch_stdout
from stream.errors import BonusError
from stream.settings import Settings

# typer carries click inside under a private name; this is the base of all its "wrong call" errors.
_WrongCall: type[typer.BadParameter] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="bonus",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: nothing is cut at 80 columns
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def bonus(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    """Bonuses for creators from Kafka engagement events, each exactly once.

    \b
    See it run:         bonus demo
    Check programmes:   bonus check programs/
    Try them on files:  bonus backtest --programs programs/ --events day.ndjson --out bonuses.ndjson
    Make the topics:    bonus topics create --kafka localhost:9092
    Run for real:       bonus worker --programs programs/
    See what counts:    bonus programs show
    See who gets what:  bonus explain c-17
    """
    if show_version:
        typer.echo(f"bonus {version('bonus-stream')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@with_settings(Settings)
def worker(settings: Settings) -> None:
    """Run one worker until SIGTERM or Ctrl-C. Start several, and they share the partitions.

    Each option can be an environment variable instead. Durations are written like 500ms, 10s, 5m, 24h or 30d.

    \b
    bonus worker --programs programs/
    bonus worker --kafka kafka:9092 --redis redis://redis:6379/0 --programs programs/ --http-port 8080
    """
    from stream import logs
    from stream.worker.run import run

    logs.set_up(settings.log_level, settings.log_format)
    run(settings)


def demo(
    seconds: Annotated[
        float | None, typer.Option(min=1, metavar="N", help="End after so many seconds. Default: at Ctrl-C.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, max=20_000, metavar="N", help="Sample events a second.")] = 500,
    programs: Annotated[
        Path | None,
        typer.Option(
            parser=some_path, metavar="PATH", help="Programmes of your own instead of the sample ones."
        ),
    ] = None,
) -> None:
    """See it all run: a broker, a Redis, sample producers and a worker, with nothing to install.

    \b
    bonus demo
    bonus demo --seconds 30 --rate 2000 --programs programs/
    """
    from stream.demo import run

    run(seconds=seconds, rate=rate, programs=programs)


# In the order in which one comes to need them.
app.command(short_help="See it all run, with nothing to install.")(demo)
app.command(short_help="List the mistakes in programmes, and tell what they say.")(check.check)
app.command(short_help="Run programmes over past events.")(backtest.backtest)
app.command(short_help="Run one worker, until it is told to stop.")(worker)
app.command(short_help="Tell how a creator or a video stands with each tier.")(explain.explain)
app.command(short_help="Carry a group's state over to other partitions or another cluster.")(migrate.migrate)
app.add_typer(topics.app, name="topics")
app.add_typer(programs.app, name="programs")


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    watch_stdout()
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong is one sentence on stderr."""
    # What libraries log of a failure is said once more by our own sentence; the worker sets up its own logging.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        if arguments[:1] == ["backtest"]:
            arguments = backtest.each_file_named(arguments)
        ended: object = app(arguments, prog_name="bonus", standalone_mode=False)
    except _WrongCall as error:
        return _complain(_told(error, arguments), UsageError.exit_code)
    except BonusError as error:
        return _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Unread:
        return 0
    except Exception as error:  # what nobody foresaw is a bug of ours, and says so
        if environ.get("BONUS_LOG_LEVEL") == "debug":
            traceback.print_exc()
        hint = "Set BONUS_LOG_LEVEL=debug to see where."
        return _complain(f"This is a bug in bonus: {type(error).__name__}: {error}. {hint}", 1)
    return ended if isinstance(ended, int) else 0


def _told(error: typer.BadParameter, arguments: list[str]) -> str:
    """What is wrong with a call, and which help to see."""
    sentence = error.format_message().strip()
    end = "" if sentence.endswith((".", "?")) else "."
    return f"{sentence}{end} See {' '.join(['bonus', *_command(arguments)])} --help."


def _command(arguments: list[str]) -> list[str]:
    """The words that name the command: ``topics create`` of ``topics create --partitions``."""
    below, words = getattr(typer.main.get_command(app), "commands", {}), []
    for word in arguments:
        if word not in below:
            break
        words.append(word)
        below = getattr(below[word], "commands", {})
    return words


def _complain(sentence: str, code: int) -> int:
    with suppress(OSError):  # nobody is left to be told
        print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
