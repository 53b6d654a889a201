"""Write the reference of the programme language from its models: ``python -m schemas.reference``.

What it writes is committed; a test fails where it is out of date, and another one loads every example in it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, NamedTuple, Union, get_args, get_origin

from pydantic import WrapValidator
from pydantic.fields import FieldInfo

from schemas.program_terms import Told
from schemas.programs import ProgramDocument, Strict

PAGE = Path(__file__).parents[1] / "docs" / "programme-reference.md"

_INTRODUCTION = """\
# Reference of the programme language

Made from the models by `python -m schemas.reference`; not edited by hand. What programmes are is told in
[programmes.md](programmes.md). Keys that are not listed here are errors, and so is `null` but for `from` and `until`.
The same for editors: `schemas/generated/program.schema.json`.
"""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*|[0-9]+[smhd]|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:+Z.-]+")
_WORDS = {"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"}


class Mapping(NamedTuple):
    """A mapping of the language: its model, and the path of keys that leads to it first."""

    model: type[Strict]
    title: str
    path: tuple[str, ...]


def mappings() -> list[Mapping]:
    """Every mapping of the language, each before those inside it."""
    titles: dict[type[Strict], list[str]] = {ProgramDocument: ["A document"]}
    paths: dict[type[Strict], tuple[str, ...]] = {ProgramDocument: ()}
    _collect(ProgramDocument, titles, paths)
    return [Mapping(model, ", ".join(titles[model]), path) for model, path in paths.items()]


def _collect(
    outer: type[Strict], titles: dict[type[Strict], list[str]], paths: dict[type[Strict], tuple[str, ...]]
) -> None:
    for key, field in fields(outer):
        shapes = list(models_of(field.annotation))
        for model in shapes:
            one_of_several = len(shapes) > 1 or _scalars(field)
            title = f"`{key}: {{{key_names(model)[0]}: …}}`" if one_of_several else f"`{key}`"
            is_new = model not in paths
            if is_new or (model is not outer and title not in titles[model]):
                titles.setdefault(model, []).append(title)
            if is_new:
                paths[model] = (*paths[outer], key)
                _collect(model, titles, paths)


def fields(model: type[Strict]) -> Iterator[tuple[str, FieldInfo]]:
    """The keys of a mapping, as they are written, in the order of the reference."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def key_names(model: type[Strict]) -> list[str]:
    """The keys of a mapping, as they are written."""
    return [key for key, _ in fields(model)]


def models_of(annotation: object) -> Iterator[type[Strict]]:
    """The mappings that a field's type is made of, however deep inside unions and lists."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from models_of(part)


def flow(value: object) -> str:
    """A value as YAML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case str() if _PLAIN.fullmatch(value) and value not in _WORDS:
            return value
    return json.dumps(value)


def page() -> str:
    """The text of the reference."""
    return "\n".join([_INTRODUCTION, *map(_section, mappings())])


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def _section(mapping: Mapping) -> str:
    lines = [
        f"## {mapping.title}",
        "",
        " ".join((mapping.model.__doc__ or "").replace("``", "`").split()),
        "",
        "| key | value | unit | default | meaning | example |",
        "|---|---|---|---|---|---|",
    ]
    for key, field in fields(mapping.model):
        cells = [
            f"`{key}`",
            _value(field),
            _unit(field),
            _default(field),
            field.description or "",
            ", ".join(f"`{flow(example)}`" for example in field.examples or []),
        ]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _told(annotation: object) -> Iterator[Told]:
    """What is expected of the scalars of a type, not of those inside its mappings."""
    if isinstance(annotation, WrapValidator) and isinstance(annotation.func, Told):
        yield annotation.func
    for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
        yield from _told(part)


def _scalars(field: FieldInfo) -> list[Told]:
    return [told for part in (*field.metadata, field.annotation) for told in _told(part)]


def _value(field: FieldInfo) -> str:
    told = next((told.what for told in _scalars(field)), "")
    inner = list(models_of(field.annotation))
    links = ", ".join(_link(other) for other in mappings() if other.model in inner)
    text = " or ".join(part for part in (told.split(" or {")[0] if links else told, links) if part)
    return f"a list of: {text}" if _is_list(field.annotation) else text


def _link(mapping: Mapping) -> str:
    anchor = re.sub(r"[^a-z0-9_ -]", "", mapping.title.lower()).replace(" ", "-")
    return f"[{mapping.title}](#{anchor})"


def _is_list(annotation: object) -> bool:
    """Whether a field holds a list and nothing else, where it holds something."""
    kinds = [part for part in get_args(annotation) if part is not type(None)]
    is_optional = get_origin(annotation) is UnionType or get_origin(annotation) is Union
    if get_origin(annotation) is Annotated:
        return _is_list(kinds[0])
    return get_origin(annotation) is list or (is_optional and all(map(_is_list, kinds)))


def _unit(field: FieldInfo) -> str:
    return next((told.unit for told in _scalars(field)), "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default is None or isinstance(field.default, Strict):
        return ""
    return f"`{flow(field.default)}`"


if __name__ == "__main__":
    main()
