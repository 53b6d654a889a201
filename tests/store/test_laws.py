"""Any row of checkpoints, takes and read-backs equals a plain dict."""

import asyncio
from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.store.checkpoint import Delta, IdBatch
from stream.store.layout import BUCKET_MS
from stream.store.store import StateStore

SUBJECTS = ["a", "b", "{b}", "c:d"]
FIELDS = ["x", "y", "{z}", ""]
TOPICS = ["views", "acme.likes"]
LATEST_DUE_MS = 2**53 - 1
REMEMBERED_MS = 2 * BUCKET_MS

fields = st.dictionaries(
    st.sampled_from(FIELDS), st.none() | st.integers() | st.integers(-(2**100), 2**100), max_size=4
)


@dataclass(frozen=True)
class Step:
    """A checkpoint, and whether the partition is taken anew before it. ``ids`` are steps of arrival and counts."""

    take: bool
    subjects: dict[str, dict[str, int | None]]
    ids: list[tuple[str, int, int]]
    due: dict[str, int | None]


@dataclass
class Model:
    """The state as it should be, and the clock of arrivals."""

    subjects: dict[str, dict[str, int]] = field(default_factory=lambda: {subject: {} for subject in SUBJECTS})
    ids: dict[str, list[tuple[int, list[str]]]] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    now_ms: int = 0
    seq: int = 0
    meta: bytes | None = None

    def apply(self, step: Step) -> Delta:
        """Does the step, and returns it as a delta."""
        for subject, changes in step.subjects.items():
            for name, value in changes.items():
                if value is None:
                    self.subjects[subject].pop(name, None)
                else:
                    self.subjects[subject][name] = value
        self.due = {
            subject: due_ms for subject, due_ms in {**self.due, **step.due}.items() if due_ms is not None
        }
        batches: dict[str, IdBatch] = {}
        for topic, forward_ms, count in step.ids:
            self.now_ms += forward_ms
            accepted = (self.now_ms, [f"{self.now_ms}-{number}" for number in range(count)])
            batches.setdefault(topic, IdBatch(topic, [])).arrivals.append(accepted)
            self.ids.setdefault(topic, []).append(accepted)
        self.meta = b"at %d" % self.now_ms
        self.seq += 1
        floors = dict.fromkeys(TOPICS, self.floor_ms)
        return Delta(step.subjects, list(batches.values()), floors, self.meta, step.due)

    @property
    def floor_ms(self) -> int:
        """Ids that arrived before may be forgotten."""
        return self.now_ms - REMEMBERED_MS

    def remembered(
        self, batches: dict[str, list[tuple[int, list[str]]]]
    ) -> dict[str, list[tuple[int, list[str]]]]:
        """Of these ids, those that may not be forgotten."""
        kept = {
            topic: [pair for pair in arrivals if pair[0] >= self.floor_ms]
            for topic, arrivals in batches.items()
        }
        return {topic: arrivals for topic, arrivals in kept.items() if arrivals}


steps = st.lists(
    st.builds(
        Step,
        take=st.booleans(),
        subjects=st.dictionaries(st.sampled_from(SUBJECTS), fields),
        ids=st.lists(
            st.tuples(st.sampled_from(TOPICS), st.integers(0, BUCKET_MS), st.integers(1, 3)), max_size=4
        ),
        due=st.dictionaries(st.sampled_from(SUBJECTS), st.none() | st.integers(0, LATEST_DUE_MS)),
    ),
    max_size=12,
)


@given(steps=steps)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_row_of_checkpoints_equals_a_dict(redis_url: str, steps: list[Step]) -> None:
    """Counters and dues exactly; ids exactly as far as they must be kept, no bucket longer than that; seq, meta."""
    asyncio.run(replay(redis_url, steps))


async def replay(redis_url: str, steps: list[Step]) -> None:
    store = await StateStore.connect(redis_url, f"t{uuid4().hex[:12]}", timeout_s=5, say=print)
    model = Model(seq=1)
    lease = await store.take(0)
    for step in steps:
        if step.take:
            lease = await store.take(0)
            model.seq += 1
            assert lease.meta == model.meta
        assert await lease.write(model.apply(step)) == model.seq
        assert await lease.read(SUBJECTS) == list(model.subjects.values())
        assert await lease.due(LATEST_DUE_MS + 1, 10) == sorted(model.due, key=lambda s: (model.due[s], s))
        ids = {batch.topic: batch.arrivals for batch in await lease.ids()}
        assert model.remembered(ids) == model.remembered(model.ids)
        oldest_ms = min(
            (arrival for arrivals in ids.values() for arrival, _ in arrivals), default=model.now_ms
        )
        assert oldest_ms > model.floor_ms - BUCKET_MS
    await store.close()
