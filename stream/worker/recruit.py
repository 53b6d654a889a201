"""Before a worker joins its group: programmes, topics, Kafka and Redis are checked and connected."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from stream import topics
from stream.emit.outbox import Outbox
from stream.logs import logger
from stream.settings import Settings, in_ms
from stream.store.store import StateStore
from stream.transport.driver import Consumer
from stream.transport.identity import Logs
from stream.transport.log_ends import LogEnds
from stream.worker.belonging import refuse_foreign
from stream.worker.body import Body
from stream.worker.crew import Crew
from stream.worker.rules import Folder, Rules
from stream.worker.waiting import no_longer_than

log = logger(__name__)

_SENTENCE_S = 5.0
"""Whoever waits for the first connection knows best why there is none, and has so long to say it."""


async def recruit(settings: Settings, group: Consumer, crash: Callable[[BaseException], None]) -> Crew:
    """Everything that partitions share, connected. Raises ``InputError`` or ``Unreachable``."""
    within_s, options = in_ms(settings.connect_timeout) / 1000, settings.kafka_options()
    folder = Folder.read(settings.programs)  # mistakes are told before anything is waited for
    kafka = f"Kafka at {settings.kafka}"
    async with no_longer_than(within_s + _SENTENCE_S, f"{kafka}: topics, and the right to join the group"):
        partitions = await topics.verify(
            options,
            prefix=settings.topic_prefix,
            allow_create_time=settings.allow_create_time,
            group=settings.group,
            within_s=within_s,
            say=lambda sentence: log.warning("topics", reason=sentence),
        )
    async with AsyncExitStack() as opened:
        store = await StateStore.connect(settings.redis, settings.app, timeout_s=within_s, say=_say)
        opened.push_async_callback(store.close)
        async with no_longer_than(
            within_s, f"{kafka}: {settings.topic(topics.RULES)}, and transactions there"
        ):
            rules = await Rules.open(settings, folder)
            opened.push_async_callback(rules.close)
        async with no_longer_than(within_s, f"{kafka}: connections"):
            log_ends = await LogEnds.open(options, settings.group)
            opened.push_async_callback(log_ends.close)
            logs = await Logs.open(options, [settings.topic(topic) for topic in topics.PARTITIONED])
            opened.push_async_callback(logs.close)
            outbox = await Outbox.open(options, settings.topic_prefix)
            opened.push_async_callback(outbox.close)
        await _refuse_foreign_state(store, logs.identity.cluster, partitions)
        crew = Crew(
            settings=settings,
            options=options,
            rules=rules,
            limits=settings.limits(),
            partitions=partitions,
            logs=logs,
            store=store,
            outbox=outbox,
            log_ends=log_ends,
            group=group,
            crash=crash,
            opened=opened.pop_all(),
        )
    log.info(
        "worker ready", group=settings.group, partitions=partitions, programs=len(rules.edition.programs)
    )
    return crew


async def _refuse_foreign_state(store: StateStore, cluster: str, partitions: int) -> None:
    """Of all partitions, and before any is served: one without a checkpoint may be without because it is new."""
    for number in range(partitions):
        held = await store.look(number)
        if held is not None and held.meta is not None:
            refuse_foreign(Body.decode(held.meta), cluster, partitions, number)


def _say(sentence: str) -> None:
    log.warning("redis", reason=sentence)
