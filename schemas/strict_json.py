"""RFC 8259 to the letter: what Python's json module lets pass, and an event may not hold.

Refused beyond what json refuses: NaN and Infinity, a byte order mark, bytes that are not UTF-8, surrogates that are
no pair, and nesting that is too deep to promise. The last of two equal keys wins. Integers of any length are valid;
what is too long for any field is cut to a number that is still out of every range.
"""

import json
import re
from typing import Never

MAX_DEPTH = 33
"""Levels of objects and arrays: the event's own, and 32 within it."""

# Any integer that long is out of every range; and int() refuses, by design, to read thousands of digits.
_TELLING_DIGITS = 40
_BRACE, _BRACKET = b"{["
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
# A pair, or (captured) a surrogate on its own, or any other escape: told apart from the left, so that the second
# backslash of an escaped one is never read as the start of an escape.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


class NotJson(ValueError):
    """A value is not JSON by RFC 8259 and UTF-8; the message is a sentence that says where."""


def parse(value: bytes) -> object:
    """The JSON value that ``value`` holds.

    Raises:
        NotJson: it holds none, or one that is nested deeper than `MAX_DEPTH`.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"The value is not UTF-8: byte {error.start} is 0x{value[error.start]:02x}.") from None
    if not surely_shallow(value) and _deeper_than_promised(text):
        raise NotJson(f"The value is nested deeper than {MAX_DEPTH} levels.")
    try:
        document: object = json.loads(text, parse_int=_integer, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"The value is not JSON: {error.msg} at character {error.pos}.") from None
    if "\\" in text:
        _refuse_lone_surrogates(text)
    return document


def surely_shallow(value: bytes) -> bool:
    """Whether ``value`` can't be too deep, by a count of the brackets that open, those in strings included."""
    if value.rfind(_BRACE) <= 0 and _BRACKET not in value:
        return True
    return value.count(_BRACE) + value.count(_BRACKET) <= MAX_DEPTH


def _deeper_than_promised(text: str) -> bool:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token in "]}":
            depth -= 1
    return False


def _integer(digits: str) -> int:
    return int(digits[:_TELLING_DIGITS])


def _refuse_constant(name: str) -> Never:
    raise NotJson(f"The value is not JSON: {name} is no number of RFC 8259.")


def _refuse_lone_surrogates(text: str) -> None:
    for match in _ESCAPE.finditer(text):
        if match.group(1):
            raise NotJson(
                f"The value is not JSON: \\{match.group(1)} at character {match.start()} has no pair."
            )
