"""A document against the schema: pydantic's errors, told in the operator's words."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError, WrapValidator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from schemas.program_terms import Told
from schemas.programs import ProgramDocument, Strict
from stream.programs.mistakes import MAX_SHOWN, Mistake, Path, quoted
from stream.programs.reader import IN_A_NUMBER, WORDS, Document, Value

MAX_KEYS_SHOWN = 5
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def validate(source: Document) -> tuple[ProgramDocument | None, dict[Path, Mistake]]:
    """The document, or what is wrong with its fields, by path; what the reader found comes first."""
    mistakes = dict(source.mistakes)
    document = None
    try:
        document = ProgramDocument.model_validate(source.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            path = _path(detail)
            mistakes.setdefault(path, source.mistake(path, _problem(source, path, detail)))
    return (None if mistakes else document), mistakes


def known_keys(path: Path) -> list[str]:
    """The keys that a mapping at ``path`` may have, in any of its shapes."""
    return list(dict.fromkeys(key for model in _models_at(path) for key, _ in _fields(model)))


def _fields_at(path: Path) -> Iterator[FieldInfo]:
    """What is said of ``path``, which ends with a key, by the models that know it."""
    *outer, key = path
    for model in _models_at(tuple(outer)):
        for name, info in model.model_fields.items():
            if key in (name, info.alias):
                yield info


def _models_at(path: Path) -> list[type[Strict]]:
    """The models that a mapping at ``path`` may have."""
    models: list[type[Strict]] = [ProgramDocument]
    for part in path:
        if isinstance(part, str):
            inner = [field for model in models for key, field in _fields(model) if key == part]
            models = [model for annotation in inner for model in _models(annotation)]
    return models


def _fields(model: type[Strict]) -> Iterator[tuple[str, object]]:
    for name, info in model.model_fields.items():
        yield info.alias or name, info.annotation


def _models(annotation: object) -> Iterator[type[Strict]]:
    """The models that a field's type is made of, however deep inside unions and lists."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _path(detail: ErrorDetails) -> Path:
    """Where an error is, without the tags of unions; the last part of an unknown key's location is the key."""
    location = detail["loc"]
    key = len(location) - 1 if detail["type"] == "extra_forbidden" else None
    return tuple(
        part
        for index, part in enumerate(location)
        if index == key or not (isinstance(part, str) and part.startswith("<"))
    )


def _problem(source: Document, path: Path, detail: ErrorDetails) -> str:
    found = _found(source, path)
    match detail["type"]:
        case "missing":
            return f"is needed{_what_is_expected(path)}"
        case "extra_forbidden":
            return _unknown_key(source, path)
        case "model_type":
            keys = f" of {', '.join(known_keys(path))}" if path else ""
            return f"expected a mapping{keys}, found {found}"
        case "list_type":
            return f"expected a list, found {found}{_as_list(source, path)}"
        case "too_short":
            return "expected at least one entry, found an empty list"
    return f"{detail['msg']}, found {found}{_as_list(source, path)}"


def _as_list(source: Document, path: Path) -> str:
    """Asks whether plain words, ``US`` or ``US, GB``, were meant as a list, where that would be right."""
    written = _value_at(source, path)
    if not isinstance(written, str) or len(written) > MAX_SHOWN or not isinstance(path[-1], str):
        return ""
    words = [word.strip() for word in written.split(",")]
    if not all(_PLAIN.fullmatch(word) and word not in WORDS for word in words):
        return ""
    for field in _fields_at(path):
        annotation: Any = field.annotation
        try:
            TypeAdapter(annotation).validate_python(words, strict=True)
        except ValidationError:
            continue
        return f", did you mean [{', '.join(words)}]?"
    return ""


def _what_is_expected(path: Path) -> str:
    """What belongs at ``path``, as far as a few words say it."""
    field = next(_fields_at(path))
    for mark in field.metadata:
        if isinstance(mark, WrapValidator) and isinstance(mark.func, Told):
            return f": {mark.func.what}"
    keys = known_keys(path)
    if not keys:
        return ": a list" if get_origin(field.annotation) is list else ""
    each = "a list, each " if get_origin(field.annotation) is list else ""
    return f": {each}a mapping of {', '.join(keys)}"


def _unknown_key(source: Document, path: Path) -> str:
    *outer, key = path
    known = known_keys(tuple(outer))
    if key in known:
        beside = _value_at(source, tuple(outer))
        others = (
            [name for name in beside if name != key and name in known] if isinstance(beside, dict) else []
        )
        return f"does not go with {', '.join(others)} beside it"
    if IN_A_NUMBER.fullmatch(str(key)):
        return "unknown key: a comma begins the next entry, so write 1000 for 1,000"
    word, colon, _ = str(key).partition(":")
    if colon and word in known:
        return f"unknown key: a blank is missing after the colon of {word}"
    near = _nearest(str(key), known)
    return (
        f"unknown key, did you mean {near}?" if near else f"unknown key, expected one of {', '.join(known)}"
    )


def _nearest(key: str, known: list[str]) -> str | None:
    return next(iter(get_close_matches(key[:MAX_SHOWN], known, n=1)), None)


def _value_at(source: Document, path: Path) -> Value:
    value: Value = source.value
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return value


def _found(source: Document, path: Path) -> str:
    """What is at ``path``; of a mapping its keys, as the wrong key is what makes it a wrong mapping."""
    value = _value_at(source, path)
    if not isinstance(value, dict):
        return source.places[path].found if path in source.places else "nothing"
    if not value:
        return "an empty mapping"
    known = known_keys(path)
    near = [
        f"{_nearest(key, known)} for {quoted(key)}"
        for key in value
        if key not in known and _nearest(key, known)
    ]
    keys = ", ".join(quoted(key) for key in list(value)[:MAX_KEYS_SHOWN])
    return f"a mapping of {keys}" + (f" (did you mean {near[0]}?)" if near else "")
