"""Serving a taken partition: three tasks around one state, of which only the first changes what counts.

```
apply       chunk by chunk: read back unknown subjects, apply, hand over bonuses and turned-away records
emit        everything handed over since the last transaction, in one transaction; at once, back to back
checkpoint  about once a second: freeze what changed, wait until all it covers is acknowledged, write it; then
            have what it says is due forgotten, which changes no bonus
```
Whatever goes wrong in one of them ends all three, and what is in memory with them: the partition is taken anew.
"""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, replace

from stream import metrics
from stream.core.outcome import Bonus, Event, Outcome, Rejection
from stream.core.partition import Changes
from stream.core.rules import TOPICS, Topic
from stream.core.subject import Subject
from stream.errors import BonusError
from stream.logs import logger
from stream.settings import in_ms
from stream.store.checkpoint import Delta, IdBatch
from stream.transport.driver import Chunk
from stream.transport.kafka import KafkaTrouble, OffsetAndMetadata
from stream.worker.body import Body, said_at_commit
from stream.worker.crew import Crew
from stream.worker.flight import ChunkLost, Flight
from stream.worker.rules import InForce, adopt
from stream.worker.take import Taken

log = logger(__name__)

CHECKPOINT_FIELDS, CHECKPOINT_IDS = 20_000, 100_000
"""A checkpoint is cut early at so many changed fields or new ids: more at once would stall Redis for others."""

TRANSACTION_BONUSES = 5_000
"""The most bonuses in one transaction; many more would run into its time-out."""

MOST_UNSENT = 20_000
"""Applying pauses while so many bonuses, or turned-away records, wait for Kafka."""

MOST_UNSAVED_CHECKPOINTS = 4
"""Applying pauses while what waits for the next checkpoint would fill so many."""

SWEEP_KEYS, SWEEP_EVERY_MS = 200, 60_000
"""After a checkpoint at most so many entries are swept; once none are due any more, a minute of event time passes."""

CANCEL_AGAIN_S = 0.2
"""A task that has not ended by then is cancelled again."""

REPORT_TIMEOUT_S = 2.0
"""How long a commit of offsets may take; the next one says more anyway."""


class Service:
    """The tasks that serve one taken partition, until ``finish`` or a failure."""

    def __init__(self, crew: Crew, taken: Taken) -> None:
        self._crew = crew
        self.flight = Flight(crew.inputs(taken.state.number).values())
        self._adopted = taken.adopted
        self._state, self._rules, self._ledger, self._lease = (
            taken.state,
            taken.rules,
            taken.ledger,
            taken.lease,
        )
        self._number = taken.state.number
        self._queue: deque[tuple[Topic, Chunk, list[Event | Rejection]]] = deque()
        self._unemitted: deque[tuple[Bonus, int]] = deque()  # with its evidence record's timestamp
        self._turned_away: set[asyncio.Task[None]] = set()
        self._bonuses = self._committed = 0
        self._places: deque[tuple[int, int]] = deque([(0, taken.ledger.place)])
        self._checkpointed: dict[Topic, int] | None = None if taken.adopted else dict(taken.state.positions)
        self._swept_seq, self._sweep_from_ms = -1, 0
        self._finishing = self._all_applied = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._report: asyncio.Task[None] | None = None
        self._told: dict[Topic, int] | None = None  # what the group has acknowledged of our offsets
        self._checkpointing = asyncio.Lock()
        self._work = asyncio.Event()  # a chunk came, or the end is near
        self._emit = asyncio.Event()  # a bonus came, or nothing more will
        self._cut = asyncio.Event()  # enough has changed, or the end is near
        self._settled = asyncio.Condition()  # a transaction or a checkpoint was acknowledged

    async def adopt(self) -> None:
        """Record the rules, if they are new, before a record is applied under them."""
        if self._adopted:
            await self.checkpoint()

    def rules_changed(self) -> None:
        """There is a new edition."""
        self._work.set()

    def offer(self, topic: Topic, chunk: Chunk, decoded: list[Event | Rejection]) -> None:
        """Queue a chunk for applying."""
        try:
            self.flight.arrive(chunk)
        except ChunkLost as error:
            self.fail(error)
        else:
            self._queue.append((topic, chunk, decoded))
            self._work.set()

    def fail(self, error: BonusError) -> None:
        """End ``run`` with ``error``: nothing in memory is to be trusted any more."""
        if not self._failure.done():
            self._failure.set_exception(error)

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
        serving: asyncio.Future[list[None]] = asyncio.gather(*tasks)
        try:
            waited: set[asyncio.Future[object]] = {serving, self._failure}  # type: ignore[arg-type]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            await serving
            await self.checkpoint()
            await self._end_report()
            self._tell_group()  # the last checkpoint may have come while an earlier one was being told
            await self._end_report()
        finally:
            await _cancel(tasks)
            await asyncio.gather(serving, return_exceptions=True)

    async def close(self) -> None:
        """Let go of everything that is still under way."""
        self._failure.cancel()
        left = [*self._turned_away, *([self._report] if self._report else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
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
            if self._crew.rules.edition.number != self._rules.edition:
                await self._go_over()
            if not self._queue:
                self._work.clear()
                await self._work.wait()
                continue
            topic, chunk, decoded = self._queue[0]
            # Asked again after each read-back: a checkpoint may have let others go meanwhile.
            while unknown := self._state.missing(topic, decoded):
                await self._read_back(unknown)
            self._apply(topic, chunk, decoded)
            self._queue.popleft()
            self.flight.land(chunk)
            await self._breathe()
        self._all_applied = True
        self._emit.set()

    async def _go_over(self) -> None:
        """Go over to the edition in force, at this place of the logs: a checkpoint says so before the next record."""
        edition = self._crew.rules.edition
        if edition.documents == self._rules.documents:
            self._rules = replace(self._rules, edition=edition.number)
            return
        await self.checkpoint(adopt(self._rules, edition, self._state))
        log.info(
            "programmes adopted",
            partition=self._number,
            edition=edition.number,
            positions=dict(self._rules.since),
        )

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
        if self._checkpoints_due() >= 1:
            self._cut.set()
        _count(topic, outcome)

    async def _breathe(self) -> None:
        """Let the others run; wait while too much waits to be settled."""
        await asyncio.sleep(0)
        async with self._settled:
            await self._settled.wait_for(self._has_room)

    async def _read_back(self, keys: Sequence[str]) -> None:
        """Have these entries in memory; one that has come there meanwhile is newer than what was read."""
        memory = self._state.memory
        for key, fields in zip(keys, await self._lease.read(keys), strict=True):
            if key not in memory:
                memory.admit(key, fields)
        metrics.count_read_back(len(keys))

    def _has_room(self) -> bool:
        unsent = max(len(self._unemitted), len(self._turned_away))
        has_room = unsent < MOST_UNSENT and self._checkpoints_due() < MOST_UNSAVED_CHECKPOINTS
        return has_room or self._finishing

    def _checkpoints_due(self) -> float:
        fields, ids = self._state.unsaved()
        return max(fields / CHECKPOINT_FIELDS, ids / CHECKPOINT_IDS)

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
            await self._sweep()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._cut.wait()
            self._cut.clear()

    async def checkpoint(self, rules: InForce | None = None) -> None:
        """Cut what changed, wait until everything it covers is acknowledged, then write it.

        With ``rules`` the partition goes over to them with this checkpoint; nothing is applied meanwhile.
        """
        async with self._checkpointing:
            if rules is None and self._state.positions == self._checkpointed:
                metrics.mark_durable(self._number)
                self._tell_group()
                return
            await self._checkpoint(rules or self._rules)
            if rules is not None:
                self._rules = rules
                self._state.judge_by(rules.plan)

    async def _checkpoint(self, rules: InForce) -> None:
        changes = self._state.cut()
        cut, bonuses, turned_away = self._state.memory.cuts, self._bonuses, frozenset(self._turned_away)
        began = time.monotonic()
        async with self._settled:
            await self._settled.wait_for(lambda: self._committed >= bonuses)
        await asyncio.gather(*turned_away)
        await self._lease.write(self._delta(changes, rules, self._place_of(bonuses)))
        self._checkpointed = dict(changes.positions)
        self._state.memory.evict(self._crew.settings.max_subjects_in_memory, cut)
        async with self._settled:
            self._turned_away -= turned_away
            self._settled.notify_all()
        metrics.observe_checkpoint(self._number, time.monotonic() - began, len(changes.subjects))
        metrics.set_subjects(self._number, len(self._state.memory))
        self._tell_group()

    async def _sweep(self) -> None:
        """Have some of what is due by the last checkpoint forgotten; the next one writes it.

        No entry leaves memory meanwhile, so what is read back is not older than what is applied. Here and not beside
        the records: while Redis is away they go on. Only records move the horizon: without any nothing is due.
        """
        async with self._checkpointing:
            horizon_ms = self._state.horizon()
            if horizon_ms < self._sweep_from_ms or self._lease.seq == self._swept_seq:
                return
            due = await self._lease.due(horizon_ms, SWEEP_KEYS)
            unknown = [key for key in due if key not in self._state.memory]
            if unknown:
                await self._read_back(unknown)
            self._state.sweep(due)
            self._swept_seq = self._lease.seq
            if len(due) < SWEEP_KEYS:
                self._sweep_from_ms = horizon_ms + SWEEP_EVERY_MS

    def _place_of(self, bonuses: int) -> int:
        """A place in `bonuses` before which lie none but the first so many bonuses.

        Later ones may be committed by now. Their latches are not in the cut, so the scan after a crash must find
        them: the place stays before the first transaction that holds one.
        """
        while len(self._places) > 1 and self._places[1][0] <= bonuses:
            self._places.popleft()
        return self._places[0][1]

    def _delta(self, changes: Changes, rules: InForce, place: int) -> Delta:
        body = Body(
            positions=dict(changes.positions),
            arrivals=dict(changes.arrivals),
            place=place,
            edition=rules.edition,
            since=dict(rules.since),
            documents=rules.documents,
            late=dict(rules.late),
            limits=asdict(self._crew.limits),
            cluster=self._crew.cluster,
            partitions=self._crew.partitions,
        )
        return Delta(
            subjects=changes.subjects,
            ids=[IdBatch(topic, runs) for topic, runs in changes.ids.items() if runs],
            ids_floor=dict(changes.ids_floor.items()),
            meta=body.encode(),
            due=changes.due,
        )

    def _tell_group(self) -> None:
        """Commit the checkpoint's offsets, for lag monitors. It holds nothing up: the checkpoint is the truth.

        Asked again after each interval, so that the group learns of the last checkpoint also where a commit failed,
        or where an older owner died before it.
        """
        positions = self._checkpointed
        if positions is None or positions == self._told or not (self._report is None or self._report.done()):
            return
        self._report = asyncio.create_task(self._commit_offsets(positions))

    async def _commit_offsets(self, positions: dict[Topic, int]) -> None:
        said = said_at_commit(self._lease.seq, int(time.time() * 1000))
        inputs = self._crew.inputs(self._number)
        try:
            async with asyncio.timeout(REPORT_TIMEOUT_S):
                await self._crew.group.commit_offsets(
                    {inputs[topic]: OffsetAndMetadata(positions[topic], said) for topic in TOPICS}
                )
        except (KafkaTrouble, TimeoutError) as error:
            log.debug("offsets not committed", partition=self._number, reason=str(error))
        else:
            self._told = positions

    async def _end_report(self) -> None:
        if self._report is not None:
            await asyncio.wait([self._report])

    # What others may ask

    def check_flight(self) -> None:
        """Fail where a chunk has been on its way for too long."""
        try:
            self.flight.check_overdue()
        except ChunkLost as error:
            self.fail(error)

    def subject(self, key: str) -> Subject | None:
        """A subject's state, where it is in memory."""
        entry = self._state.memory.entries.get(key)
        return entry if isinstance(entry, Subject) else None

    def position(self, topic: Topic) -> int:
        """The next offset of ``topic`` to apply."""
        return self._state.positions[topic]

    def read_up_to(self, topic: Topic, offset: int) -> None:
        """Everything before ``offset`` has been fetched, and is applied if nothing is in flight."""
        if self.flight.empty(self._crew.inputs(self._number)[topic]):
            self._state.skip_to(topic, offset)

    def furthest(self) -> int:
        """The latest arrival of the partition's topics."""
        return self._state.furthest()

    def caught_up(self, topic: Topic, furthest_ms: int) -> None:
        """``topic`` has been read to its end, looked up after ``furthest_ms`` had been reached."""
        self._state.caught_up(topic, furthest_ms)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: ``asyncio.wait_for``, in which clients wait for their sockets, swallows a cancellation that
    comes in the moment at which its wait is over (Python 3.11, bpo-42130).
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


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
