"""The page of examples names all of them, and what it links to is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGES = sorted((PROJECT / "docs").glob("*.md"))


def test_the_page_has_a_row_for_every_example() -> None:
    text = (PROJECT / "docs" / "programmes-of-real-life.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([a-z-]+)\]\(\.\./examples/programs/([a-z-]+)\.yaml\) \|", text, re.MULTILINE)

    assert sorted(
        (path.stem, path.stem) for path in (PROJECT / "examples" / "programs").glob("*.yaml")
    ) == sorted(rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [] == [link for link in links if not (page.parent / link).exists()]
