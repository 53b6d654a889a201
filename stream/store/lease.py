"""One take of one partition: what its owner reads and writes until somebody else takes it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import cast

import msgspec

from stream.errors import InputError
from stream.store import scripts
from stream.store.checkpoint import Delta, IdBatch, Superseded
from stream.store.layout import Arrivals, Bucket, Layout, decode_arrivals, edits_of
from stream.store.link import Refused, Way, pack
from stream.store.patience import Patience

# A read keeps Redis from others for 2-3 ms at most: so many keys, and so many fields and values, at a time.
READ_KEYS = 500
READ_VALUES = 20_000
# A field of ids is what one checkpoint accepted in one bucket.
READ_ID_FIELDS = 16


class Lease:
    """The right to a partition's state, from one take to the next.

    Every request compares owner and seq with our own last acknowledged ones and raises Superseded where they
    differ, from then on always. Redis being away, full, loading or read-only is waited out, saying so; requests
    can be cancelled while they wait. A write that is cancelled, or fails, leaves nobody knowing what Redis holds:
    the lease is superseded by it. One request at a time; others wait for it.
    """

    def __init__(
        self,
        way: Way,
        layout: Layout,
        say: Callable[[str], None],
        guard: tuple[str, int],
        meta: bytes | None,
        buckets: frozenset[Bucket],
    ) -> None:
        self._way = way
        self._layout = layout
        self._say = say
        self._owner, self.seq = guard
        self.meta = meta
        """The partition's own meta as it was checkpointed at the take, None if there is no checkpoint yet."""
        self._buckets = buckets
        self._turn = asyncio.Lock()
        self._lost: str | None = None

    async def ids(self) -> list[IdBatch]:
        """Every remembered event id, a batch a topic. Some may lie before the floor: whole buckets are forgotten.

        Raises Superseded; InputError where the keys hold something else.
        """
        topics: dict[str, Arrivals] = {}
        async with self._turn:
            for bucket in sorted(self._buckets):
                topics.setdefault(bucket[0], []).extend(await self._bucket(bucket))
        for arrivals in topics.values():
            arrivals.sort(key=lambda pair: pair[0])
        return [IdBatch(topic, arrivals) for topic, arrivals in topics.items()]

    async def read(self, keys: Sequence[str]) -> list[dict[str, int]]:
        """The fields of each subject as of the last acknowledged checkpoint; ``{}`` for one that is not known.

        Raises Superseded; InputError where the keys hold something else.
        """
        found: list[dict[str, int]] = []
        async with self._turn:
            while len(found) < len(keys):
                part = [self._layout.subject(key) for key in keys[len(found) : len(found) + READ_KEYS]]
                # A full answer stops early, with at least one subject in it.
                answers = await self._query(part, [["HGETALL"]] * len(part))
                with self.intact():
                    found += map(_counters, answers)
        return found

    async def due(self, before_ms: int, limit: int) -> list[str]:
        """Up to ``limit`` subjects that are due before ``before_ms`` as of the last checkpoint, the oldest first.

        Raises Superseded; InputError where the key holds something else.
        """
        query = ["ZRANGE", "-inf", f"({before_ms}", "BYSCORE", "LIMIT", "0", str(limit)]
        async with self._turn:
            [subjects] = await self._query([self._layout.due], [query])
        return [subject.decode() for subject in subjects]

    async def dues(self, keys: Sequence[str]) -> list[int | None]:
        """The due of each entry as of the last checkpoint, in ms of event time; None for one that has none.

        Raises Superseded; InputError where the key holds something else.
        """
        found: list[int | None] = []
        async with self._turn:
            for start in range(0, len(keys), READ_KEYS):
                query = ["ZMSCORE", *keys[start : start + READ_KEYS]]
                [scores] = await self._query([self._layout.due], [query])
                found += [None if score is None else int(float(score)) for score in scores]
        return found

    async def verify(self) -> None:
        """Return if everything that was read is still what Redis holds. Raises Superseded."""
        async with self._turn:
            await self._query([], [])

    @property
    def version(self) -> str:
        """Different for each checkpoint and each take of the partition."""
        return f"{self._owner}:{self.seq}"

    async def write(self, delta: Delta) -> int:
        """Makes ``delta`` the next checkpoint, atomically and once; returns its seq, acknowledged by Redis.

        Cut deltas at about 20,000 changed fields: Redis serves nobody else for their 20 ms.

        Raises Superseded; InputError where the keys hold something else.
        """
        async with self._turn:
            edits = edits_of(delta, self._layout, self.seq + 1, self._buckets)
            command = scripts.write(self._layout, (self._owner, self.seq), edits, delta.meta)
            try:
                await self._ask(
                    command, self.seq + 1, f"The checkpoint of partition {self._layout.partition}"
                )
            except BaseException:
                self._lost = self._lost or "a checkpoint was given up before its result was known"
                raise
            self.seq += 1
            self._buckets = edits.buckets
            return self.seq

    def intact(self) -> AbstractContextManager[None]:
        """For making something of what was read: what can't be made of it raises InputError, as damaged state."""
        return intact(self._layout, self._way.where)

    async def _bucket(self, bucket: Bucket) -> Arrivals:
        key = self._layout.ids(bucket)
        [seqs] = await self._query([key], [["HKEYS"]])
        with self.intact():
            fields = [seq.decode() for seq in sorted(seqs, key=int)]
        arrivals: Arrivals = []
        for start in range(0, len(fields), READ_ID_FIELDS):
            [blobs] = await self._query([key], [["HMGET", *fields[start : start + READ_ID_FIELDS]]])
            with self.intact():
                for blob in blobs:
                    arrivals += decode_arrivals(blob)
        return arrivals

    async def _query(self, keys: Sequence[str], queries: Sequence[Sequence[str]]) -> list[list[bytes]]:
        command = scripts.read(self._layout, (self._owner, self.seq), keys, queries, READ_VALUES)
        answer = await self._ask(command, self.seq, f"The read-back of partition {self._layout.partition}")
        return cast(list[list[bytes]], answer[2])

    async def _ask(self, command: scripts.Command, seq: int, what: str) -> list[object]:
        """The answer to a guarded command, which must begin with our owner and ``seq``."""
        if self._lost is not None:
            raise Superseded(self._lost)
        packed = pack(command)
        try:
            answer = await Patience(self._way.where, what, self._say).until_done(
                lambda: self._way.send(packed)
            )
        except Refused as refused:
            raise damaged(self._layout, self._way.where, str(refused)) from None
        owner, held, *_ = answer = cast(list[object], answer)
        if (owner, held) != (self._owner.encode(), str(seq).encode()):
            self._lost = self._why_lost(owner, held)
            raise Superseded(self._lost)
        return answer

    def _why_lost(self, owner: object, held: object) -> str:
        partition = f"partition {self._layout.partition}"
        if owner is None or not isinstance(held, bytes):
            return f"Redis at {self._way.where} has lost {partition}"
        if owner != self._owner.encode():
            return f"another owner has taken {partition}"
        return f"Redis at {self._way.where} holds checkpoint {held.decode()} of {partition}, not {self.seq}"


def rebuilding(layout: Layout) -> str:
    """The way out where no other is left, and what it takes."""
    return (
        f"Without one, delete all keys that begin with {layout.tag}: the state is rebuilt from the inputs, rightly "
        "if they hold everything since their beginning and nothing was migrated."
    )


def damaged(layout: Layout, where: str, detail: str) -> InputError:
    """The error of state that no waiting makes whole."""
    return InputError(
        f"The state of partition {layout.partition} in Redis at {where} is damaged ({detail}): stop the workers and "
        f"put back a backup of Redis. {rebuilding(layout)}"
    )


@contextmanager
def intact(layout: Layout, where: str) -> Iterator[None]:
    """Tell what can't be read as it was written: raises the error of damaged state."""
    try:
        yield
    except (ValueError, msgspec.DecodeError) as error:
        raise damaged(layout, where, str(error)) from error


def _counters(flat: Sequence[bytes]) -> dict[str, int]:
    return dict(zip(map(bytes.decode, flat[::2]), map(int, flat[1::2]), strict=True))
