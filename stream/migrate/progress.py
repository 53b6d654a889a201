"""A bar on a terminal for whoever waits; sentences are printed in any case."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Where the state is moved: entries so far, of so many."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("Moving"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} entries"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=0)

    def expect(self, entries: int) -> None:
        """There are so many."""
        self._bar.update(self._task, total=entries)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, entries: int) -> None:
        """So many more were moved."""
        self._bar.advance(self._task, entries)

    def say(self, sentence: str) -> None:
        """Print a sentence for the operator."""
        self._console.print(sentence)
