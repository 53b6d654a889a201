"""Taking a partition: from an assignment to the state at its place in the logs, with every older owner shut out.

```
1 prove membership     an OffsetCommit of this generation is accepted: a woken zombie gets no further
2 open the ledger      fences the older writer, aborts what it left open, also where Kafka lost sight of it
3 take the lease       the older owner's checkpoints are refused from now on
4 check the place      the checkpoint lies within the logs, and they are the very ones that it was made from
5 scan `bonuses`       from the checkpoint's place to the end; what is found is latched, and written if it is much
6 record the rules     by a checkpoint before a record is applied, where there was none or the limits are others
```
A partition starts with the rules of its checkpoint, whatever is in force by now (`rules`, `service`).
The order is what makes it exact; each step says why in its own module or below.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from schemas.bonuses import BonusEvent
from stream.core.partition import Partition
from stream.core.rules import TOPICS, Topic
from stream.emit.ledger import Ledger
from stream.emit.scan import award_of, scan
from stream.errors import InputError
from stream.logs import logger
from stream.store.checkpoint import IdBatch
from stream.store.lease import Lease
from stream.topics import LEDGER
from stream.transport.kafka import OffsetAndMetadata, TopicPartition
from stream.worker.belonging import Extent, refuse_foreign
from stream.worker.body import Body, moved_said, seq_said
from stream.worker.crew import Crew
from stream.worker.delta import CHECKPOINT_FIELDS, delta_of
from stream.worker.laps import Laps
from stream.worker.rules import InForce, in_force
from stream.worker.waiting import told

log = logger(__name__)

RUNS_AT_ONCE = 2_000
"""Runs of event ids that a take restores before others have their turn."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A partition in hand, and the ``rules`` it starts with.

    ``adopted`` says that they, or the place in the logs, are not the checkpoint's: another must record them first.
    ``moved`` is the checkpoint's.
    """

    state: Partition
    rules: InForce
    ledger: Ledger
    lease: Lease
    adopted: bool
    moved: str


async def take(crew: Crew, number: int) -> Taken:
    """Take partition ``number``. Raises ``InputError`` where an operator must decide."""
    laps, settings = Laps(), crew.settings
    inputs, bonuses = crew.inputs(number), crew.ledger(number)
    starts = await crew.log_ends.starts([*inputs.values(), bonuses])
    committed = await _prove_membership(crew, inputs, starts)
    laps.end("membership")
    async with told(f"partition {number} waits for Kafka to shut out whoever wrote its bonuses before"):
        ledger = await Ledger.open(crew.options, settings.app, bonuses)
    laps.end("ledger")
    try:
        lease = await crew.store.take(number)
        ends = await crew.log_ends.ends([*inputs.values(), bonuses])  # after the ledger was opened
        await crew.logs.confirm()  # after the ends: they are those of these very logs
        if (await crew.log_ends.committed_ends([bonuses]))[bonuses] < ends[bonuses]:
            await ledger.end_orphan()
        body = None if lease.meta is None else Body.decode(lease.meta)
        if body is not None:
            refuse_foreign(body, crew.logs.identity.cluster, crew.partitions, number)
        _tell_of_lost_state(number, lease, body, committed, max(starts[tp] for tp in inputs.values()))
        if body is None:
            _refuse_trimmed_ledger(bonuses, starts[bonuses], accept_gap=settings.accept_gap)
        logs = Extent(starts, ends, crew.topic_ids(), settings.accept_gap)
        ledger.place = _place(body, logs, bonuses)
        rules = await _rules(body, crew)
        state = Partition(number, rules.plan, crew.limits, complete=body is None)
        positions = _positions(body, logs, inputs)
        laps.end("lease")
        state.restore(positions, {} if body is None else body.arrivals, {})
        await _remember(state, {} if body is None else body.arrivals, await lease.ids())
        laps.end("ids")
        found = 0
        reader = settings.consumer_options()
        async for batch in scan(reader, settings.app, bonuses, ledger.place, ends[bonuses], _say(number)):
            await _latch(batch, state, lease)
            found += len(batch)
            if state.unsaved()[0] >= CHECKPOINT_FIELDS:
                # All that was ever paid, perhaps: too much for one checkpoint, or for memory.
                await _save(crew, state, lease, rules, ledger.place, "" if body is None else body.moved)
        ledger.place = max(ledger.place, ends[bonuses])
        if body is None:  # what has been taken out of the logs since then was never counted
            starts = await crew.log_ends.starts(inputs.values())
            state.restore({topic: starts[tp] for topic, tp in inputs.items()}, {}, {})
        laps.end("scan")
    except BaseException:
        await ledger.close()
        raise
    log.info(
        "partition taken",
        partition=number,
        checkpoint=None if body is None else lease.seq,
        positions=dict(state.positions),
        bonuses_found=found,
        seconds=laps.total_s,
        steps=laps.seconds,
    )
    adopted = (
        body is None
        or body.limits != asdict(crew.limits)
        or body.topics != crew.topic_ids()
        or body.positions != positions
    )
    return Taken(state, rules, ledger, lease, adopted, "" if body is None else body.moved)


async def _prove_membership(
    crew: Crew, inputs: Mapping[Topic, TopicPartition], starts: Mapping[TopicPartition, int]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Have an OffsetCommit accepted; returns what was committed, which is committed again and so changes nothing."""
    committed = await crew.log_ends.committed(inputs.values())
    await crew.group.commit_offsets(
        {tp: committed.get(tp) or OffsetAndMetadata(starts[tp], "") for tp in inputs.values()}
    )
    return committed


def _tell_of_lost_state(
    number: int,
    lease: Lease,
    body: Body | None,
    committed: Mapping[TopicPartition, OffsetAndMetadata],
    start: int,
) -> None:
    """Say loudly that Redis holds less than the group once had, and whether the logs still cover what is gone.

    Raises ``InputError`` where they never can: state that came from elsewhere is gone whole.
    """
    if body is None and any(moved_said(entry.metadata) for entry in committed.values()):
        raise InputError(
            f"Redis has lost the state of partition {number}, a part of which `bonus migrate` brought: these logs "
            "can't bring that back, and bonuses that it knew as paid would be paid again. Put back a backup of "
            "Redis, or repeat the move."
        )
    newest = max((seq_said(entry.metadata) or 0 for entry in committed.values()), default=0)
    held = 0 if body is None else lease.seq
    if newest > held:
        log.warning(
            "Redis is behind: what it lost is replayed from the logs",
            partition=number,
            held=held,
            known=newest,
        )
    if body is None and start > 0:
        log.warning(
            "no state, and the logs do not reach back to their beginning: counts start with what they still hold",
            partition=number,
            first_offset=start,
        )


def _refuse_trimmed_ledger(bonuses: TopicPartition, start: int, *, accept_gap: bool) -> None:
    """Without state `bonuses` tells what was paid. Raises ``InputError`` where its beginning is gone."""
    if start == 0 or accept_gap:
        return
    raise InputError(
        f"There is no state of partition {bonuses.partition}, and {bonuses.topic}/{bonuses.partition} begins at "
        f"offset {start}: bonuses that stood before that would be paid again. Put back a backup of Redis, or go on "
        "with --accept-gap once. The topic must keep its records for ever: retention.ms=-1, cleanup.policy=delete."
    )


def _place(body: Body | None, logs: Extent, bonuses: TopicPartition) -> int:
    if body is None:
        return logs.starts[bonuses]
    return logs.goes_on_at(LEDGER, bonuses, body.place, body.topics)


def _positions(body: Body | None, logs: Extent, inputs: Mapping[Topic, TopicPartition]) -> dict[Topic, int]:
    if body is None:
        return {topic: logs.starts[tp] for topic, tp in inputs.items()}
    return {
        topic: logs.goes_on_at(topic, tp, body.positions[topic], body.topics) for topic, tp in inputs.items()
    }


async def _remember(state: Partition, arrivals: Mapping[Topic, int], batches: list[IdBatch]) -> None:
    """Take over the event ids, some at a time: millions at once would hold up our heartbeats to the group."""
    by_name = {batch.topic: batch.arrivals for batch in batches}
    for topic in TOPICS:
        runs = by_name.get(topic, [])
        for start in range(0, len(runs), RUNS_AT_ONCE):
            state.restore({}, arrivals, {topic: runs[start : start + RUNS_AT_ONCE]})
            await asyncio.sleep(0)


async def _latch(found: list[BonusEvent], state: Partition, lease: Lease) -> None:
    """Latch what was paid after the checkpoint, so that the replay does not pay it again."""
    latches: dict[str, list[str]] = {}
    for key, latch in map(award_of, found):
        latches.setdefault(key, []).append(latch)
    # Those of an earlier batch are in memory: admitted again, they would lose what that batch latched.
    keys = state.memory.missing(latches)
    fields = [{}] * len(keys) if state.memory.complete else await lease.read(keys)
    with lease.intact():
        for key, held in zip(keys, fields, strict=True):
            state.memory.admit(key, held)
    for key, made in latches.items():
        for each in made:
            state.award(key, each)


async def _save(crew: Crew, state: Partition, lease: Lease, rules: InForce, place: int, moved: str) -> None:
    """Write what was latched by now. The places in the logs stay as they were: a take after this one begins there."""
    changes = state.cut()
    await lease.write(delta_of(crew, changes, rules, place, moved))
    state.memory.evict(crew.settings.max_subjects_in_memory, state.memory.cuts)


async def _rules(body: Body | None, crew: Crew) -> InForce:
    """The rules of the checkpoint; without one, those in force."""
    edition = crew.rules.edition
    if body is None:
        return in_force(edition.number, {}, edition.documents, {}, crew.limits)
    if body.edition > edition.number:  # another worker has read further
        edition = await crew.rules.catch_up()
        if body.edition > edition.number:
            log.warning("the topic of programmes was made anew", held=body.edition, end=edition.number)
    return in_force(body.edition, body.since, body.documents, body.late, crew.limits, body.shortened)


def _say(number: int) -> Callable[[str], None]:
    return lambda sentence: log.warning("waiting", partition=number, reason=sentence)
