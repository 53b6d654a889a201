"""The bar over all partitions of a run: records, the event time reached, the rate and the time left."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from stream.backtest.history import History
from stream.backtest.pool import News

RATE_OVER_S = 30


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Records a second, of late."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class Watch:
    """A bar on ``console``, drawn on a terminal only; sentences are printed in any case.

    The event time shown is the least that the partitions in work have reached.
    """

    def __init__(self, console: Console, history: History, done: int) -> None:
        self._console = console
        self._moved: dict[int, int] = {}
        self._reached: dict[int, int] = {}
        self._done = done
        self._bar = Progress(
            TextColumn("Reading"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.completed:,.0f} records"),
            TextColumn("{task.fields[reached]}"),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            speed_estimate_period=RATE_OVER_S,
        )
        size = sum(history.size(number) for number in range(len(history.spans)))
        self._task = self._bar.add_task("", total=size, completed=done, reached="")

    def __enter__(self) -> "Watch":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def hear(self, news: News) -> None:
        """Move on by what a partition tells, or say it."""
        if news.kind == "said":
            self._bar.console.print(news.text)
            return
        self._moved[news.number] = news.done
        if news.kind == "done":
            self._reached.pop(news.number, None)
        elif news.reached_ms >= 0:
            self._reached[news.number] = news.reached_ms
        self._bar.update(
            self._task, completed=self._done + sum(self._moved.values()), reached=_shown(self._reached)
        )


def _shown(reached: Mapping[int, int]) -> str:
    if not reached:
        return ""
    return f"{datetime.fromtimestamp(min(reached.values()) / 1000, UTC):%Y-%m-%d %H:%M}"
