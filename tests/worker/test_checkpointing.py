"""What is swept after a checkpoint, and when it is looked for again."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from stream.core.rules import TOPICS, Limits
from stream.worker.checkpointing import LEAST_SWEPT, SWEEP_EVERY_MS, Checkpoints
from stream.worker.outgoing import Outgoing
from stream.worker.rules import in_force
from tests.worker.served import crew_of_one, taken_of


class Swept:
    """A partition's checkpoints, of which each sweep finds ``due`` entries, and sweeps all if there is ``room``."""

    def __init__(self) -> None:
        self.due, self.room, self.horizon_ms = 3, True, 1_000_000
        self.asked: list[int] = []  # how many entries were asked for
        self.lease = SimpleNamespace(seq=0, due=self._due)
        state = SimpleNamespace(
            number=0,
            positions=dict.fromkeys(TOPICS, 0),
            memory=[f"c{number}" for number in range(LEAST_SWEPT)],
            horizon=lambda: self.horizon_ms,
            sweep=lambda keys: self.room,
        )
        taken = taken_of(state, in_force(1, {}, (), {}, Limits()), self.lease)
        self.checkpoints = Checkpoints(
            crew_of_one(), taken, cast(Outgoing, SimpleNamespace()), asyncio.Condition()
        )

    async def _due(self, before_ms: int, limit: int) -> Sequence[str]:
        assert before_ms == self.horizon_ms
        self.asked.append(limit)
        return [f"c{number}" for number in range(min(self.due, limit))]

    async def after_a_checkpoint(self) -> list[int]:
        """What has been asked for once another checkpoint has been written."""
        self.lease.seq += 1
        await self.checkpoints._sweep()
        return self.asked


async def test_once_nothing_is_due_any_more_event_time_must_pass() -> None:
    swept = Swept()
    assert await swept.after_a_checkpoint() == [LEAST_SWEPT]
    swept.horizon_ms += SWEEP_EVERY_MS - 1
    assert await swept.after_a_checkpoint() == [LEAST_SWEPT]
    swept.horizon_ms += 1
    assert await swept.after_a_checkpoint() == [LEAST_SWEPT] * 2


async def test_while_more_is_due_the_next_sweep_takes_twice_as_much() -> None:
    swept = Swept()
    swept.due = LEAST_SWEPT
    await swept.after_a_checkpoint()
    assert await swept.after_a_checkpoint() == [LEAST_SWEPT, 2 * LEAST_SWEPT]


async def test_what_a_full_cut_left_is_swept_after_the_next_one_though_event_time_stands_still() -> None:
    swept = Swept()
    swept.room = False
    await swept.after_a_checkpoint()
    swept.room = True
    assert len(await swept.after_a_checkpoint()) == 2
    assert len(await swept.after_a_checkpoint()) == 2  # that was all
