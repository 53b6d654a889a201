"""Command-line options made from the settings models, so that each setting is described in one place.

``@with_settings(Settings)`` gives a command an option for every field. What the command receives is the
finished, checked model; options that were not given come from the environment, then from the defaults.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from stream.errors import BonusError
from stream.settings import ENV_PREFIX, in_ms, written_ms

_OPTION = re.compile(r"--([a-z-]+)")

S = TypeVar("S", bound=BaseSettings)
P = ParamSpec("P")


class UsageError(BonusError):
    """A command was called in a way it can't be: the sentence names the option and what was expected."""

    exit_code = 2


def with_settings(
    model: type[S],
) -> Callable[[Callable[Concatenate[S, P], None]], Callable[..., None]]:
    """Give a command, whose first parameter is a ``model``, an option for each of the model's fields.

    The command's other parameters stay options and arguments of their own, and come first in ``--help``.
    """

    def decorate(command: Callable[Concatenate[S, P], None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]
        options = [_option(name, field) for name, field in _in_order_of_interest(model)]

        @wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            given = {name: kwargs.pop(name) for name in model.model_fields}
            command(read_settings(model, given), *args, **kwargs)

        parameters = [*own, *options]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__dict__["__signature__"] = inspect.Signature(parameters)
        return run

    return decorate


def read_settings(model: type[S], given: Mapping[str, object], *, variables: str | None = None) -> S:
    """Build ``model`` from what was given (``None`` is not given), the environment and the defaults.

    ``variables`` is for settings that have no options: what the names of their environment variables begin with.

    Raises UsageError with one sentence for everything that is wrong.
    """
    try:
        # Values given here win over the environment, which pydantic-settings reads for the rest.
        return model.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        told = (_sentence(mistake, model, variables) for mistake in error.errors())
        raise UsageError(" ".join(told)) from error


def some_path(written: str) -> Path:
    """A path as it is written; an empty one, as an unset variable leaves it, is not the current folder."""
    if not written:
        raise typer.BadParameter("expected a path, found nothing.")
    return Path(written)


def retention_ms(written: str | None) -> int | None:
    """What ``--retention`` says, in ms."""
    if written is None:
        return None
    from schemas.program_terms import some_duration_ms

    try:
        return some_duration_ms(written)
    except ValueError:
        raise UsageError(f"--retention: expected a duration such as 7d, found {written!r}.") from None


def option_name(field: str) -> str:
    """``allowed_lateness`` as it is written on the command line: ``--allowed-lateness``."""
    return "--" + field.replace("_", "-")


def env_name(field: str) -> str:
    """``allowed_lateness`` as it is written in the environment: ``BONUS_ALLOWED_LATENESS``."""
    return ENV_PREFIX + field.upper()


def written(default: object) -> str:
    """A setting's default as one would write it: ``1h``, ``200000``, ``off``; empty for none."""
    if isinstance(default, timedelta):
        return written_ms(in_ms(default))
    if isinstance(default, bool):
        return "on" if default else "off"
    return "" if default is None else str(default)


def _in_order_of_interest(model: type[BaseSettings]) -> list[tuple[str, FieldInfo]]:
    inherited = {name for base in model.__bases__ for name in getattr(base, "model_fields", {})}
    return sorted(model.model_fields.items(), key=lambda named: named[0] in inherited)


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    flag = field.annotation is bool
    names = f"{option_name(name)}/{option_name('no_' + name)}" if flag else option_name(name)
    metavar = None if flag else _metavar(field)
    option = typer.Option(
        None,
        names,
        help=_help(name, field),
        metavar=metavar,
        parser=some_path if metavar == "PATH" else None,
        show_default=False,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=bool | None if flag else str | None
    )


def _help(name: str, field: FieldInfo) -> str:
    if field.is_required():
        facts = ["needed"]
    else:
        default = written(field.default)
        facts = [f"default: {default}"] if default else []
    return f"{field.description} [{'; '.join([*facts, 'env: ' + env_name(name)])}]"


def _metavar(field: FieldInfo) -> str:
    kinds = [
        field.annotation,
        *(part for union in get_args(field.annotation) for part in [union, *get_args(union)]),
    ]
    if get_origin(field.annotation) is Literal:
        return "|".join(get_args(field.annotation))
    if timedelta in kinds:
        return "DURATION"
    if int in kinds:
        return "N"
    return "PATH" if Path in kinds else "TEXT"


def _sentence(mistake: ErrorDetails, model: type[BaseSettings], variables: str | None) -> str:
    message = _message(mistake, model)
    if not mistake["loc"]:
        if variables is not None:
            message = _OPTION.sub(lambda found: variables + found[1].replace("-", "_").upper(), message)
        return f"{message[0].upper()}{message[1:]}."
    name = str(mistake["loc"][0])
    if variables is not None:
        return f"{variables}{name.upper()}: {message[0].lower()}{message[1:]}."
    if mistake["type"] == "missing":
        return f"{option_name(name)} (or {env_name(name)}) is needed."
    return f"{option_name(name)} ({env_name(name)}): {message[0].lower()}{message[1:]}."


def _message(mistake: ErrorDetails, model: type[BaseSettings]) -> str:
    """What was expected, in the words of our own checks; pydantic's are for its own users."""
    match mistake["type"]:
        case "int_parsing" | "int_type" | "int_parsing_size" | "greater_than_equal" | "less_than_equal":
            what = f"an integer{_bounds(model.model_fields[str(mistake['loc'][0])])}"
        case "bool_parsing" | "bool_type":
            what = "true or false"
        case "literal_error":
            what = str(mistake["ctx"]["expected"]).replace("'", "")
        case "string_pattern_mismatch":
            what = f"text that matches {mistake['ctx']['pattern']}"
        case _:
            return mistake["msg"].removeprefix("Value error, ")
    return f"expected {what}, found {mistake['input']!r}"


def _bounds(field: FieldInfo) -> str:
    least = next((mark.ge for mark in field.metadata if hasattr(mark, "ge")), None)
    most = next((mark.le for mark in field.metadata if hasattr(mark, "le")), None)
    if most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f" of at least {least}"
