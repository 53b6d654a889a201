"""What a subject's state says of each tier: what its newest window holds, what is asked for, and what was paid.

Read from Redis as of the partition's last checkpoint, while workers go on: nothing is written, and Kafka isn't asked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.placement import partition_of
from stream.core.judging import window_sums
from stream.core.plan import Judge, Plan
from stream.core.rules import Limits, Metric
from stream.core.subject import Subject, subject_key
from stream.errors import InputError, Unreachable
from stream.store.checkpoint import Superseded
from stream.store.lease import Lease
from stream.store.store import StateStore
from stream.worker.body import Body
from stream.worker.rules import in_force

TRIES = 50
"""Each checkpoint that a worker writes in between supersedes what was looked at, and one a second comes."""

Award = tuple[str, str, int | None]
"""Programme, tier, and the start of the period in Unix ms; None for `once`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands with a tier in one region.

    ``window`` is the newest that holds anything of what the tier names, in Unix ms; ``counts`` is what it reads,
    ``watch_hours`` in ms. ``paid`` are the starts (Unix ms) of the periods that were paid, None for `once`.
    """

    region: str
    judge: Judge
    window: tuple[int | None, int | None]
    counts: dict[Metric, int]
    paid: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A subject's standings as of a checkpoint, and awards that none of them tells."""

    partition: int
    partitions: int
    checkpoint: int
    standings: tuple[Standing, ...]
    other_awards: tuple[Award, ...]


async def explain(
    url: str,
    group: str,
    creator_id: str,
    video_id: str | None,
    *,
    within_s: float,
    say: Callable[[str], None],
) -> Explanation:
    """How a creator, or a creator's video, stands with each tier in force.

    ``say`` gets sentences about Redis being away. Raises ``InputError`` where the group has no state there, and
    ``Unreachable``.
    """
    store = await StateStore.connect(url, group, timeout_s=within_s, say=say)
    try:
        first = _body(await store.look(0), group)
        number = partition_of(creator_id, first.partitions)
        key = subject_key(creator_id, video_id)
        for _ in range(TRIES):
            lease = await store.look(number)
            body = _body(lease, group)
            try:
                assert lease is not None
                (fields,) = await lease.read([key])
            except Superseded:
                continue
            rules = in_force(body.edition, body.since, body.documents, body.late, Limits(), body.shortened)
            subject = Subject(key)
            subject.restore(fields, rules.plan)
            awards = _awards(subject)
            kind = "creator" if video_id is None else "video"
            standings = tuple(_standings(subject, rules.plan, kind, awards))
            known = {(each.judge.program.name, each.judge.tier.name) for each in standings}
            others = tuple(award for award in awards if award[:2] not in known)
            return Explanation(number, body.partitions, lease.seq, standings, others)
        raise Unreachable(f"The state of partition {number} changed each time that it was read.")
    finally:
        await store.close()


def _body(lease: Lease | None, group: str) -> Body:
    if lease is None or lease.meta is None:
        raise InputError(
            f"Redis holds no checkpoint of group {group}: no worker has run, or they have another one."
        )
    return Body.decode(lease.meta)


def _standings(subject: Subject, plan: Plan, kind: str, awards: Sequence[Award]) -> Iterator[Standing]:
    """Of the tiers that judge the newest pane of what they name, in the order of programmes, versions and tiers."""
    names = {name for name, _ in subject.each() if not name.endswith("-")}
    for region in sorted({name.rpartition(".")[2] for name in names}):
        judges = {
            id(each): each for counter in plan.region(region).counters.values() for each in counter.judges
        }
        for judge in sorted(judges.values(), key=lambda each: each.order):
            heads = [series.head for _, name in judge.reads if (series := subject.find(name)) is not None]
            if judge.program.subject != kind or not heads:
                continue
            pane = max(heads)
            if judge.first_pane <= pane <= judge.last_pane:
                counts = {
                    metric: window_sums(subject, name, [pane], judge.length)[0]
                    for metric, name in judge.reads
                }
                award = (judge.program.name, judge.tier.name)
                paid = tuple(period for *of, period in awards if tuple(of) == award)
                yield Standing(region, judge, judge.window(pane), counts, paid)


def _awards(subject: Subject) -> list[Award]:
    """In the order of programmes, tiers and periods."""
    made = (latch.split("/") for latch in subject.latches)
    found = [(program, tier, None if period == "-" else int(period)) for program, tier, period in made]
    return sorted(found, key=lambda award: (award[0], award[1], award[2] or 0))
