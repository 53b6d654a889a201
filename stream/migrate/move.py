"""The move itself: what is held under the old partitions is written under the new ones, in pieces and then for good.

```
1 survey      stream/migrate/survey: everything that stands against it is told here
2 fence       the ledgers of both sides: what was written to them is all there will be
3 entries     subjects and places, read from the old partitions and written to the new ones in checkpoints' sizes
4 ids         of each old partition, to all that take creators from it
5 last word   the old state has not changed meanwhile; then each new partition's meta
6 group       its offsets, and that its state was moved
```
Until its last word a new partition says that a move is under way, and no worker takes it. All that is written is
absolute, so a run that was broken off is simply made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import time_ns

import msgspec

from stream.core.rules import TOPICS
from stream.core.subject import latch_field
from stream.emit.ledger import Ledger
from stream.errors import InputError
from stream.migrate import survey
from stream.migrate.progress import Progress
from stream.migrate.regroup import by_target, pieces, sources
from stream.migrate.side import Connected, Side, connected
from stream.migrate.survey import Held, Terms
from stream.settings import in_ms
from stream.store.checkpoint import Delta, Superseded
from stream.store.lease import Lease
from stream.topics import verify
from stream.transport.groups import commit
from stream.transport.kafka import OffsetAndMetadata
from stream.worker.body import Body, Moving, said_at_commit
from stream.worker.waiting import told

MOST_FIELDS, MOST_IDS = 20_000, 100_000
"""What one checkpoint holds at most: more at once would stall Redis for others."""

MOST_HELD_FIELDS = 200_000
"""What is read and not yet written, at most, over all partitions."""

_FOREVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Move:
    """What to move where. ``allow_create_time`` as for a worker of the new group."""

    source: Side
    target: Side
    terms: Terms
    allow_create_time: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Moved:
    """What came of it: partitions before and after, and how many entries and ids were found."""

    before: int
    after: int
    entries: int = 0
    ids: int = 0
    done_before: bool = False


async def migrate(move: Move, progress: Progress) -> Moved:
    """Move a group's state; with ``dry_run`` only look at what there is, and whether it could be moved.

    Raises:
        InputError: something stands against it, and nothing was changed; or somebody used the state meanwhile.
        Unreachable: Kafka or Redis could not be reached; the same call goes on with it.
    """
    if (move.source.redis, move.source.group) == (move.target.redis, move.target.group):
        raise InputError(
            "The state would be written over itself: give the new group another name, or another Redis."
        )
    async with (
        connected(move.source, progress.say, whole=True) as source,
        connected(move.target, progress.say) as target,
    ):
        try:
            return await _migrate(move, source, target, progress)
        except Superseded as error:
            raise InputError(
                f"Somebody used the state while it was moved ({error}): stop all workers."
            ) from error


async def _migrate(move: Move, source: Connected, target: Connected, progress: Progress) -> Moved:
    after = await verify(
        target.options,
        prefix=move.target.kafka.topic_prefix,
        allow_create_time=move.allow_create_time,
        within_s=in_ms(move.target.kafka.connect_timeout) / 1000,
    )
    held = await survey.held_by(source)
    survey.refuse_disagreement(held, after)
    where = await survey.positions(source, target, held, after, move.terms.holds)
    name = survey.name_of_move(source, held, where)
    done = await survey.done_already(target, after, name)
    moved = Moved(len(held), after, done_before=all(done))
    if not moved.done_before:
        for side in (source, target):
            await side.refuse_running()
        if not (move.terms.accept_unread and all(source.shares(topic, target) for topic in TOPICS)):
            await survey.refuse_unread(source, held)
    await _count(source, held, moved)
    progress.expect(moved.entries)
    if move.dry_run:
        return moved
    bodies = survey.wanted(source, target, held, where, name)
    if not moved.done_before:
        await _write(source, target, held, bodies, done, progress)
    await _tell_group(target, bodies)
    return moved


async def _write(
    source: Connected,
    target: Connected,
    held: Sequence[Held],
    bodies: Sequence[Body],
    done: Sequence[bool],
    progress: Progress,
) -> None:
    after = len(bodies)
    async with told("The move waits for Kafka to shut out whoever wrote bonuses before", progress.say):
        await _fence(source, len(held))
        await _fence(target, after)
    latches = await survey.unknown_bonuses(source, held, progress.say)
    writing = await _begin(target, done, bodies)
    with progress:
        await _move_entries(source, held, writing, after, progress)
    await _write_latches(latches, writing, after)
    await _move_ids(held, writing, after)
    for each in held:
        await each.lease.verify()
    await _end(target, writing, bodies)


async def _count(source: Connected, held: Sequence[Held], moved: Moved) -> None:
    async for page in source.store.entries():
        moved.entries += sum(len(keys) for number, keys in page.items() if number < len(held))
    for lease, _ in held:
        for batch in await lease.ids():
            moved.ids += sum(len(ids) for _, ids in batch.arrivals)


async def _fence(side: Connected, partitions: int) -> None:
    for number in range(partitions):
        ledger = await Ledger.open(side.options, side.side.group, side.ledger(number))
        await ledger.close()


async def _begin(target: Connected, done: Sequence[bool], bodies: Sequence[Body]) -> dict[int, "_Writing"]:
    """Take the partitions that are not done, say what is going on, and drop the ids of an earlier run."""
    writing: dict[int, _Writing] = {}
    for number, is_done in enumerate(done):
        if not is_done:
            writing[number] = _Writing(await target.store.take(number), Moving(bodies[number].moved).encode())
            await writing[number].write(Delta({}, [], dict.fromkeys(TOPICS, _FOREVER_MS), b""))
    return writing


class _Writing:
    """A partition that is being written, and what has been gathered for it."""

    def __init__(self, lease: Lease, meta: bytes) -> None:
        self.lease = lease
        self._meta = meta
        self._subjects: dict[str, dict[str, int | None]] = {}
        self._dues: dict[str, int | None] = {}
        self.fields = 0

    async def write(self, delta: Delta) -> None:
        """Write this, still under way."""
        await self.lease.write(replace(delta, meta=self._meta))

    async def add(self, key: str, fields: Mapping[str, int], due_ms: int | None) -> None:
        """Gather an entry, and write what has been gathered if that is enough for a checkpoint."""
        self._subjects.setdefault(key, {}).update(fields)
        if due_ms is not None:
            self._dues[key] = due_ms
        self.fields += len(fields)
        if self.fields >= MOST_FIELDS:
            await self.flush()

    async def flush(self) -> None:
        """Write what has been gathered."""
        if self._subjects:
            await self.write(Delta(self._subjects, [], {}, b"", self._dues))
        self._subjects, self._dues, self.fields = {}, {}, 0


async def _move_entries(
    source: Connected, held: Sequence[Held], writing: Mapping[int, _Writing], after: int, progress: Progress
) -> None:
    async for page in source.store.entries():
        for number, keys in page.items():
            if number < len(held):
                lease = held[number].lease
                for target, its_keys in by_target(keys, after).items():
                    if target in writing:
                        fields, dues = await lease.read(its_keys), await lease.dues(its_keys)
                        for key, entry, due_ms in zip(its_keys, fields, dues, strict=True):
                            await writing[target].add(key, entry, due_ms)
                progress.advance(len(keys))
        if sum(each.fields for each in writing.values()) >= MOST_HELD_FIELDS:
            await _flush(writing)
    await _flush(writing)


async def _flush(writing: Mapping[int, _Writing]) -> None:
    for each in writing.values():
        await each.flush()


async def _write_latches(
    latches: Mapping[str, set[str]], writing: Mapping[int, _Writing], after: int
) -> None:
    for target, keys in by_target(latches, after).items():
        if target in writing:
            for key in keys:
                # Due at once: the owner then finds out when it really is.
                await writing[target].add(key, dict.fromkeys(map(latch_field, latches[key]), 1), 0)
    await _flush(writing)


async def _move_ids(held: Sequence[Held], writing: Mapping[int, _Writing], after: int) -> None:
    for number, (lease, _) in enumerate(held):
        batches = await lease.ids()
        for target, each in writing.items():
            if number in sources(target, len(held), after):
                for piece in pieces(batches, MOST_IDS):
                    await each.write(Delta({}, piece, {}, b""))


async def _end(target: Connected, writing: Mapping[int, _Writing], bodies: Sequence[Body]) -> None:
    """Write the last words, with the ends of `bonuses` as places."""
    ends = await target.log_ends.ends([target.ledger(number) for number in writing])
    for number, each in writing.items():
        body = msgspec.structs.replace(bodies[number], place=ends[target.ledger(number)])
        await each.lease.write(Delta({}, [], {}, body.encode()))


async def _tell_group(target: Connected, bodies: Sequence[Body]) -> None:
    """Commit where each partition stands, unless its workers have done so themselves.

    What is said there outlives a lost Redis: the inputs can't bring back what was moved.
    """
    said = said_at_commit(0, time_ns() // 1_000_000, moved=True)
    offsets = {
        tp: OffsetAndMetadata(body.positions[topic], said)
        for number, body in enumerate(bodies)
        for topic, tp in target.inputs(number).items()
    }
    for tp in await target.log_ends.committed(offsets):
        del offsets[tp]
    if offsets:
        await commit(target.options, target.side.group, offsets)
