"""What a checkpoint writes: what changed, the place in every log, and the rules in force there."""

from dataclasses import asdict

from stream.core.partition import Changes
from stream.store.checkpoint import Delta, IdBatch
from stream.worker.body import Body
from stream.worker.crew import Crew
from stream.worker.rules import InForce

CHECKPOINT_FIELDS, CHECKPOINT_IDS = 20_000, 100_000
"""A checkpoint is cut early at so many changed fields or new ids: more at once would stall Redis for others."""


def delta_of(crew: Crew, changes: Changes, rules: InForce, place: int, moved: str) -> Delta:
    """The checkpoint of ``changes``; ``place`` and ``moved`` are those of `body.Body`."""
    body = Body(
        positions=dict(changes.positions),
        arrivals=dict(changes.arrivals),
        place=place,
        edition=rules.edition,
        since=dict(rules.since),
        documents=rules.documents,
        late=dict(rules.late),
        limits=asdict(crew.limits),
        cluster=crew.logs.identity.cluster,
        partitions=crew.partitions,
        topics=crew.topic_ids(),
        moved=moved,
        shortened=dict(rules.shortened),
    )
    return Delta(
        subjects=changes.subjects,
        ids=[IdBatch(topic, runs) for topic, runs in changes.ids.items() if runs],
        ids_floor=dict(changes.ids_floor.items()),
        meta=body.encode(),
        due=changes.due,
    )
