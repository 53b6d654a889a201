"""What each stage of a record's journey costs, one by one in this process, on the same topics as the worker's run.

```
fetch     aiokafka, from the socket to a list of records
decode    bytes to events
apply     the core: intake, counters, judging
cut       the core: what changed since the last checkpoint
pack      a checkpoint as the bytes that go to Redis
```
What the worker takes beyond their sum is the rest: event loop, Faust, transactions, metrics, waiting for Redis.
"""

import asyncio
import gc
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.servers import Ground
from schemas.decode import Decoder
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Topic
from stream.programs.load import load
from stream.store import scripts
from stream.store.checkpoint import Delta, IdBatch
from stream.store.layout import Layout, edits_of
from stream.store.link import pack
from stream.transport.fetching import RUN, in_runs
from stream.worker.run import gc_thresholds
from stream.worker.service import SLICE

STAGES = ("fetch", "decode", "apply", "cut", "pack")


@dataclass(slots=True)
class Stages:
    """CPU seconds by stage over ``events`` records, and the ids of the bonuses that the core found."""

    events: int = 0
    cpu_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    bonus_ids: set[str] = field(default_factory=set)

    def us_an_event(self) -> dict[str, float]:
        """CPU µs by stage."""
        return {stage: spent_s * 1e6 / self.events for stage, spent_s in self.cpu_s.items()}


def measure(ground: Ground, programs: Path, checkpoints: int) -> Stages:
    """Read all of the inputs through the stages, cutting so often that it comes to about ``checkpoints``."""
    before = gc.get_threshold()
    gc.set_threshold(*gc_thresholds())
    try:
        return asyncio.run(_measure(ground, programs, checkpoints))
    finally:
        gc.set_threshold(*before)


async def _measure(ground: Ground, programs: Path, checkpoints: int) -> Stages:
    plan = Plan(load(programs).programs)
    states = {number: Partition(number, plan, Limits()) for number in range(ground.partitions)}
    since_cut = dict.fromkeys(states, 0)
    topics: dict[str, Topic] = {ground.prefix + topic: topic for topic in TOPICS}
    decoders = {
        (name, number): Decoder(topic, number, ground.partitions)
        for name, topic in topics.items()
        for number in states
    }
    stages, records = Stages(), ground.records()
    cut_at = records // max(1, checkpoints)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=ground.servers.kafka,
        auto_offset_reset="none",
        isolation_level="read_committed",
        value_deserializer=in_runs,
    )
    await consumer.start()
    try:
        tps = [TopicPartition(tp.topic, tp.partition) for tp in ground.inputs()]
        consumer.assign(tps)
        for tp in tps:
            consumer.seek(tp, 0)
        lap = _Lap(stages)
        while stages.events < records:
            batches = await consumer.getmany(timeout_ms=1_000, max_records=RUN)
            for tp, fetched in batches.items():
                lap.end("fetch")
                topic, state = topics[tp.topic], states[tp.partition]
                for start in range(0, len(fetched), SLICE):
                    some = fetched[start : start + SLICE]
                    decoded = decoders[tp.topic, tp.partition].decode([each.value for each in some])
                    lap.end("decode")
                    offsets, timestamps = [each.offset for each in some], [each.timestamp for each in some]
                    outcome = state.apply(topic, offsets, timestamps, decoded)
                    lap.end("apply")
                    stages.bonus_ids.update(bonus.bonus_id for bonus in outcome.bonuses)
                stages.events += len(fetched)
                since_cut[tp.partition] += len(fetched)
                if since_cut[tp.partition] >= cut_at:
                    since_cut[tp.partition] = 0
                    _checkpoint(state.cut(), tp.partition, lap)
        for number, state in states.items():
            lap.end("fetch")
            _checkpoint(state.cut(), number, lap)
    finally:
        await consumer.stop()
    return stages


class _Lap:
    """A stopwatch of this thread's CPU time: each lap goes to a stage."""

    def __init__(self, stages: Stages) -> None:
        self._cpu_s = stages.cpu_s
        self._at_s = time.thread_time()

    def end(self, stage: str) -> None:
        now_s = time.thread_time()
        self._cpu_s[stage] += now_s - self._at_s
        self._at_s = now_s


def _checkpoint(changes: Changes, number: int, lap: _Lap) -> None:
    """Pack a checkpoint as the store does, and send it nowhere."""
    lap.end("cut")
    ids = [IdBatch(topic, runs) for topic, runs in changes.ids.items() if runs]
    delta = Delta(changes.subjects, ids, dict(changes.ids_floor.items()), b"", changes.due)
    layout = Layout("benchmark", number)
    pack(scripts.write(layout, ("", 0), edits_of(delta, layout, 1, frozenset()), delta.meta))
    lap.end("pack")
