"""What a run over Kafka shows while it runs."""

import io

from rich.console import Console

from stream.backtest.history import History, Span
from stream.backtest.pool import News
from stream.backtest.progress import Watch

HISTORY = History("cluster", ({"views": Span(0, 600), "likes": Span(10, 110)}, {"views": Span(0, 300)}))
MINUTE_MS = 60_000


def shown(terminal: bool, news: list[News]) -> str:
    """What is on the screen after all of ``news``."""
    screen = io.StringIO()
    with Watch(Console(file=screen, force_terminal=terminal, width=120), HISTORY, done=100) as watch:
        for each in news:
            watch.hear(each)
    return screen.getvalue()


def test_the_bar_shows_records_of_all_partitions_and_the_time_that_all_have_reached() -> None:
    last = shown(
        True,
        [
            News("moved", 0, 200, 3 * MINUTE_MS),
            News("moved", 1, 100, 2 * MINUTE_MS),
            News("moved", 0, 400, 5 * MINUTE_MS),
        ],
    )
    assert "60%" in last
    assert "600 records" in last
    assert "1970-01-01 00:02" in last


def test_what_is_waited_for_is_said_and_without_a_terminal_nothing_else() -> None:
    news = [News("moved", 0, 200, MINUTE_MS), News("said", 0, text="Waiting."), News("done", 0, 700)]
    assert shown(False, news).split() == ["Waiting."]
