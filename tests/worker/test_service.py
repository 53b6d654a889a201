"""What the task that applies does with chunks, and between them."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from stream.core.partition import Partition
from stream.core.rules import TOPICS, Limits, Topic
from stream.emit.ledger import Ledger
from stream.transport.driver import Chunk
from stream.transport.fetching import RUN, Record
from stream.transport.kafka import TopicPartition
from stream.worker import checkpointing
from stream.worker.checkpointing import REDIS
from stream.worker.flight import ChunkLost
from stream.worker.rules import in_force
from stream.worker.service import SLICE, Service
from tests.kafka.traffic import new_event, value_of
from tests.rulebook.written import dated, document
from tests.worker.served import crew_of_one, taken_of

OVER_S = 20
NOW_MS = 1_764_000_000_000
CREATE_TIME, LOG_APPEND_TIME = 0, 1
TIER_AT_TWO = {"name": "t", "when": {"views": 2}, "reward": {"amount": "5.00", "currency": "USD"}}


def service_of(*, complete: bool = True, lease: object = None, allow_create_time: bool = False) -> Service:
    """One that serves partition 0 of one, by a programme that counts views; ``complete``: memory holds all."""
    rules = in_force(1, {}, (dated(1, "2025-01-01T00:00:00Z"),), {}, Limits())
    state = Partition(0, rules.plan, Limits(), complete=complete)
    crew = crew_of_one(allow_create_time=allow_create_time)
    return Service(crew, taken_of(state, rules, lease or SimpleNamespace(seq=1)))


def chunk_for(service: Service, topic: Topic, creators: Sequence[str]) -> Chunk:
    """An event of each of these creators, fetched from the beginning of a topic."""
    events = [
        new_event(f"{topic}-{number}", creator, occurred_at=NOW_MS) for number, creator in enumerate(creators)
    ]
    return chunk_of(service, topic, [value_of(event) for event in events])


def chunk_of(
    service: Service, topic: Topic, values: Sequence[bytes], timestamp_type: int = LOG_APPEND_TIME
) -> Chunk:
    """Records with these values, fetched from the beginning of a topic."""
    records = [
        SimpleNamespace(offset=number, timestamp=NOW_MS, timestamp_type=timestamp_type, value=value)
        for number, value in enumerate(values)
    ]
    return service.flight.set_out(TopicPartition(topic, 0), cast(list[Record], records))


def applied(service: Service) -> dict[Topic, int]:
    """How many records of each topic have been."""
    return {topic: service.position(topic) for topic in TOPICS}


async def test_small_chunks_are_applied_in_one_step() -> None:
    service = service_of()
    for topic in TOPICS:
        service.offer(topic, chunk_for(service, topic, ["ada", "bob"]))
    await service._apply_some()
    assert applied(service) == dict.fromkeys(TOPICS, 2)


async def test_a_step_ends_before_more_than_a_run_of_records() -> None:
    """But for a chunk that is as much by itself."""
    service = service_of()
    sizes: dict[Topic, int] = {"views": RUN - 2, "likes": 2, "shares": 1, "comments": RUN}
    for topic, records in sizes.items():
        service.offer(topic, chunk_for(service, topic, ["ada"] * records))
    await service._apply_some()
    assert applied(service) == {"views": RUN - 2, "likes": 2, "shares": 0, "comments": 0}
    await service._apply_some()
    assert applied(service) == {"views": RUN - 2, "likes": 2, "shares": 1, "comments": 0}
    await service._apply_some()
    assert applied(service) == sizes


async def test_a_step_ends_where_memory_lacks_something() -> None:
    """All that it lacks for the rest of the chunk is read back, each entry once; what comes before was applied."""
    read = list[str]()

    async def read_keys(keys: Iterable[str]) -> list[dict[str, int]]:
        assert applied(service) == {"views": 1, "likes": 2, "shares": 0, "comments": 0}
        read.extend(keys)
        return [{} for _ in keys]

    lease = SimpleNamespace(seq=1, read=read_keys, intact=nullcontext)
    service = service_of(complete=False, lease=lease)
    service._state.memory.admit("ada", {})
    service.offer("likes", chunk_for(service, "likes", ["ada", "ada"]))  # nothing counts likes
    service.offer(
        "views", chunk_for(service, "views", ["ada", "bob", "ada", "cyd", "bob"] + ["ada"] * SLICE + ["dan"])
    )
    await service._apply_some()
    assert read == ["bob", "cyd", "dan"]
    await service._apply_some()
    assert applied(service) == {"views": SLICE + 6, "likes": 2, "shares": 0, "comments": 0}
    assert read == ["bob", "cyd", "dan"]


async def test_what_was_read_back_stays_until_the_next_record_is_applied() -> None:
    """However few entries memory may hold: otherwise nothing would be applied any more."""

    async def read_keys(keys: Iterable[str]) -> list[dict[str, int]]:
        return [{} for _ in keys]

    service = service_of(complete=False, lease=SimpleNamespace(seq=1, read=read_keys, intact=nullcontext))
    service.offer("views", chunk_for(service, "views", ["ada", "bob"]))
    await service._apply_some()
    assert service._state.memory.evict(0, service._state.memory.cuts) == 0
    await service._apply_some()
    assert service.position("views") == 2


async def test_a_step_ends_once_late_events_have_taken_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the chunk is applied in the next step; then the chunk has landed."""
    monkeypatch.setattr("stream.worker.service.MOST_LOOKED", 100)
    rules = in_force(
        1, {}, (document(window={"rolling": "1h", "step": "1m"}, tiers=[TIER_AT_TWO]),), {}, Limits()
    )
    service = Service(
        crew_of_one(), taken_of(Partition(0, rules.plan, Limits()), rules, SimpleNamespace(seq=1))
    )
    minutes = [0, 60, 60, 1, 0]
    events = [
        new_event(f"{number}", "ada", occurred_at=NOW_MS - back * 60_000)
        for number, back in enumerate(minutes)
    ]
    service.offer("views", chunk_of(service, "views", [value_of(event) for event in events]))
    in_flight = service.flight.bytes
    await service._apply_some()
    assert (service.position("views"), service.flight.bytes) == (3, in_flight)
    await service._apply_some()
    assert (service.position("views"), service.flight.bytes) == (5, 0)


@pytest.mark.parametrize(("allowed", "told"), [(False, ["views", "likes"]), (True, [])])
async def test_a_topic_whose_timestamps_are_its_producers_is_told_once(
    allowed: bool, told: list[str]
) -> None:
    """Not where that is allowed, nor of one whose timestamps are the broker's."""
    service = service_of(allow_create_time=allowed)
    offered: list[tuple[Topic, int]] = [
        ("views", CREATE_TIME),
        ("shares", LOG_APPEND_TIME),
        ("likes", CREATE_TIME),
        ("views", CREATE_TIME),
    ]
    with capture_logs() as lines:
        for topic, kind in offered:
            service.offer(topic, chunk_of(service, topic, [b"{}"], kind))
    assert told == [line["topic"] for line in lines if "their producers' timestamps" in line["event"]]


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
        crew.rules.edition.number = number  # type: ignore[misc]
        service.rules_changed()

    monkeypatch.setattr(Service, "_go_over", go_over)
    service = service_of()
    crew = service._crew
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


async def test_who_pauses_for_room_says_whom_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis, which does not take a checkpoint, though so little has changed since that there would be room again."""
    asked, room = asyncio.Event(), [False]

    async def write(delta: object) -> None:
        asked.set()
        await asyncio.Future()

    monkeypatch.setattr(checkpointing, "delta_of", lambda *_: None)
    service = service_of(lease=SimpleNamespace(seq=1, write=write))
    service.offer("views", chunk_for(service, "views", ["ada"]))
    await service._apply_some()
    service.offer("likes", chunk_for(service, "likes", ["ada"]))
    monkeypatch.setattr(Service, "_has_room", lambda self: room[0])
    writing = asyncio.create_task(service._checkpoints.write())
    breathing = asyncio.create_task(service._breathe())
    async with asyncio.timeout(OVER_S):
        await asked.wait()
    assert service.sight("likes", 1, reading=True).waits_for == REDIS
    writing.cancel()
    breathing.cancel()


async def test_a_cut_makes_room_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it goes on while the checkpoint is being written."""

    async def write(delta: object) -> None:
        await asyncio.Future()

    monkeypatch.setattr(checkpointing, "delta_of", lambda *_: None)
    service = service_of(lease=SimpleNamespace(seq=1, write=write))
    service.offer("views", chunk_for(service, "views", ["ada"]))
    await service._apply_some()
    monkeypatch.setattr(Service, "_has_room", lambda self: self._state.unsaved() == (0, 0))
    breathing = asyncio.create_task(service._breathe())
    await asyncio.sleep(0)
    writing = asyncio.create_task(service._checkpoints.write())
    async with asyncio.timeout(OVER_S):
        await breathing
    assert not writing.done()
    writing.cancel()


async def test_what_was_latched_is_written_though_no_record_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """A take may find more in `bonuses` than may wait for a checkpoint: nothing is applied before it is written."""
    seqs = list[int]()

    async def write(delta: object) -> None:
        seqs.append(1)

    service = service_of(lease=SimpleNamespace(seq=1, write=write))
    monkeypatch.setattr(checkpointing, "delta_of", lambda *_: None)
    service._checkpoints._crew.settings.max_subjects_in_memory = 10
    service._checkpoints._tell_group = lambda: None  # type: ignore[method-assign]
    await service._checkpoints.write()
    assert seqs == []
    service._state.award("ada", "p/t/-")
    await service._checkpoints.write()
    assert (seqs, service._state.unsaved()) == ([1], (0, 0))
    await service._checkpoints.write()
    assert seqs == [1]


async def test_what_is_left_of_a_failure_holds_no_state() -> None:
    """Its traceback holds on to the service, and so many objects are not looked through for cycles."""

    async def nothing() -> None: ...

    service = service_of()
    service._outgoing._ledger = cast(Ledger, SimpleNamespace(place=0, close=nothing))
    service.offer("views", chunk_for(service, "views", ["ada", "bob"]))
    await service._apply_some()
    assert (len(service._state.memory), service._state.unsaved()[1]) == (2, 2)
    service.fail(ChunkLost("lost"))
    with pytest.raises(ChunkLost):
        await service.run()
    await service.close()
    assert len(service._state.memory) == 0
    assert not any(any(intake.seen) for intake in service._state._intakes.values())
