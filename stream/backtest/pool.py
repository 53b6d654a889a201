"""Partitions on all cores: processes that each take one whole partition after the other.

```
parent  ──number──►  child       the next partition
        ◄──News────              how far it is, what it waits for, that it is done, or why it can't be
```
Children are spawned, so nothing of the parent's state is in them but the `Job`. A child whose parent is gone ends
with the next thing it has to tell.
"""

import asyncio
import logging
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Literal, NamedTuple

from stream.backtest.part import Job, Told, replay
from stream.errors import BonusError

_PATIENCE_S = 5


class News(NamedTuple):
    """What a child tells of a partition: offsets ``done``, the arrival ``reached_ms``, a sentence, or its failure."""

    kind: Literal["moved", "said", "done", "failed"]
    number: int
    done: int = 0
    reached_ms: int = -1
    text: str = ""
    error: BonusError | None = None


def run_all(job: Job, numbers: Sequence[int], workers: int, listen: Callable[[News], None]) -> None:
    """Run the partitions ``numbers``, in that order, in up to ``workers`` processes; ``listen`` hears what they tell.

    Raises what a partition raises; the others are broken off then.
    """
    waiting = deque(numbers)
    children: dict[Connection, SpawnProcess] = {}
    try:
        for _ in range(min(workers, len(numbers))):
            connection, child = _start(job)
            children[connection] = child
            with _gone_is_told(child):
                connection.send(waiting.popleft())
        busy = set(children)
        while busy:
            for connection in [each for each in wait(list(busy)) if isinstance(each, Connection)]:
                news = _heard(connection, children[connection])
                listen(news)
                if news.kind != "done":
                    continue
                if not waiting:
                    busy.remove(connection)
                    continue
                with _gone_is_told(children[connection]):
                    connection.send(waiting.popleft())
    finally:
        for child in children.values():
            child.terminate()
        for connection, child in children.items():
            child.join(_PATIENCE_S)
            connection.close()


def _start(job: Job) -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_work, args=(job, theirs), daemon=True)
    child.start()
    theirs.close()
    return ours, child


def _heard(connection: Connection, child: SpawnProcess) -> News:
    """The next news of a child; raises what it could not do."""
    with _gone_is_told(child):
        news = connection.recv()
    assert isinstance(news, News)
    if news.error is not None:
        raise news.error
    if news.kind == "failed":
        raise RuntimeError(f"partition {news.number} of the backtest failed: {news.text}")
    return news


@contextmanager
def _gone_is_told(child: SpawnProcess) -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError):
        child.join(_PATIENCE_S)
        raise BonusError(
            f"A process of the backtest was killed (exit code {child.exitcode}), perhaps for want of memory. "
            "Partitions that are done are kept: run the same command again, with fewer --workers."
        ) from None


def _work(job: Job, parent: Connection) -> None:
    """What a child does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends its children
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        while True:
            _replay(job, parent.recv(), parent)
    except (EOFError, ConnectionError):
        return


def _replay(job: Job, number: int, parent: Connection) -> None:
    told = Told(
        moved=lambda done, reached_ms: parent.send(News("moved", number, done, reached_ms)),
        say=lambda sentence: parent.send(News("said", number, text=sentence)),
    )
    try:
        asyncio.run(replay(job, number, told))
    except (EOFError, ConnectionError):
        raise
    except BonusError as error:
        parent.send(News("failed", number, text=str(error), error=error))
    except (Exception, asyncio.CancelledError):
        parent.send(News("failed", number, text=traceback.format_exc()))
    else:
        parent.send(News("done", number, job.history.size(number)))
