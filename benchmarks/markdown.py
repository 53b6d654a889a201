"""Tables in Markdown: for a page of the documentation, and by way of rich for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markdown import Markdown

_WIDTH = 150


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first ``left`` columns are aligned to the left, the others to the right."""
    rules = ["---"] * left + ["--:"] * (len(heads) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rules, *rows))


def show(text: str) -> None:
    """Print Markdown to the terminal, wide enough for our tables."""
    Console(width=max(Console().width, _WIDTH)).print(Markdown(text))
