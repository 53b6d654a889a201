"""The reference of the language: up to date, and every example in it loads."""

import re
from pathlib import Path

import pytest

from schemas.programs import Strict
from schemas.reference import PAGE, Mapping, fields, flow, mappings, page
from stream.programs import load
from stream.programs.reader import read

MAPPINGS = mappings()
EXAMPLES = [
    pytest.param(mapping, key, example, id=f"{mapping.model.__name__}.{key}-{index}")
    for mapping in MAPPINGS
    for key, field in fields(mapping.model)
    for index, example in enumerate(field.examples or [])
]


def written(model: type[Strict]) -> dict[str, object]:
    """A mapping with the first example of each of its needed keys."""
    return {key: field.examples[0] for key, field in fields(model) if field.is_required() and field.examples}


def document_with(mapping: Mapping, key: str, example: object) -> dict[str, object]:
    """A document that holds the example at its place, and else only what is needed."""
    inner: object = written(mapping.model) | {key: example}
    models = {each.path: each.model for each in MAPPINGS if each.path != mapping.path}
    for depth in reversed(range(len(mapping.path))):
        last = mapping.path[depth]
        inner = [inner] if last == "tiers" else inner
        outer = written(models[mapping.path[:depth]])
        inner = outer | {last: inner}
    assert isinstance(inner, dict)
    if "count_from" in inner:
        inner["effective"] = {"from": "2026-01-01T00:00:00Z"}
    return inner


def test_the_committed_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m schemas.reference"


@pytest.mark.parametrize(("mapping", "key", "example"), EXAMPLES)
def test_every_example_of_the_reference_loads(
    mapping: Mapping, key: str, example: object, tmp_path: Path
) -> None:
    document = document_with(mapping, key, example)
    (tmp_path / "a.yaml").write_text(f"{flow(document)}\n", encoding="utf-8")

    assert 1 == len(load(tmp_path).programs)


def test_every_field_has_a_meaning_an_example_and_a_value() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == sum(len(list(fields(mapping.model))) for mapping in MAPPINGS)
    for row in rows:
        assert all(row[at].strip(" |") for at in (0, 1, 4, 5)), row


def test_every_link_within_the_reference_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^a-z0-9_ -]", "", line[3:].lower()).replace(" ", "-")
        for line in page().splitlines()
        if line.startswith("## ")
    }

    assert set(re.findall(r"\]\(#([^)]*)\)", page())) <= headings


@pytest.mark.parametrize(
    "value",
    ["5.00", "true", "null", "a: b", "[", "", "24h", "NO", "2026-01-01T00:00:00+02:00", "a#b", "é", "7"],
)
def test_text_in_an_example_is_read_back_as_the_same_text(value: str) -> None:
    (document,) = read("a.yaml", flow({"key": value, "list": [value]}).encode()).documents

    assert {"key": value, "list": [value]} == document.value
