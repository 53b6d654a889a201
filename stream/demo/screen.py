"""What the demo shows: a line a bonus, a line of progress below, and a summary at the end."""

from collections import Counter
from decimal import Decimal
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.bonuses import BonusEvent
from stream.demo.watch import Progress

_TIER_WIDTH = 34


class Screen:
    """The demo's output; a context, so that the terminal is left as it was. Without a terminal, plain lines."""

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console = console
        self._bonuses: Counter[tuple[str, str]] = Counter()
        self._paid: dict[tuple[str, str], Counter[str]] = {}
        self._sent = 0
        self._progress = Progress()
        self._bar = ProgressBar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            *([BarColumn(20)] if seconds is not None else []),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("starting the worker", total=seconds)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, sentence: str) -> None:
        """Show a sentence above the line of progress."""
        self._console.print(Text(sentence))

    def show_bonus(self, bonus: BonusEvent) -> None:
        """Show one bonus in one line, and remember it for the summary."""
        tier = (bonus.program, bonus.tier)
        self._bonuses[tier] += 1
        amount, currency = reward(bonus)
        self._paid.setdefault(tier, Counter())[currency] += amount  # type: ignore[assignment]
        self._console.print(bonus_line(bonus), soft_wrap=True)

    def show_progress(self, sent: int, progress: Progress, elapsed_s: float) -> None:
        """Renew the line of progress."""
        self._sent, self._progress = sent, progress
        description = (
            f"{sent:,} sent · {progress.accepted:,} accepted · {self._bonuses.total():,} bonuses"
        )
        self._bar.update(self._task, description=description, completed=elapsed_s)

    def show_summary(self, elapsed_s: float) -> None:
        """Show what came of it all: bonuses and sums by programme and tier, and what became of the events."""
