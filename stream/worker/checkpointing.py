"""The checkpoints of a partition: about once a second what changed is frozen and, once Kafka has acknowledged all
that it covers, written to Redis; then some of what it says is due is forgotten, which changes no bonus.

```
cut      state changes, the four positions, and a mark at what was handed over to Kafka; records go on
wait     until the bonuses up to the mark are committed, and a committed reader gets beyond them, not because they
         were aborted with later ones, and the records turned away up to it are acknowledged
write    in one atomic step, with the place in `bonuses` and the rules in force (store/lease)
evict    what memory can do without, now that a checkpoint holds it
tell     the group, for lag monitors
sweep    some of what is due by this checkpoint: the next one writes it
```
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence

from stream import metrics
from stream.core.partition import Partition
from stream.core.rules import Topic
from stream.emit.ledger import LedgerLost
from stream.settings import in_ms
from stream.store.lease import Lease
from stream.transport.kafka import KafkaTrouble
from stream.worker.crew import Crew
from stream.worker.delta import CHECKPOINT_FIELDS, CHECKPOINT_IDS, delta_of
from stream.worker.outgoing import Outgoing
from stream.worker.report import Report
from stream.worker.rules import InForce
from stream.worker.take import Taken

MOST_UNSAVED_CHECKPOINTS = 4
"""Applying pauses while what waits for the next checkpoint would fill so many."""

LEAST_SWEPT, MOST_SWEPT, SWEPT_AT_ONCE = 2_000, 10_000, 200
"""After a checkpoint so many entries are swept at most: twice as many as after the last one while more are due, also
where days of event time are read in minutes. Between so many at once records go on."""

SWEEP_EVERY_MS = 60_000
"""Once none are due any more, so much event time passes."""

READABLE_WITHIN_S, ASK_EVERY_S = 30.0, 0.02
"""For how long committed bonuses may not be readable: the marker of their commit may be lost (``stream/orphans``)."""

KAFKA, REDIS = "Kafka to take what was handed over", "Redis"
"""What applying may have to wait for, as it is said and shown."""


class Checkpoints:
    """The checkpoints of one take. ``progress`` is notified of each; ``rules`` are those that the next one names."""

    def __init__(self, crew: Crew, taken: Taken, outgoing: Outgoing, progress: asyncio.Condition) -> None:
        self._crew, self._outgoing, self._progress = crew, outgoing, progress
        self._state, self._lease, self.rules = taken.state, taken.lease, taken.rules
        self._number = taken.state.number
        self._covered: dict[Topic, int] | None = None if taken.adopted else dict(taken.state.positions)
        self._most_swept, self._swept_seq, self._sweep_from_ms = LEAST_SWEPT, -1, 0
        self._readable = taken.ledger.place  # in `bonuses`, by a committed reader
        self._moved = taken.moved
        self._report = Report(crew, self._number, moved=bool(taken.moved))
        self._waits_for: str | None = None
        self._finishing = False
        self._hurry = asyncio.Event()  # enough has changed, or the end is near
        self._turn = asyncio.Lock()

    async def write_all(self) -> None:
        """Write them, one after the other, until ``finish``."""
        interval_s = in_ms(self._crew.settings.checkpoint_interval) / 1000
        while not self._finishing:
            await self.write()
            await self._sweep()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._hurry.wait()
            self._hurry.clear()

    def finish(self) -> None:
        """None but the last one is to be written."""
        self._finishing = True
        self._hurry.set()

    async def write_last(self) -> None:
        """Write what is left, and have the group told of it."""
        await self.write()
        await self._report.end()
        self._tell_group()  # the last checkpoint may have come while an earlier one was being told
        await self._report.end()

    async def close(self) -> None:
        """Let go of what is still under way."""
        await self._report.close()

    def hurry_if_due(self) -> None:
        """Have the next one written at once if enough for it has changed."""
        if self._due() >= 1:
            self._hurry.set()

    def is_behind(self) -> bool:
        """Whether so much waits for the next ones that nothing more should be applied."""
        return self._due() >= MOST_UNSAVED_CHECKPOINTS

    def waits_for(self) -> str | None:
        """Who must answer before the checkpoint that is being written, or the sweep after it, goes on."""
        return self._waits_for

    def _due(self) -> float:
        fields, ids = self._state.unsaved()
        return max(fields / CHECKPOINT_FIELDS, ids / CHECKPOINT_IDS)

    async def write(self, rules: InForce | None = None) -> None:
        """Cut what changed, wait until everything it covers is acknowledged, then write it.

        With ``rules`` the partition goes over to them with this checkpoint; nothing may be applied meanwhile.
        """
        async with self._turn:
            if rules is None and self._state.positions == self._covered and not any(self._state.unsaved()):
                metrics.mark_durable(self._number)
                self._tell_group()
                return
            await self._write(rules or self.rules)
            if rules is not None:
                self.rules = rules
                self._state.judge_by(rules.plan)

    async def _write(self, rules: InForce) -> None:
        changes = self._state.cut()
        cut, mark = self._state.memory.cuts, self._outgoing.mark()
        began = time.monotonic()
        await self._tell_progress()  # there is room for more changes
        with self._waiting_for(KAFKA):
            await self._outgoing.acknowledged(mark)
            await self._readable_up_to(self._outgoing.end_of(mark))
        with self._waiting_for(REDIS):
            place = self._outgoing.place_of(mark)
            await self._lease.write(delta_of(self._crew, changes, rules, place, self._moved))
        self._covered = dict(changes.positions)
        self._state.memory.evict(self._crew.settings.max_subjects_in_memory, cut)
        await self._tell_progress()
        metrics.observe_checkpoint(self._number, time.monotonic() - began, len(changes.subjects))
        metrics.set_subjects(self._number, len(self._state.memory))
        self._tell_group()

    async def _tell_progress(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    async def _readable_up_to(self, place: int) -> None:
        """Return once a committed reader gets to ``place`` in `bonuses`; raises ``LedgerLost`` where it does not."""
        bonuses = self._crew.ledger(self._number)
        deadline = time.monotonic() + READABLE_WITHIN_S
        while self._readable < place:
            try:
                self._readable = (await self._crew.log_ends.committed_ends([bonuses]))[bonuses]
            except KafkaTrouble:  # whoever can't ask doesn't know
                deadline = time.monotonic() + READABLE_WITHIN_S
            if self._readable >= place:
                # Perhaps by the abort of our present transaction, which takes an earlier one along that lost its end.
                await self._outgoing.end_of_transaction()
                return
            if time.monotonic() > deadline:
                raise LedgerLost(
                    f"{bonuses.topic}/{bonuses.partition} could be read to {self._readable} only for "
                    f"{READABLE_WITHIN_S:g} s, though bonuses were committed up to {place}"
                )
            await asyncio.sleep(ASK_EVERY_S)

    @contextlib.contextmanager
    def _waiting_for(self, whom: str) -> Iterator[None]:
        self._waits_for = whom
        try:
            yield
        finally:
            self._waits_for = None

    def _tell_group(self) -> None:
        if self._covered is not None:
            self._report.tell(self._covered, self._lease.seq)

    async def _sweep(self) -> None:
        """Have some of what is due by the last checkpoint forgotten; the next one writes it.

        No entry leaves memory meanwhile, so what is read back is not older than what is applied. Here and not beside
        the records: while Redis is away they go on. Only records move the horizon: without any nothing is due.
        """
        async with self._turn:
            horizon_ms = self._state.horizon()
            if horizon_ms < self._sweep_from_ms or self._lease.seq == self._swept_seq:
                return
            with self._waiting_for(REDIS):
                due = await self._lease.due(horizon_ms, self._most_swept)
                more = len(due) == self._most_swept
                for start in range(0, len(due), SWEPT_AT_ONCE):
                    if self._finishing:
                        return
                    keys = due[start : start + SWEPT_AT_ONCE]
                    unknown = [key for key in keys if key not in self._state.memory]
                    if unknown:
                        await read_back(self._state, self._lease, unknown)
                    if not self._state.sweep(keys):
                        more = True
                        break
            self._swept_seq = self._lease.seq
            if more:
                self._most_swept = min(MOST_SWEPT, 2 * self._most_swept)
            else:
                self._most_swept, self._sweep_from_ms = LEAST_SWEPT, horizon_ms + SWEEP_EVERY_MS


async def read_back(state: Partition, lease: Lease, keys: Sequence[str]) -> None:
    """Have these entries in memory; one that has come there meanwhile is newer than what was read."""
    memory, found = state.memory, await lease.read(keys)
    with lease.intact():
        for key, fields in zip(keys, found, strict=True):
            if key not in memory:
                memory.admit(key, fields)
    metrics.count_read_back(len(keys))
