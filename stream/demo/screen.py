"""What the demo shows: a line a bonus, a line of progress below them, and a summary at the end."""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.bonuses import BonusEvent
from stream.demo.watch import Progress


class Screen:
    """The demo's output; a context, so that the terminal is left as it was. Without a terminal, plain lines."""

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console = console
        self._bonuses: Counter[tuple[str, str]] = Counter()
        self._rewards: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        bar = [] if seconds is None else [BarColumn(20)]
        self._bar = ProgressBar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            *bar,
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._seconds = seconds
        self._task = self._bar.add_task("starting the worker", total=seconds)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self) -> None:
        """Count the time from now: the worker serves."""
        self._bar.reset(self._task, total=self._seconds)

    def say(self, sentence: str) -> None:
        """Show a sentence above the line of progress."""
        self._console.print(Text(sentence), soft_wrap=True)

    def show_bonus(self, bonus: BonusEvent) -> None:
        """Show one bonus in one line, and remember it for the summary."""
        reward = bonus.reward
        self._bonuses[bonus.program, bonus.tier] += 1
        self._rewards[bonus.program, bonus.tier, str(reward["currency"])] += Decimal(str(reward["amount"]))
        self._console.print(bonus_line(bonus, datetime.now()), soft_wrap=True)

    def show_progress(self, sent: int, progress: Progress, elapsed_s: float) -> None:
        """Renew the line of progress."""
        total = self._bonuses.total()
        description = f"{sent:,} sent · {progress.accepted:,} accepted · {total:,} bonuses"
        self._bar.update(self._task, description=description, completed=elapsed_s)

    def show_summary(self, sent: int, progress: Progress, elapsed_s: float) -> None:
        """Show what came of it all: bonuses and rewards by programme and tier, and the events' fate."""
        table = Table(title=f"{self._bonuses.total():,} bonuses in {elapsed_s:.0f} s", title_justify="left")
        for heading in ("programme", "tier"):
            table.add_column(heading)
        for heading in ("bonuses", "rewards"):
            table.add_column(heading, justify="right")
        for (program, tier), count in sorted(self._bonuses.items()):
            table.add_row(program, tier, f"{count:,}", self._rewards_of(program, tier))
        self._console.print(table)
        self.say(
            f"{sent:,} events sent: {progress.accepted:,} accepted, {progress.duplicates:,} duplicates, "
            f"{progress.late:,} late, {progress.rejected:,} rejected."
        )

    def _rewards_of(self, program: str, tier: str) -> str:
        sums = (
            f"{amount:,} {currency}"
            for (of_program, of_tier, currency), amount in sorted(self._rewards.items())
            if (of_program, of_tier) == (program, tier)
        )
        return ", ".join(sums)


def bonus_line(bonus: BonusEvent, at: datetime) -> Text:
    """A bonus for people: when it was seen, what was reached, by whom, with which counts, and what it pays."""
    counts = ", ".join(
        f"{metric} {value:.3f}" if metric == "watch_hours" else f"{metric} {value}"
        for metric, value in bonus.metrics.items()
    )
    return Text.assemble(
        (f"{at:%H:%M:%S}  ", "dim"),
        (f"{bonus.program + ' · ' + bonus.tier:<32}  ", "bold"),
        f"{bonus.subject.id:<21}  {bonus.region}  ",
        (f"{counts:<28}  ", "cyan"),
        (f"{bonus.reward['amount']} {bonus.reward['currency']}", "green"),
    )
