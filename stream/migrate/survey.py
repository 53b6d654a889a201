"""What there is to move, and that nothing stands against it. Every refusal is here, before anything is written.

A move carries over what was counted, and nothing else, so everything must have been counted: each checkpoint stands
at the end of its four inputs. That says as well that every bonus it brought about is committed.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from stream.core.intake import NO_ARRIVAL
from stream.core.rules import Topic
from stream.emit.scan import award_of, scan
from stream.errors import InputError
from stream.migrate.regroup import latest, sources
from stream.migrate.side import Connected
from stream.store.lease import Lease
from stream.topics import RULES
from stream.worker.body import Body, moving_from

Holds = Literal["new", "counted"]
"""What the inputs hold that are moved to: events to count, or copies of what has been counted."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What only the operator can know or decide: what the inputs hold that are moved to (None: nothing), and whether
    records may be left that were not counted before partitions were added to their topic."""

    holds: Holds | None = None
    accept_unread: bool = False


class Held(NamedTuple):
    """A partition's checkpoint: a look at it, which is superseded if anybody touches it, and what it says."""

    lease: Lease
    body: Body


async def held_by(source: Connected) -> list[Held]:
    """All partitions' checkpoints. Raises ``InputError`` where one is missing, or of other logs."""
    found: list[Held] = []
    partitions = 1
    while len(found) < partitions:
        lease = await source.store.look(len(found))
        if lease is None or lease.meta is None:
            raise InputError(
                f"The Redis of group {source.side.group} holds no checkpoint of its partition {len(found)}: there is "
                "nothing to move, or the group and its Redis are others."
            )
        body = Body.decode(lease.meta)
        partitions = found[0].body.partitions if found else body.partitions
        if body.partitions != partitions or (body.cluster and source.cluster not in ("", body.cluster)):
            raise InputError(
                f"The state of partition {len(found)} is of {body.partitions} partitions in Kafka cluster "
                f"{body.cluster}, not of {partitions} at {source.side.kafka.kafka}, which is {source.cluster}."
            )
        found.append(Held(lease, body))
    for number, (_, body) in enumerate(found):
        for name, topic_id in source.topic_ids.items():
            if body.topics.get(name, topic_id) != topic_id:
                raise InputError(
                    f"The state of partition {number} was made from another {source.side.kafka.topic(name)} than "
                    "there is now: it was made anew, or the topic prefix is another."
                )
    return found


async def refuse_unread(source: Connected, held: Sequence[Held]) -> None:
    """Raise ``InputError`` where an input holds records that were not counted."""
    tps = [tp for number in range(len(held)) for tp in source.inputs(number).values()]
    ends = await source.log_ends.ends(tps)
    for number, (_, body) in enumerate(held):
        for topic, tp in source.inputs(number).items():
            if ends[tp] != body.positions[topic]:
                raise InputError(
                    f"{tp.topic}/{tp.partition} ends at offset {ends[tp]}, and was counted up to "
                    f"{body.positions[topic]}: hold the producers, let workers of group {source.side.group} read to "
                    "the end, stop them with SIGTERM, and move then."
                )


async def unknown_bonuses(
    source: Connected, held: Sequence[Held], say: Callable[[str], None]
) -> dict[str, set[str]]:
    """The latches, by subject, of bonuses that were paid after the checkpoints, and that these lack.

    ``say`` is told what is waited for. Raises ``LedgerLost``; ``InputError`` where others have written there.
    """
    found: dict[str, set[str]] = {}
    reader = source.side.kafka.consumer_options()
    ends = await source.log_ends.ends([source.ledger(number) for number in range(len(held))])
    for number, (_, body) in enumerate(held):
        bonuses = source.ledger(number)
        async for batch in scan(reader, source.side.group, bonuses, body.place, ends[bonuses], say):
            for key, latch in map(award_of, batch):
                found.setdefault(key, set()).add(latch)
    return found


def refuse_disagreement(held: Sequence[Held], after: int) -> None:
    """Raise ``InputError`` where partitions that come together were judged by different rules."""
    for number, (_, body) in enumerate(held):
        if (body.documents, body.limits) != (held[0].body.documents, held[0].body.limits):
            raise InputError(
                f"Partition {number} has other programmes or limits than partition 0: let workers of one setting "
                "run until all partitions have gone over, stop them, and move then."
            )
    for target in range(after):
        together = _that_read([held[number].body for number in sources(target, len(held), after)])
        if any((body.late, body.shortened) != (together[0].late, together[0].shortened) for body in together):
            raise InputError(
                f"Partitions that come together in {target} loaded a version of a programme at different sides of "
                "its start, or end, so they count it differently: move with as many partitions as before, or once "
                "that programme has ended."
            )


def _that_read(bodies: Sequence[Body]) -> Sequence[Body]:
    """Those that have read anything, if any has: what was loaded before the first record is loaded in time."""
    return [body for body in bodies if max(body.arrivals.values()) != NO_ARRIVAL] or bodies


async def positions(
    source: Connected, target: Connected, held: Sequence[Held], after: int, holds: Holds | None
) -> list[dict[Topic, int]]:
    """Where each partition to be reads on in its inputs: where the state stands, if they are the same logs."""
    inputs = [target.inputs(number) for number in range(after)]
    tps = [tp for each in inputs for tp in each.values()]
    starts, ends = await target.log_ends.starts(tps), await target.log_ends.ends(tps)
    found: list[dict[Topic, int]] = []
    for number, topics in enumerate(inputs):
        found.append({})
        for topic, tp in topics.items():
            if source.shares(topic, target) and number < len(held):
                found[number][topic] = held[number].body.positions[topic]
            elif holds == "counted":
                found[number][topic] = ends[tp]
            elif holds == "new" or starts[tp] == ends[tp] or source.shares(topic, target):
                found[number][topic] = starts[tp]
            else:
                raise InputError(
                    f"{tp.topic}/{tp.partition} holds {ends[tp] - starts[tp]} records already: say with "
                    "--target-holds whether they are new, or copies of what has been counted."
                )
    return found


def wanted(
    source: Connected, target: Connected, held: Sequence[Held], where: Sequence[dict[Topic, int]], moved: str
) -> list[Body]:
    """What the checkpoint of each partition to be says; its place in `bonuses` is to be told."""
    found: list[Body] = []
    for number, its_positions in enumerate(where):
        bodies = [held[each].body for each in sources(number, len(held), len(where))]
        rules = _that_read(bodies)[0]
        found.append(
            Body(
                positions=its_positions,
                arrivals=latest(body.arrivals for body in bodies),
                place=0,
                # A number of a topic that is another means nothing; before the first, the worker looks what there is.
                edition=max(body.edition for body in bodies) if source.shares(RULES, target) else 0,
                since=dict(its_positions) if rules.since else {},
                documents=rules.documents,
                late=rules.late,
                limits=rules.limits,
                cluster=target.cluster,
                partitions=len(where),
                topics=target.topic_ids,
                moved=moved,
                shortened=rules.shortened,
            )
        )
    return found


def name_of_move(source: Connected, held: Sequence[Held], where: Sequence[dict[Topic, int]]) -> str:
    """The group, and a digest of what is moved whereto: a run may go on with the work of one of the same name."""
    told = "\n".join([source.cluster, *(each.lease.version for each in held), *map(repr, where)])
    return f"{source.side.group} {hashlib.sha256(told.encode()).hexdigest()[:16]}"


async def done_already(target: Connected, after: int, moved: str) -> list[bool]:
    """Which partitions an earlier run has finished. Raises ``InputError`` where there is other state in the way."""
    found: list[bool] = []
    for number in range(after):
        lease = await target.store.look(number)
        if lease is None or lease.meta is None:
            found.append(False)
            continue
        begun = moving_from(lease.meta)
        if begun is None and Body.decode(lease.meta).moved == moved:
            found.append(True)
        elif begun == moved:
            found.append(False)
        else:
            what = "an unfinished move of something else" if begun else "state of its own"
            raise InputError(
                f"The group {target.side.group} has {what} already, in partition {number}: choose another name, or "
                f"delete the keys that begin with {{{target.side.group}:"
            )
    return found
