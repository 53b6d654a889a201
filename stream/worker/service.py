"""Serving a taken partition: four tasks around one state, of which only the first changes what counts.

```
apply       chunk by chunk: decode, read back unknown subjects, apply, hand over bonuses and turned-away records;
            small chunks in one step
emit        everything handed over since the last transaction, in one transaction               outgoing
relay       turned-away records, some at a time                                                 outgoing
checkpoint  about once a second: what changed, once all that it covers is acknowledged          checkpointing
```
Whatever goes wrong in one of them ends all, and what is in memory with them: the partition is taken anew.
"""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from schemas.decode import Decoder
from schemas.rejections import Origin
from stream import metrics
from stream.core.outcome import Event, Outcome, Rejection
from stream.core.rules import TOPICS, Topic
from stream.errors import BonusError
from stream.logs import logger
from stream.transport.driver import Chunk
from stream.transport.fetching import RUN
from stream.worker.checkpointing import KAFKA, REDIS, Checkpoints, read_back
from stream.worker.crew import Crew
from stream.worker.flight import ChunkLost, Flight
from stream.worker.outgoing import Outgoing
from stream.worker.rules import adopt
from stream.worker.take import Taken
from stream.worker.watchdog import Sight

log = logger(__name__)

TURNS = 4
"""So many turns of the event loop follow for each chunk applied, before another partition applies: a transaction is
some forty small steps, a turn each, which would otherwise wait for chunks of each partition every time."""

SLICE = 250
"""Records that are decoded, then applied, before the next: events that are still in the processor's cache."""

MOST_LOOKED = 100_000
"""At so many panes one step looks for late events, a tier each: some 50 ms. The heartbeat must not wait for all."""

CREATE_TIME = 0
"""Kafka's number for a timestamp that the producer gave, not the broker."""

CANCEL_AGAIN_S = 0.2
"""A task that has not ended by then is cancelled again."""


ROOM = "room: other partitions hold all of max_bytes_in_flight"
"""What fetching may have to wait for, as it is said."""

Step = Literal["apply", "read back", "go over", "wait for room"]
"""What applying does."""


class Service:
    """The tasks that serve one taken partition, until ``finish`` or a failure."""

    def __init__(self, crew: Crew, taken: Taken) -> None:
        self._crew = crew
        self._inputs = crew.inputs(taken.state.number)
        self.flight = Flight(self._inputs.values())
        self._adopted = taken.adopted
        self._state, self._lease, self._number = taken.state, taken.lease, taken.state.number
        self._decoders = {topic: Decoder(topic, self._number, crew.partitions) for topic in TOPICS}
        self._queue: deque[tuple[Topic, Chunk]] = deque()
        # Of the queue's first chunk: how many are applied, and what of the others is decoded.
        self._applied = 0
        self._decoded: list[Event | Rejection] = []
        self._looked = 0  # at panes, for late events, in this step
        self._progress = asyncio.Condition()  # a transaction or a checkpoint was acknowledged
        self._outgoing = Outgoing(taken.ledger, crew.outbox, crew.logs, self._progress)
        self._checkpoints = Checkpoints(crew, taken, self._outgoing, self._progress)
        self._by_producers = set[Topic]()  # those whose records carry their producers' timestamps
        self._step: Step = "apply"
        self._finishing = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work = asyncio.Event()  # a chunk came, or the end is near

    async def adopt(self) -> None:
        """Record the rules, if they are new, before a record is applied under them."""
        if self._adopted:
            await self._checkpoints.write()

    def rules_changed(self) -> None:
        """There is a new edition."""
        self._work.set()

    def offer(self, topic: Topic, chunk: Chunk) -> None:
        """Queue a chunk for applying."""
        if chunk.records[-1].timestamp_type == CREATE_TIME and not self._crew.settings.allow_create_time:
            self._tell_of_clocks(topic, chunk)
        try:
            self.flight.arrive(chunk)
        except ChunkLost as error:
            self.fail(error)
        else:
            self._queue.append((topic, chunk))
            self._work.set()

    def _tell_of_clocks(self, topic: Topic, chunk: Chunk) -> None:
        """Once a topic: a start refuses such topics, but their settings may have changed since, or long before."""
        if topic not in self._by_producers:
            self._by_producers.add(topic)
            log.warning(
                "records carry their producers' timestamps: a clock that is wrong makes others' events late",
                topic=chunk.topic,
                partition=chunk.partition,
                offset=chunk.records[-1].offset,
            )

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
                ("emit", self._outgoing.emit_all()),
                ("relay", self._outgoing.relay_all()),
                ("checkpoint", self._checkpoints.write_all()),
            )
        ]
        serving: asyncio.Future[list[None]] = asyncio.gather(*tasks)
        try:
            waited: set[asyncio.Future[object]] = {serving, self._failure}  # type: ignore[arg-type]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            await serving
            await self._checkpoints.write_last()
        finally:
            await _cancel(tasks)
            await asyncio.gather(serving, return_exceptions=True)

    async def close(self) -> None:
        """Let go of everything that is still under way, and of what memory holds.

        A failure's traceback holds on to us, and nobody looks for such cycles soon (``run.gc_thresholds``).
        """
        self._failure.cancel()
        self._queue.clear()
        self._decoded = []
        self._state.let_go()
        await self._checkpoints.close()
        await self._outgoing.close()

    async def finish(self) -> None:
        """Apply nothing more; emit and checkpoint what was applied; then ``run`` returns."""
        self._finishing = True
        self._work.set()
        self._checkpoints.finish()
        async with self._progress:
            self._progress.notify_all()

    # Apply

    async def _apply_all(self) -> None:
        while not self._finishing:
            if self._crew.rules.edition.number != self._checkpoints.rules.edition:
                self._step = "go over"
                await self._go_over()
                self._step = "apply"
                continue
            if not self._queue:
                self._work.clear()
                await self._work.wait()
                continue
            await self._apply_some()
            await self._breathe()
        self._outgoing.finish()

    async def _apply_some(self) -> None:
        """Apply the chunks that are queued, but no more than a run of records, in one step; then others go on.

        Most chunks are small, and each step costs its turns, and a transaction where it brings bonuses. A chunk of
        which memory lacks something ends the step: that is read back. So does one whose late events take long.
        """
        unknown: Sequence[str] = ()
        async with self._crew.turn:
            chunks = records = self._looked = 0
            while self._queue and self._has_room():
                records += len(self._queue[0][1].records)
                if chunks and records > RUN:
                    break
                unknown = self._apply_first()
                chunks += 1
                if unknown or self._looked > MOST_LOOKED:
                    break
            for _ in range(TURNS * chunks):
                await asyncio.sleep(0)
        if unknown:
            self._step = "read back"
            await read_back(self._state, self._lease, unknown)
            self._step = "apply"

    def _apply_first(self) -> Sequence[str]:
        """Decode and apply the queue's first chunk, or what of it is left; or as far as memory holds what it touches.

        Then it returns the keys of all that memory lacks for the rest of the chunk, to be read back at once.
        """
        topic, chunk = self._queue[0]
        while self._applied < len(chunk.records) and self._looked <= MOST_LOOKED:
            if not self._decoded:
                self._decode(topic, chunk, SLICE)
            self._apply(topic, chunk)
            if self._decoded and self._looked <= MOST_LOOKED:
                self._decode(topic, chunk, len(chunk.records))
                return self._state.missing(topic, self._decoded)
        if self._applied == len(chunk.records):
            self._applied = 0
            self.flight.land(chunk)
            self._queue.popleft()
        return ()

    def _decode(self, topic: Topic, chunk: Chunk, most: int) -> None:
        """Decode so many more records of a chunk, or all that are left."""
        first = self._applied + len(self._decoded)
        values = [each.value for each in chunk.records[first : first + most]]
        self._decoded += self._decoders[topic].decode(values)

    async def _go_over(self) -> None:
        """Go over to the edition in force, at this place of the logs: a checkpoint says so before the next record."""
        edition, rules = self._crew.rules.edition, self._checkpoints.rules
        if edition.documents == rules.documents:
            self._checkpoints.rules = replace(rules, edition=edition.number)
            return
        rules = adopt(rules, edition, self._state)
        await self._checkpoints.write(rules)
        log.info(
            "programmes adopted",
            partition=self._number,
            edition=edition.number,
            positions=dict(rules.since),
        )

    def _apply(self, topic: Topic, chunk: Chunk) -> None:
        """The one synchronous step in which this partition's state changes."""
        records = chunk.records[self._applied : self._applied + len(self._decoded)]
        offsets = [record.offset for record in records]
        timestamps = [record.timestamp for record in records]
        outcome = self._state.apply(topic, offsets, timestamps, self._decoded, MOST_LOOKED - self._looked)
        self._looked += outcome.looked
        self._applied += outcome.applied
        self._decoded = self._decoded[outcome.applied :]
        for index, rejection in outcome.turned_away:
            origin = Origin(chunk.topic, chunk.partition, records[index].offset)
            self._outgoing.turn_away(records[index], origin, rejection)
        if outcome.bonuses:
            self._outgoing.pay(
                [
                    (bonus, timestamps[bisect_left(offsets, bonus.evidence.offset)])
                    for bonus in outcome.bonuses
                ]
            )
        self._checkpoints.hurry_if_due()
        _count(topic, outcome)

    async def _breathe(self) -> None:
        """Wait while too much waits to be settled."""
        self._step = "wait for room"
        async with self._progress:
            await self._progress.wait_for(self._has_room)
        self._step = "apply"

    def _has_room(self) -> bool:
        return self._finishing or not (self._outgoing.is_full() or self._checkpoints.is_behind())

    # What others may ask

    def check_flight(self) -> None:
        """Fail where a chunk has been on its way for too long."""
        try:
            self.flight.check_overdue()
        except ChunkLost as error:
            self.fail(error)

    def sight(self, topic: Topic, end: int, *, reading: bool) -> Sight:
        """How ``topic``, which is committed up to ``end``, gets on."""
        whereabouts = self.flight.whereabouts(self._inputs[topic])
        waits_for = None
        if whereabouts == "arrived":
            waits_for = self._waits_for()
        elif whereabouts == "none" and not reading:
            waits_for = ROOM
        return Sight(self._state.positions[topic], end, whereabouts, waits_for)

    def _waits_for(self) -> str | None:
        """What explains that nothing is being applied: Redis, or Kafka, has to answer first."""
        if self._step == "read back":
            return REDIS
        if self._outgoing.is_full():
            return KAFKA
        if self._step == "wait for room":
            return self._checkpoints.waits_for() or KAFKA
        if self._step == "go over" or self._checkpoints.is_behind():
            return self._checkpoints.waits_for()
        return None

    def position(self, topic: Topic) -> int:
        """The next offset of ``topic`` to apply."""
        return self._state.positions[topic]

    def read_up_to(self, topic: Topic, offset: int) -> None:
        """Everything before ``offset`` has been fetched, and is applied if nothing is in flight."""
        if self._failure.done():
            return  # what was fetched may have been lost on its way
        if self.flight.empty(self._inputs[topic]):
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
