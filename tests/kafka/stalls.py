"""``python -m tests.kafka.stalls``: a `bonus worker` in which something stands still without an error.

``BONUS_TEST_STALL`` says what: one of ``STALLS``. It does so once there is a file at ``BONUS_TEST_STALL_WHEN``.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher

from stream.cli.main import run_command
from stream.transport.driver import Chunk
from stream.worker.service import Service
from stream.worker.table import CounterTable

Begun = Callable[[], bool]
"""Whether it stands still by now."""


class _WithoutViews:
    """An assignment as the fetcher sees it that has forgotten partition 0 of `views`."""

    def __init__(self, whole: object) -> None:
        self._whole = whole

    @property
    def tps(self) -> frozenset[TopicPartition]:
        every: frozenset[TopicPartition] = self._whole.tps  # type: ignore[attr-defined]
        return frozenset(tp for tp in every if not (tp.topic.endswith("views") and tp.partition == 0))

    def __getattr__(self, name: str) -> object:
        return getattr(self._whole, name)


def forgotten(begun: Begun) -> None:
    """aiokafka never fetches one partition again."""
    honest = fetcher.Fetcher._get_actions_per_node

    def actions(self: object, assignment: object) -> object:
        return honest(self, _WithoutViews(assignment) if begun() else assignment)

    fetcher.Fetcher._get_actions_per_node = actions


def hung_fetch(begun: Begun) -> None:
    """aiokafka's fetches get no answer any more, and it goes on waiting."""
    honest = fetcher.Fetcher._proc_fetch_request

    async def fetch(*args: object) -> object:
        if begun():
            await asyncio.Event().wait()
        return await honest(*args)

    fetcher.Fetcher._proc_fetch_request = fetch


def dead_agent(begun: Begun) -> None:
    """Faust brings no chunk of `views` to its agent any more."""
    honest = CounterTable.count

    def count(self: CounterTable, chunks: Iterable[Chunk]) -> None:
        honest(self, [chunk for chunk in chunks if not (begun() and chunk.topic.endswith("views"))])

    CounterTable.count = count  # type: ignore[method-assign]


def hung_task(begun: Begun) -> None:
    """The task that applies a partition waits for something that never comes."""
    honest = Service._breathe

    async def breathe(self: Service) -> None:
        if begun():
            await asyncio.Event().wait()
        await honest(self)

    Service._breathe = breathe  # type: ignore[method-assign]


STALLS: dict[str, Callable[[Begun], None]] = {
    "forgotten": forgotten,
    "hung-fetch": hung_fetch,
    "dead-agent": dead_agent,
    "hung-task": hung_task,
}


def main() -> int:
    """Prepare what the environment asks for, then be a worker."""
    STALLS[os.environ["BONUS_TEST_STALL"]](Path(os.environ["BONUS_TEST_STALL_WHEN"]).exists)
    return run_command(["worker"])


if __name__ == "__main__":
    sys.exit(main())
