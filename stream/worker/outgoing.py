"""What a partition hands over to Kafka, until it is acknowledged: its bonuses, and the records that it turns away.

Bonuses go in transactions, everything handed over since the last one in the next, at once and back to back;
turned-away records go beside them, some at a time. What a checkpoint covers must be acknowledged before: it marks
what was handed over when it was cut, and waits for that.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.rejections import Origin
from stream import metrics
from stream.core.outcome import Bonus, Rejection
from stream.emit.ledger import Ledger
from stream.emit.outbox import Outbox, Record, TurnedAway
from stream.transport.identity import Logs

TRANSACTION_BONUSES = 5_000
"""The most bonuses in one transaction; many more would run into its time-out."""

RELAYED_AT_ONCE = 1_000
"""The most turned-away records that are sent before their acknowledgements are waited for."""

MOST_UNSENT, MOST_UNSENT_BYTES = 20_000, 16 * 1024 * 1024
"""Applying pauses while so many bonuses or turned-away records wait for Kafka, or so much of the latter."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mark:
    """All that had been handed over at a moment: so many bonuses, and so many records beside."""

    bonuses: int
    turned_away: int


class _Queue(Generic[T]):
    """What was handed over and has not been sent; ``added`` counts all that ever was."""

    def __init__(self) -> None:
        self.added = 0
        self._waiting: deque[T] = deque()
        self._finishing = False
        self._news = asyncio.Event()  # something came, or nothing more will

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, items: Sequence[T]) -> None:
        """Hand over these."""
        self._waiting.extend(items)
        self.added += len(items)
        self._news.set()

    def finish(self) -> None:
        """Nothing more is handed over."""
        self._finishing = True
        self._news.set()

    async def take(self, most: int) -> list[T]:
        """The next ones, up to so many, once there are any; none once there will be none."""
        while not self._waiting and not self._finishing:
            self._news.clear()
            await self._news.wait()
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]

    def clear(self) -> None:
        """Let go of what waits."""
        self._waiting.clear()


class Outgoing:
    """Bonuses and turned-away records of one take. ``progress`` is notified whenever some are acknowledged."""

    def __init__(self, ledger: Ledger, outbox: Outbox, logs: Logs, progress: asyncio.Condition) -> None:
        self._ledger, self._outbox, self._logs, self._progress = ledger, outbox, logs, progress
        self._bonuses = _Queue[tuple[Bonus, int]]()  # with its evidence record's timestamp
        self._rejections = _Queue[TurnedAway]()
        self._unrelayed_bytes = 0
        self._begun = self._committed = self._relayed = 0
        self._places: deque[tuple[int, int]] = deque([(0, ledger.place)])

    def pay(self, bonuses: Sequence[tuple[Bonus, int]]) -> None:
        """Hand over bonuses, each with the Kafka timestamp (ms) of its evidence record."""
        self._bonuses.add(bonuses)

    def turn_away(self, record: Record, origin: Origin, rejection: Rejection) -> None:
        """Hand over a record that can't be counted."""
        self._rejections.add([TurnedAway(record, origin, rejection)])
        self._unrelayed_bytes += _size_of(record)

    def finish(self) -> None:
        """Nothing more is handed over."""
        self._bonuses.finish()
        self._rejections.finish()

    def is_full(self) -> bool:
        """Whether so much waits for Kafka that nothing more should be handed over."""
        return (
            max(len(self._bonuses), self._rejections.added - self._relayed) >= MOST_UNSENT
            or self._unrelayed_bytes >= MOST_UNSENT_BYTES
        )

    async def emit_all(self) -> None:
        """Commit bonuses as they come, until ``finish``; raises ``LedgerLost``."""
        while group := await self._bonuses.take(TRANSACTION_BONUSES):
            await self._commit(group)

    async def relay_all(self) -> None:
        """Relay turned-away records as they come, until ``finish``; raises ``OutboxLost``."""
        while group := await self._rejections.take(RELAYED_AT_ONCE):
            await self._relay(group)

    async def _relay(self, group: Sequence[TurnedAway]) -> None:
        if any(each.rejection.code == "wrong_partition" for each in group):
            # It may be the right one of more partitions, of which we have not heard yet.
            await self._logs.confirm()
        await self._outbox.relay(group)
        async with self._progress:
            self._relayed += len(group)
            self._unrelayed_bytes -= sum([_size_of(each.record) for each in group])
            self._progress.notify_all()

    async def _commit(self, group: Sequence[tuple[Bonus, int]]) -> None:
        self._begun += len(group)
        try:
            await self._ledger.commit([bonus for bonus, _ in group])
        except BaseException:
            metrics.count_transaction(committed=False)
            raise
        metrics.count_transaction(committed=True)
        metrics.count_bonuses(Counter((bonus.program, bonus.tier) for bonus, _ in group))
        now_ms = time.time() * 1000
        for _, timestamp_ms in group:
            if timestamp_ms >= 0:  # a record may have none
                metrics.observe_bonus_delay((now_ms - timestamp_ms) / 1000)
        async with self._progress:
            self._committed += len(group)
            self._places.append((self._committed, self._ledger.place))
            self._progress.notify_all()

    # What checkpoints ask

    def mark(self) -> Mark:
        """All that has been handed over by now."""
        return Mark(self._bonuses.added, self._rejections.added)

    async def acknowledged(self, mark: Mark) -> None:
        """Return once Kafka has all of ``mark``."""
        await self._committed_up_to(mark.bonuses)
        await self._relayed_up_to(mark.turned_away)

    async def end_of_transaction(self) -> None:
        """Return once the transaction that is under way, if one is, has been committed."""
        await self._committed_up_to(self._begun)

    async def _committed_up_to(self, bonuses: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: self._committed >= bonuses)

    async def _relayed_up_to(self, records: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: self._relayed >= records)

    def place_of(self, mark: Mark) -> int:
        """A place in `bonuses` before which lie none but the bonuses of ``mark``, which are committed.

        Later ones may be committed by now. Their latches are not in the cut, so the scan after a crash must find
        them: the place stays before the first transaction that holds one.
        """
        while len(self._places) > 1 and self._places[1][0] <= mark.bonuses:
            self._places.popleft()
        return self._places[0][1]

    def end_of(self, mark: Mark) -> int:
        """A place in `bonuses` before which lie all bonuses of ``mark``, which are committed."""
        return next(place for committed, place in self._places if committed >= mark.bonuses)

    async def close(self) -> None:
        """Let go of everything that is still under way."""
        self._bonuses.clear()
        self._rejections.clear()
        await self._ledger.close()


def _size_of(record: Record) -> int:
    headers = sum([len(name) + len(value or b"") for name, value in record.headers])
    return len(record.key or b"") + len(record.value or b"") + headers
