"""A read_committed consumer of `bonuses` that notes when it holds each."""

import time
from threading import Event, Thread

from confluent_kafka import Consumer, TopicPartition

from benchmarks.command import CannotMeasure
from benchmarks.servers import Ground
from schemas import bonuses as wire
from stream import topics


class WrongBonuses(CannotMeasure):
    """The bonuses are not those of the records that reach a tier: the figures mean nothing."""


class Watch:
    """``held_s`` is when each bonus of ``program`` came (monotonic s), by the id of its evidence event."""

    def __init__(self, place: Ground, program: str) -> None:
        self.held_s: dict[str, float] = {}
        self._program = program
        self._twice: list[str] = []
        self._ended = Event()
        self._thread = Thread(target=self._read, name="bonuses")
        self._consumer = Consumer(
            {
                "bootstrap.servers": place.servers.kafka,
                "group.id": place.group + "-watch",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            }
        )
        ledger = place.prefix + topics.LEDGER
        self._consumer.assign([TopicPartition(ledger, number, 0) for number in range(place.partitions)])

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def wait_for(self, event_ids: set[str], within_s: float) -> None:
        """Return once exactly the bonuses of these events have come. Raises ``WrongBonuses``."""
        deadline_s = time.monotonic() + within_s
        while len(self.held_s) < len(event_ids) and time.monotonic() < deadline_s:
            self._thread.join(0.1)
        if self.held_s.keys() != event_ids or self._twice:
            came, others = len(self.held_s.keys() & event_ids), len(self.held_s.keys() - event_ids)
            raise WrongBonuses(
                f"{came} of {len(event_ids)} bonuses came, {others} that should not, {len(self._twice)} twice: "
                "these figures mean nothing."
            )

    def _read(self) -> None:
        while not self._ended.is_set():
            message = self._consumer.poll(0.1)
            now_s = time.monotonic()
            value = None if message is None or message.error() is not None else message.value()
            if value is None:
                continue
            bonus = wire.decode(value)
            if bonus.program != self._program:
                continue
            event_id = bonus.evidence.event_id
            if event_id in self.held_s:
                self._twice.append(event_id)
            self.held_s.setdefault(event_id, now_s)
