"""Before a worker joins its group: programmes, topics, Kafka and Redis are checked and connected."""

from collections.abc import Callable

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

log = logger(__name__)


async def recruit(settings: Settings, group: Consumer, crash: Callable[[BaseException], None]) -> Crew:
    """Everything that partitions share, connected. Raises ``InputError`` or ``Unreachable``."""
    within_s = in_ms(settings.connect_timeout) / 1000
    folder = Folder.read(settings.programs)  # mistakes are told before anything is waited for
    partitions = await topics.verify(
        settings.kafka_options(),
        prefix=settings.topic_prefix,
        allow_create_time=settings.allow_create_time,
        group=settings.group,
        within_s=within_s,
    )
    store = await StateStore.connect(settings.redis, settings.app, timeout_s=within_s, say=_say)
    rules = await Rules.open(settings, folder)
    log_ends = await LogEnds.open(settings.kafka_options(), settings.group)
    logs = await Logs.open(settings.kafka_options(), [settings.topic(topic) for topic in topics.PARTITIONED])
    await _refuse_foreign_state(store, logs.identity.cluster, partitions)
    crew = Crew(
        settings=settings,
        options=settings.kafka_options(),
        rules=rules,
        limits=settings.limits(),
        partitions=partitions,
        logs=logs,
        store=store,
        outbox=await Outbox.open(settings.kafka_options(), settings.topic_prefix),
        log_ends=log_ends,
        group=group,
        crash=crash,
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
