"""What the task that applies does between chunks."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from stream.core.partition import Partition
from stream.core.rules import TOPICS, Limits
from stream.emit.ledger import Ledger
from stream.store.lease import Lease
from stream.transport.kafka import TopicPartition
from stream.worker.crew import Crew
from stream.worker.rules import in_force
from stream.worker.service import Service
from stream.worker.take import Taken
from tests.rulebook.written import dated

OVER_S = 20


async def test_what_comes_while_it_goes_over_to_other_rules_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of an idle partition: first another edition, then the end."""
    going_over, go_on = asyncio.Queue[int](), asyncio.Queue[None]()

    async def go_over(self: Service) -> None:
        number = crew.rules.edition.number
        going_over.put_nowait(number)
        await go_on.get()
        self._checkpoints.rules = in_force(number, {}, (), {}, Limits())

    async def new_edition(number: int) -> None:
        crew.rules.edition.number = number
        service.rules_changed()

    monkeypatch.setattr(Service, "_go_over", go_over)
    rules = in_force(1, {}, (dated(1, "2026-01-01T00:00:00Z"),), {}, Limits())
    crew = SimpleNamespace(
        rules=SimpleNamespace(edition=SimpleNamespace(number=1)),
        settings=SimpleNamespace(checkpoint_interval=timedelta(seconds=1)),
        partitions=1,
        inputs=lambda number: {topic: TopicPartition(topic, number) for topic in TOPICS},
        outbox=None,
        logs=None,
    )
    state = Partition(0, rules.plan, Limits(), complete=False)
    ledger, lease = SimpleNamespace(place=0), SimpleNamespace(seq=1)
    service = Service(
        cast(Crew, crew),
        Taken(state, rules, cast(Ledger, ledger), cast(Lease, lease), adopted=False, moved=""),
    )
    applying = asyncio.create_task(service._apply_all())
    async with asyncio.timeout(OVER_S):
        await new_edition(2)
        assert await going_over.get() == 2
        await new_edition(3)
        go_on.put_nowait(None)
        assert await going_over.get() == 3
        await service.finish()
        go_on.put_nowait(None)
        await applying
