"""Serving a taken partition: three tasks around one state, which only the first of them changes.

```
apply       chunk by chunk: read back unknown subjects, apply, hand over bonuses and turned-away records
emit        everything handed over since the last transaction, in one transaction; at once, back to back
checkpoint  about once a second: freeze what changed, wait until all it covers is acknowledged, write it
```
Whatever goes wrong in one of them ends all three, and what is in memory with them: the partition is taken anew.
"""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict

from stream import metrics
from stream.core.outcome import Bonus, Event, Outcome, Rejection
from stream.core.partition import Changes
from stream.core.rules import TOPICS, Topic
from stream.core.subject import Subject
from stream.logs import logger
from stream.settings import in_ms
from stream.store.checkpoint import Delta, IdBatch
from stream.transport.driver import Chunk
from stream.transport.kafka import KafkaTrouble, OffsetAndMetadata
from stream.worker.body import Body
from stream.worker.crew import Crew
from stream.worker.take import Taken

log = logger(__name__)

CHECKPOINT_CHANGES = 20_000
"""A checkpoint is cut early at so many changed subjects: writing more at once would stall Redis for others."""

TRANSACTION_BONUSES = 5_000
"""The most bonuses in one transaction; many more would run into its time-out."""

MOST_UNSETTLED = 20_000
"""Applying pauses while so many bonuses or turned-away records wait for Kafka, or so many subjects for Redis
beyond the next checkpoint."""


class Service:
    """The tasks that serve one taken partition, until ``finish`` or a failure."""

    def __init__(self, crew: Crew, taken: Taken, done: Callable[[Chunk], None]) -> None:
        self._crew = crew
        self._done = done
        self._state, self._ledger, self._lease = taken.state, taken.ledger, taken.lease
        self._number = taken.state.number
        self._queue: deque[tuple[Topic, Chunk, list[Event | Rejection]]] = deque()
        self._unemitted: deque[tuple[Bonus, int]] = deque()  # with its evidence record's timestamp
        self._turned_away: set[asyncio.Task[None]] = set()
        self._bonuses = self._committed = 0
        self._places: deque[tuple[int, int]] = deque([(0, taken.ledger.place)])
        self._checkpointed: dict[Topic, int] | None = None if taken.adopted else dict(taken.state.positions)
        self._finishing = self._all_applied = False
        self._work = asyncio.Event()  # a chunk came, or the end is near
        self._emit = asyncio.Event()  # a bonus came, or nothing more will
        self._cut = asyncio.Event()  # enough has changed, or the end is near
        self._settled = asyncio.Condition()  # a transaction or a checkpoint was acknowledged

    def offer(self, topic: Topic, chunk: Chunk, decoded: list[Event | Rejection]) -> None:
        """Queue a chunk for applying."""
        self._queue.append((topic, chunk, decoded))
        self._work.set()

    async def run(self) -> None:
        """Serve until ``finish``; raises the first failure."""
        tasks = [
            asyncio.create_task(part, name=f"{name} {self._number}")
            for name, part in (
                ("apply", self._apply_all()),
                ("emit", self._emit_all()),
                ("checkpoint", self._checkpoint_all()),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            await self.checkpoint()
        finally:
            for task in [*tasks, *self._turned_away]:
                task.cancel()
            await asyncio.gather(*tasks, *self._turned_away, return_exceptions=True)
            await self._ledger.close()

    async def finish(self) -> None:
        """Apply nothing more; emit and checkpoint what was applied; then ``run`` returns."""
        self._finishing = True
        self._work.set()
        self._cut.set()
        async with self._settled:
            self._settled.notify_all()

    # Apply

    async def _apply_all(self) -> None:
        while not self._finishing:
            if not self._queue:
                self._work.clear()
                await self._work.wait()
                continue
            topic, chunk, decoded = self._queue[0]
            unknown = self._state.missing(topic, decoded)
            if unknown:
                for key, fields in zip(unknown, await self._lease.read(unknown), strict=True):
                    self._state.memory.admit(key, fields)
                metrics.count_read_back(len(unknown))
            self._apply(topic, chunk, decoded)
            self._queue.popleft()
            self._done(chunk)
            await self._breathe()
        self._all_applied = True
        self._emit.set()

    def _apply(self, topic: Topic, chunk: Chunk, decoded: list[Event | Rejection]) -> None:
        """The one synchronous step in which this partition's state changes."""
        records = chunk.records
        outcome = self._state.apply(
            topic, [record.offset for record in records], [record.timestamp for record in records], decoded
        )
        for index, rejection in outcome.turned_away:
            sending = self._crew.outbox.turn_away(records[index], rejection)
            self._turned_away.add(sending)
        if outcome.bonuses:
            timestamps = {record.offset: record.timestamp for record in records}
            self._unemitted.extend((bonus, timestamps[bonus.evidence.offset]) for bonus in outcome.bonuses)
            self._bonuses += len(outcome.bonuses)
            self._emit.set()
        if self._state.memory.changed() >= CHECKPOINT_CHANGES:
            self._cut.set()
        _count(topic, outcome)

    async def _breathe(self) -> None:
        """Let the others run; wait while too much waits to be settled."""
        await asyncio.sleep(0)
        async with self._settled:
            await self._settled.wait_for(self._has_room)

    def _has_room(self) -> bool:
        waiting = (
            len(self._unemitted),
            len(self._turned_away),
            self._state.memory.changed() - CHECKPOINT_CHANGES,
        )
        return max(waiting) < MOST_UNSETTLED or self._finishing

    # Emit

    async def _emit_all(self) -> None:
        while True:
            if not self._unemitted:
                if self._all_applied:
                    return
                self._emit.clear()
                await self._emit.wait()
                continue
            group = [self._unemitted.popleft() for _ in range(min(len(self._unemitted), TRANSACTION_BONUSES))]
            await self._commit(group)

    async def _commit(self, group: Sequence[tuple[Bonus, int]]) -> None:
        try:
            await self._ledger.commit([bonus for bonus, _ in group])
        except BaseException:
            metrics.count_transaction(committed=False)
            raise
        metrics.count_transaction(committed=True)
        metrics.count_bonuses(Counter((bonus.program, bonus.tier) for bonus, _ in group))
        now_ms = time.time() * 1000
        for _, timestamp_ms in group:
            metrics.observe_bonus_delay((now_ms - timestamp_ms) / 1000)
        async with self._settled:
            self._committed += len(group)
            self._places.append((self._committed, self._ledger.place))
            self._settled.notify_all()

    # Checkpoint

    async def _checkpoint_all(self) -> None:
        interval_s = in_ms(self._crew.settings.checkpoint_interval) / 1000
        while not self._finishing:
            await self.checkpoint()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._cut.wait()
            self._cut.clear()

    async def checkpoint(self) -> None:
        """Cut what changed, wait until everything it covers is acknowledged, then write it."""
        if self._state.positions == self._checkpointed:
            metrics.mark_durable(self._number)
            return
        changes = self._state.cut()
        cut, bonuses, turned_away = self._state.memory.cuts, self._bonuses, frozenset(self._turned_away)
        began = time.monotonic()
        async with self._settled:
            await self._settled.wait_for(lambda: self._committed >= bonuses)
        await asyncio.gather(*turned_away)
        await self._lease.write(self._delta(changes, self._place_of(bonuses)))
        self._checkpointed = dict(changes.positions)
        self._state.memory.evict(self._crew.settings.max_subjects_in_memory, cut)
        async with self._settled:
            self._turned_away -= turned_away
            self._settled.notify_all()
        metrics.observe_checkpoint(self._number, time.monotonic() - began, len(changes.subjects))
        metrics.set_subjects(self._number, len(self._state.memory))
        await self._commit_offsets(changes)

    def _place_of(self, bonuses: int) -> int:
        """A place in `bonuses` before which lie none but the first so many bonuses.

        Later ones may be committed by now. Their latches are not in the cut, so the scan after a crash must find
        them: the place stays before the first transaction that holds one.
        """
        while len(self._places) > 1 and self._places[1][0] <= bonuses:
            self._places.popleft()
        return self._places[0][1]

    def _delta(self, changes: Changes, place: int) -> Delta:
        body = Body(
            positions=dict(changes.positions),
            arrivals=dict(changes.arrivals),
            place=place,
            documents=self._crew.programs.documents,
            limits=asdict(self._crew.limits),
            cluster=self._crew.cluster,
            partitions=self._crew.partitions,
        )
        return Delta(
            subjects=changes.subjects,
            ids=[IdBatch(topic, runs) for topic, runs in changes.ids.items() if runs],
            ids_floor=dict(changes.ids_floor.items()),
            meta=body.encode(),
        )

    async def _commit_offsets(self, changes: Changes) -> None:
        """Tell the group where the checkpoint stands: for lag monitors. The checkpoint stays the truth."""
        said = f"checkpoint {self._lease.seq} {int(time.time() * 1000)}"
        inputs = self._crew.inputs(self._number)
        offsets = {inputs[topic]: OffsetAndMetadata(changes.positions[topic], said) for topic in TOPICS}
        try:
            await self._crew.group.commit_offsets(offsets)
        except KafkaTrouble as error:
            log.debug("offsets not committed", partition=self._number, reason=str(error))

    # What others may ask

    def subject(self, key: str) -> Subject | None:
        """A subject's state, where it is in memory."""
        entry = self._state.memory.entries.get(key)
        return entry if isinstance(entry, Subject) else None

    def position(self, topic: Topic) -> int:
        """The next offset of ``topic`` to apply."""
        return self._state.positions[topic]

    def furthest(self) -> int:
        """The latest arrival of the partition's topics."""
        return self._state.furthest()

    def caught_up(self, topic: Topic, furthest_ms: int) -> None:
        """``topic`` has been read to its end, looked up after ``furthest_ms`` had been reached."""
        self._state.caught_up(topic, furthest_ms)


def _count(topic: Topic, outcome: Outcome) -> None:
    late = sum(rejection.code == "late" for _, rejection in outcome.turned_away)
    metrics.count_events(
        topic,
        accepted=outcome.accepted,
        duplicates=outcome.duplicates,
        rejected=len(outcome.turned_away) - late,
        late=late,
    )
    if outcome.out_of_step:
        metrics.count_out_of_step(topic, outcome.out_of_step)
