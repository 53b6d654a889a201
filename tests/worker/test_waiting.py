"""What is waited for is told."""

import asyncio

import pytest
from structlog.testing import capture_logs

from stream.worker import waiting
from stream.worker.waiting import told

TURNS = 20


async def test_a_wait_is_told_of_again_and_again_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SAY_EVERY_S", 0)
    with capture_logs() as lines:
        async with told("partition 3 waits for Kafka"):
            for _ in range(TURNS):
                await asyncio.sleep(0)
        before = len(lines)
        for _ in range(TURNS):
            await asyncio.sleep(0)
    assert len(lines) == before >= 2
    assert {line["reason"] for line in lines} == {"partition 3 waits for Kafka, 0 s by now"}
