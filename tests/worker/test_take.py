"""What a take finds in `bonuses` is latched for good, however the scan is cut; ids are remembered bit by bit."""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain

import pytest

from schemas.bonuses import BonusEvent
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits
from stream.core.subject import latch_field
from stream.store.checkpoint import Delta, IdBatch
from stream.store.store import StateStore
from stream.worker.body import Body
from stream.worker.rules import in_force
from stream.worker.take import RUNS_AT_ONCE, _latch, _remember, _save
from tests.worker.served import crew_of_one


@pytest.fixture
async def store(redis_url: str, app_name: str) -> AsyncIterator[StateStore]:
    """An empty store."""
    store = await StateStore.connect(redis_url, app_name, timeout_s=5, say=print)
    yield store
    await store.close()


def paid(tier: str, creator: str = "ada") -> BonusEvent:
    """A bonus as the scan finds it."""
    return BonusEvent.model_validate(
        {
            "bonus_id": "0" * 32,
            "type": "threshold_reached",
            "program": "p",
            "program_version": 1,
            "tier": tier,
            "subject": {"kind": "creator", "id": creator},
            "creator_id": creator,
            "region": "US",
            "period": {"start": None, "end": None},
            "window": {"start": None, "end": None},
            "metrics": {"views": 1},
            "thresholds": {"views": 1},
            "reward": {"amount": "1", "currency": "USD"},
            "evidence": {"event_id": "e", "topic": "views", "partition": 0, "offset": 0},
        }
    )


def latched(state: Partition) -> dict[str, set[str]]:
    """The latches that the next checkpoint will hold, by subject."""
    return {key: set(fields) for key, fields in state.cut().subjects.items()}


async def test_every_batch_of_a_scan_is_in_the_next_checkpoint(store: StateStore) -> None:
    """Also what a creator was paid in an earlier batch, where the state is rebuilt from nothing."""
    state, lease = Partition(0, Plan([]), Limits()), await store.take(0)
    for batch in ([paid("bronze"), paid("bronze", "bob")], [paid("silver")], [paid("gold")]):
        await _latch(batch, state, lease)
    ada = {latch_field(f"p/{tier}/-") for tier in ("bronze", "silver", "gold")}
    assert latched(state) == {"ada": ada, "bob": {latch_field("p/bronze/-")}}


async def test_a_scan_adds_to_what_the_checkpoint_holds(store: StateStore) -> None:
    """What was latched before the checkpoint stays latched, and is read back once."""
    lease = await store.take(0)
    await lease.write(Delta(subjects={"ada": {latch_field("p/bronze/-"): 1}}, ids=[], ids_floor={}, meta=b""))
    state = Partition(0, Plan([]), Limits(), complete=False)
    for batch in ([paid("silver")], [paid("gold")]):
        await _latch(batch, state, lease)
    assert latched(state) == {"ada": {latch_field(f"p/{tier}/-") for tier in ("silver", "gold")}}
    assert {"p/bronze/-", "p/silver/-", "p/gold/-"} == state.memory.subject("ada").latches.keys()


async def test_a_scan_of_more_than_a_checkpoint_may_hold_is_written_bit_by_bit(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves memory: `bonuses` holds all that was ever paid. The places in the logs are still the first ones."""
    crew = crew_of_one(max_subjects_in_memory=5)
    rules, lease = in_force(1, {}, (), {}, Limits()), await store.take(0)
    state = Partition(0, rules.plan, Limits())
    for number in range(4):
        await _latch([paid("bronze", f"creator-{number}-{each}") for each in range(10)], state, lease)
        await _save(crew, state, lease, rules, 17, "")
        assert len(state.memory) == 5
    await _latch([paid("silver", "creator-0-0")], state, lease)
    assert {"p/bronze/-", "p/silver/-"} == state.memory.subject("creator-0-0").latches.keys()
    again = await store.take(0)
    assert again.meta is not None
    body = Body.decode(again.meta)
    assert (body.place, body.positions) == (17, dict.fromkeys(TOPICS, 0))
    assert [{latch_field("p/bronze/-"): 1}] * 2 == await again.read(["creator-0-0", "creator-3-9"])


async def test_others_have_their_turn_while_ids_are_remembered() -> None:
    """Millions of event ids don't keep a worker from telling its group that it lives."""
    state, runs = Partition(0, Plan([]), Limits()), [(at, [f"id-{at}"]) for at in range(3 * RUNS_AT_ONCE)]
    remembering = asyncio.create_task(_remember(state, {"views": len(runs)}, [IdBatch("views", runs)]))
    turns = 0
    while not remembering.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 3
    seen = dict(chain.from_iterable(shard.items() for shard in state._intakes["views"].seen))
    assert {event_id: at for at, [event_id] in runs} == seen
