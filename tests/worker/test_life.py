"""The life of a partition goes on until somebody ends it."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from stream.transport.kafka import TopicPartition
from stream.worker import life
from stream.worker.crew import Crew
from stream.worker.life import Life

OVER_S = 20


async def test_a_cancellation_that_nobody_asked_for_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that lost a task of its own lets it out into the take: the partition is taken anew. One that is meant
    ends it."""
    takes, taken_twice = 0, asyncio.Event()

    async def take(*_: object) -> None:
        nonlocal takes
        takes += 1
        if takes == 1:
            raise asyncio.CancelledError
        taken_twice.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(life, "take", take)
    crew = SimpleNamespace(
        inputs=lambda number: {"views": TopicPartition("views", number)},
        settings=SimpleNamespace(stall_timeout=timedelta(minutes=1)),
        group=SimpleNamespace(hold=lambda tps: None),
    )
    partition = Life(cast(Crew, crew), 3)
    await asyncio.wait_for(taken_twice.wait(), OVER_S)
    await partition.end(OVER_S)
    assert partition._task.cancelled()
    assert takes == 2
