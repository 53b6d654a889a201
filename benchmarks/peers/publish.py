"""Puts a run's figures where the documentation shows them.

    python -m benchmarks.peers.publish /tmp/peers/peers.json

The results are kept beside this module, the table goes into docs/comparison.md between its two marks, the plot to
docs/comparison.svg.
"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import command
from benchmarks.peers import plot, results, table

STORED = Path(__file__).with_name("peers.json")
PAGE = STORED.parents[2] / "docs" / "comparison.md"
PLOT = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- figures: written by benchmarks.peers.publish -->\n", "<!-- end of figures -->\n"


def main(run: Annotated[Path, typer.Argument(help="The peers.json of a run.")]) -> None:
    """Put a run's figures where the documentation shows them."""
    found = results.read(run)
    PAGE.write_text(with_figures(PAGE.read_text(), found))
    plot.write(PLOT, found)
    results.write(STORED, found)


def with_figures(page: str, found: results.Results) -> str:
    """The page with these figures between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table.markdown(found)}\n{END}{after}"


if __name__ == "__main__":
    command.run(main)
