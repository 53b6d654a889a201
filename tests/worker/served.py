"""What one served partition is made of, as far as tests without servers need it."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from stream.core.partition import Partition
from stream.core.rules import TOPICS, Limits
from stream.emit.ledger import Ledger
from stream.store.lease import Lease
from stream.transport.kafka import TopicPartition
from stream.worker.crew import Crew
from stream.worker.rules import InForce
from stream.worker.take import Taken


def crew_of_one(
    *, max_subjects_in_memory: int = 200_000, allow_create_time: bool = False, **others: object
) -> Crew:
    """For one partition, at edition 1; ``others`` are in the place of what has no server behind it."""
    held = dict[str, object](
        rules=SimpleNamespace(edition=SimpleNamespace(number=1)),
        settings=SimpleNamespace(
            checkpoint_interval=timedelta(seconds=1),
            max_subjects_in_memory=max_subjects_in_memory,
            allow_create_time=allow_create_time,
        ),
        limits=Limits(),
        topic_ids=dict,
        partitions=1,
        inputs=lambda number: {topic: TopicPartition(topic, number) for topic in TOPICS},
        ledger=lambda number: TopicPartition("bonuses", number),
        outbox=SimpleNamespace(),
        logs=SimpleNamespace(identity=SimpleNamespace(cluster="cluster")),
        turn=asyncio.Lock(),
    )
    return cast(Crew, SimpleNamespace(**held | others))


def taken_of(state: object, rules: InForce, lease: object) -> Taken:
    """A take of this state, of which nothing has been paid yet."""
    ledger = cast(Ledger, SimpleNamespace(place=0))
    return Taken(cast(Partition, state), rules, ledger, cast(Lease, lease), adopted=False, moved="")
