"""From a value that was looked at closely to the exact code and sentence of its rejection.

This is the slow path: json and pydantic, some 10 µs. It decides; the fast path of `schemas.decode` may only accept
what this accepts, and hands over whatever it does not.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.events import EXPECTED
from schemas.rejections import CODES
from schemas.strict_json import NotJson, parse
from stream.core.outcome import Rejection

MAX_BYTES = 65_536
"""The longest value that is looked into: 64 KiB."""

Model = TypeVar("Model", bound=BaseModel)

_SHOWN_CHARACTERS = 40
_WRONG_TYPES = frozenset({"wrong_type", "string_type", "int_type", "bool_type"})
_KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction or an exponent",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def read_object(value: bytes | None) -> dict[str, object] | Rejection:
    """The JSON object in ``value``, or why there is none: too_large, empty, not_json, not_object."""
    if not value:
        return Rejection("empty", "The record has no value; a JSON object was expected.")
    if len(value) > MAX_BYTES:
        return Rejection("too_large", f"The value has {len(value)} bytes; {MAX_BYTES} are accepted.")
    try:
        document = parse(value)
    except NotJson as error:
        return Rejection("not_json", str(error))
    if not isinstance(document, dict):
        return Rejection("not_object", f"The value is {_KINDS[type(document)]}; a JSON object was expected.")
    return document


def check(model: type[Model], document: Mapping[str, object]) -> Model | list[Rejection]:
    """The document as ``model``, or all that is wrong with it, in the order of the model's fields."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        return [_rejection(fault) for fault in error.errors(include_url=False)]


def gravest(rejections: Sequence[Rejection]) -> Rejection:
    """The rejection whose code comes first; of equal codes, the first one. ``rejections`` is not empty."""
    return min(rejections, key=lambda rejection: CODES.index(rejection.code))


def _rejection(fault: ErrorDetails) -> Rejection:
    if not fault["loc"]:
        return Rejection("bad_value", fault["msg"])
    field = str(fault["loc"][0])
    expected = EXPECTED[field]
    if fault["type"] == "missing":
        return Rejection("missing_field", f"{field} is missing; it must be {expected}.")
    if fault["type"] in _WRONG_TYPES:
        return Rejection("wrong_type", f"{field} must be {expected}, not {_KINDS[type(fault['input'])]}.")
    return Rejection("bad_value", f"{field} must be {expected}, not {_shown(fault['input'])}.")


def _shown(value: object) -> str:
    """The value in ASCII, cut short: a detail goes into a header and into logs."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
