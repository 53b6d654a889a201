"""A large state for one partition, written to Redis by the store itself, as a worker's checkpoints would have."""

import time
from dataclasses import dataclass

from stream.core.plan import Plan
from stream.store.checkpoint import Delta, IdBatch
from stream.store.store import StateStore
from tests.kafka.workers import Fleet

PARTITION = 0
_PANE_MS = 60_000
_PANES = 3
_SUBJECTS_A_CHECKPOINT = 5_000
_IDS_A_CHECKPOINT = 1_000
_IDS_AN_ARRIVAL = 10
_REMEMBERED_MS = 60 * 60_000
_DUE_MS = 24 * 3_600_000
_CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class State:
    """So many creators with counts of the last minutes, and event ids of the last hour."""

    subjects: int
    ids: int

    def __str__(self) -> str:
        told = [
            f"{count:,} {what}" for count, what in ((self.subjects, "subjects"), (self.ids, "ids")) if count
        ]
        return ", ".join(told) or "no state"


def creator(number: int) -> str:
    """The id of a planted creator."""
    return f"creator-{number:08}"


async def plant(state: State, fleet: Fleet) -> None:
    """Add ``state`` to the checkpoint of the fleet's partition. No worker may run; one must have run before."""
    store = await StateStore.connect(fleet.redis_url, fleet.group, timeout_s=_CONNECT_S, say=print)
    try:
        lease = await store.take(PARTITION)
        if lease.meta is None:
            raise ValueError("there is no checkpoint to add a state to")
        now_ms = time.time_ns() // 1_000_000
        [counter] = _rolling(Plan(fleet.rules()))
        for start in range(0, state.subjects, _SUBJECTS_A_CHECKPOINT):
            numbers = range(start, min(state.subjects, start + _SUBJECTS_A_CHECKPOINT))
            subjects = {creator(number): _cells(counter, now_ms) for number in numbers}
            due = dict.fromkeys(subjects, now_ms + _DUE_MS)
            await lease.write(Delta(subjects, [], {}, lease.meta, due))
        for start in range(0, state.ids, _IDS_A_CHECKPOINT):
            await lease.write(Delta({}, [_ids(start, state.ids, now_ms)], {}, lease.meta))
    finally:
        await store.close()


def _rolling(plan: Plan) -> list[str]:
    counters = plan.region("US").counters
    return [name for name, counter in counters.items() if counter.step_ms == _PANE_MS]


def _cells(counter: str, now_ms: int) -> dict[str, int | None]:
    newest = now_ms // _PANE_MS
    return {f"{counter}:{newest - back}": 1 for back in range(_PANES)}


def _ids(start: int, of: int, now_ms: int) -> IdBatch:
    """A checkpoint's worth of ids, spread over the hour in which all arrived."""
    first_ms = now_ms - _REMEMBERED_MS
    runs = [
        (
            first_ms + _REMEMBERED_MS * number // of,
            [f"planted-{number + nth:028}" for nth in range(_IDS_AN_ARRIVAL)],
        )
        for number in range(start, min(of, start + _IDS_A_CHECKPOINT), _IDS_AN_ARRIVAL)
    ]
    return IdBatch("views", runs)
