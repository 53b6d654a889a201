"""What the partitions of a worker share: connections, names, rules."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from stream.core.rules import TOPICS, Limits, Topic
from stream.emit.outbox import Outbox
from stream.settings import Settings
from stream.store.store import StateStore
from stream.topics import LEDGER
from stream.transport.driver import Consumer
from stream.transport.identity import Logs
from stream.transport.kafka import TopicPartition
from stream.transport.log_ends import LogEnds
from stream.worker.rules import Rules


@dataclass(frozen=True, slots=True)
class Crew:
    """The shared means of a worker; each partition's life uses them and owns none of them."""

    settings: Settings
    options: Mapping[str, object] = field(repr=False)  # the password is in it
    rules: Rules
    limits: Limits
    partitions: int
    logs: Logs
    store: StateStore
    outbox: Outbox
    log_ends: LogEnds
    group: Consumer
    crash: Callable[[BaseException], None]
    opened: AsyncExitStack = field(repr=False)  # closes them all
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A partition has it while it applies chunks, and until small tasks of all have got on (``service.TURNS``)."""

    def inputs(self, partition: int) -> dict[Topic, TopicPartition]:
        """The four input topic-partitions of ``partition``."""
        return {topic: TopicPartition(self.settings.topic(topic), partition) for topic in TOPICS}

    def ledger(self, partition: int) -> TopicPartition:
        """Where the bonuses of ``partition`` go."""
        return TopicPartition(self.settings.topic(LEDGER), partition)

    def topic_ids(self) -> dict[str, str]:
        """The ids of the four inputs and of `bonuses`, by their names without prefix; without those not known."""
        marks = self.logs.identity.topics
        found = {name: marks[self.settings.topic(name)].id for name in (*TOPICS, LEDGER)}
        return {name: topic_id for name, topic_id in found.items() if topic_id}

    async def dismiss(self) -> None:
        """Close every connection."""
        await self.opened.aclose()
