"""The topics of a deployment: made with safe settings, compared where they exist, checked at a start.

`create` is what ``bonus topics create`` does, `verify` what a worker asks before it reads a record, `reach` waits for
Kafka and asks nothing. All take the keyword arguments of aiokafka's clients: brokers, TLS and SASL.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from stream import access
from stream.core.rules import TOPICS as INPUTS
from stream.errors import BonusError, InputError, Unreachable

LEDGER = "bonuses"
RELAYS = ("rejected", "late")
PARTITIONED = (*INPUTS, LEDGER, *RELAYS)
"""The seven that have partition p each, all of the same number."""

RULES = "programs"
"""The programmes in force: one partition, compacted."""

TOPICS = (*PARTITIONED, RULES)
DEFAULT_PARTITIONS = 8

REQUEST_TIMEOUT_S = 10
RECONNECT_S = 1
SETTLE_S = 0.05

# A relayed record is a producer's record and our headers. The base is the most that hosted clusters allow.
RELAY_BYTES = 8 * 1024 * 1024  # and of a programme with all its versions
HEADERS_BYTES = 64 * 1024

_RETENTION, _FOR_EVER = "retention.ms", "-1"
_AT_LEAST = {"max.message.bytes", "min.insync.replicas", _RETENTION}
_WHY = {
    "cleanup.policy": "compaction would take records away that still count",
    "max.message.bytes": "bigger records would arrive there cut, or not at all",
    "message.timestamp.type": "lateness is judged by arrival, not by producers' clocks",
    "min.insync.replicas": "the loss of one broker could lose acknowledged records",
    "retention.bytes": "it is the ledger of what was paid",
    "retention.ms": "it is the ledger of what was paid",
}


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How a topic should be made. ``name`` includes the prefix; ``configs`` has Kafka's own names."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicState:
    """How a topic is; ``configs`` holds every setting in effect, and is empty where it wasn't asked for."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What `create` did or found about one topic, in a sentence."""

    topic: str
    kind: Literal["created", "fine", "differs", "partitions differ"]
    sentence: str


def planned(
    prefix: str,
    partitions: int,
    replication: int,
    *,
    input_bytes: int = 0,
    retention_ms: int | None = None,
) -> tuple[TopicPlan, ...]:
    """The topics as they should be.

    Inputs get the broker's clock, so that all topics of a partition keep in step; `bonuses` is kept for ever,
    for it is the ledger; `rejected` and `late` take whatever the inputs can carry, ``input_bytes`` being the
    largest record that an existing input accepts. `programs` is small, and its order is the order of editions.
    ``retention_ms`` is how long inputs, `rejected` and `late` keep records; None leaves it to the brokers.
    """
    relay_bytes = max(RELAY_BYTES, input_bytes + HEADERS_BYTES)
    special: dict[str, dict[str, str]] = {
        topic: {"message.timestamp.type": "LogAppendTime"} for topic in INPUTS
    }
    special[LEDGER] = {_RETENTION: _FOR_EVER, "retention.bytes": _FOR_EVER}
    special |= {topic: {"max.message.bytes": str(relay_bytes)} for topic in RELAYS}
    if retention_ms is not None:
        for topic in (*INPUTS, *RELAYS):
            special[topic][_RETENTION] = str(retention_ms)
    special[RULES] = {"cleanup.policy": "compact", "max.message.bytes": str(RELAY_BYTES)}
    everywhere = {"cleanup.policy": "delete"}
    if replication >= 3:
        everywhere["min.insync.replicas"] = "2"
    return tuple(
        TopicPlan(
            prefix + topic, 1 if topic == RULES else partitions, replication, everywhere | special[topic]
        )
        for topic in TOPICS
    )


def differences(plan: TopicPlan, state: TopicState) -> list[Finding]:
    """What about an existing topic is not as planned, a sentence each; `fine` alone where nothing is."""
    found: list[Finding] = []
    is_rules = plan.configs["cleanup.policy"] == "compact"
    if state.partitions != plan.partitions and is_rules:
        sentence = (
            f"{plan.name} has {state.partitions} partitions where one is enough: only the first is used."
        )
        found.append(Finding(plan.name, "differs", sentence))
    elif state.partitions != plan.partitions:
        sentence = (
            f"{plan.name} has {state.partitions} partitions where {plan.partitions} were asked for: "
            f"ask for {state.partitions}; to change the number for all topics see `bonus migrate`."
        )
        found.append(Finding(plan.name, "partitions differ", sentence))
    if state.replication < plan.replication:
        sentence = f"{plan.name} has replication {state.replication} where {plan.replication} was asked for."
        found.append(Finding(plan.name, "differs", sentence))
    for key, wanted in plan.configs.items():
        actual = state.configs.get(key)
        if actual is None or actual == wanted or (key in _AT_LEAST and _amount(actual) >= _amount(wanted)):
            continue
        why = "programmes in force would expire" if is_rules and key == "cleanup.policy" else _WHY[key]
        by_wish = key == _RETENTION and wanted != _FOR_EVER
        reason = "was asked for" if by_wish else f"is safe: {why}"
        found.append(
            Finding(plan.name, "differs", f"{plan.name} has {key}={actual} where {wanted} {reason}.")
        )
    count = f"{state.partitions} partitions, replication {state.replication}"
    return found or [Finding(plan.name, "fine", f"{plan.name} exists with {count}.")]


def _amount(setting: str) -> float:
    return math.inf if setting == _FOR_EVER else int(setting)


async def create(
    options: Mapping[str, object],
    *,
    prefix: str = "",
    partitions: int | None = None,
    replication: int | None = None,
    retention_ms: int | None = None,
    within_s: float = 60,
) -> list[Finding]:
    """Makes the topics that are missing and says what differs about those that exist, which it leaves alone.

    ``partitions`` defaults to as many as the existing ones have, ``DEFAULT_PARTITIONS`` where there are none;
    ``replication`` to 3, or to the number of brokers where there are fewer, ``retention_ms`` of what is no ledger to
    theirs. Returns when every topic has leaders, with at least one finding a topic, in the order of `TOPICS`. Only
    ``partitions differ`` is a reason to fail.

    Raises:
        InputError: Kafka refused a topic: a bad name, too few brokers for the replication, no permission.
        Unreachable: Kafka did not answer within ``within_s`` seconds.
    """
    names = [prefix + topic for topic in TOPICS]
    async with _connected(options, within_s) as admin:
        present = await _described(admin, names)
        if replication is None:
            replication = min(3, len((await admin.describe_cluster())["brokers"]))
        if partitions is None:
            partitions = _common_partitions(prefix, present)
        plans = planned(
            prefix,
            partitions,
            replication,
            input_bytes=_largest_input(prefix, present),
            retention_ms=retention_ms,
        )
        created = await _make(admin, [plan for plan in plans if plan.name not in present])
        states = await _settled(admin, names, within_s)
    findings: list[Finding] = []
    for plan in plans:
        if plan.name in created:
            made = f"{plan.name} created with {plan.partitions} partitions, replication {replication}."
            findings.append(Finding(plan.name, "created", made))
        else:
            findings += differences(plan, states[plan.name])
    return findings


async def verify(
    options: Mapping[str, object],
    *,
    prefix: str = "",
    allow_create_time: bool = False,
    group: str | None = None,
    within_s: float = 60,
    say: Callable[[str], None] = lambda sentence: None,
) -> int:
    """Checks that a worker may run on the topics; returns their number of partitions, the same for all.

    Where a ``group`` is named, also that this user may join it. ``say`` is told, in sentences, by which settings
    `bonuses` loses what was paid. With ``allow_create_time`` the topics' settings are
    not asked for at all, so that a cluster which can't tell them serves as well.

    Raises:
        InputError: a topic is missing, partition counts differ, an input takes producers' timestamps, or the
            user has no right on them, or on the group.
        Unreachable: Kafka did not answer within ``within_s`` seconds.
    """
    names = [prefix + topic for topic in TOPICS]
    async with _connected(options, within_s) as admin:
        if group is not None:
            await access.check_group(admin, group, within_s)
        states = await _described(admin, names, with_configs=not allow_create_time)
        if set(states) == {prefix + topic for topic in PARTITIONED}:
            # A deployment from before there was this topic, or topics made by hand: it concerns nobody but us.
            inputs = states[names[0]]
            plans = planned(prefix, inputs.partitions, inputs.replication)
            await _make(admin, [plan for plan in plans if plan.name == prefix + RULES])
            states = await _settled(admin, names, within_s, with_configs=not allow_create_time)
    missing = [name for name in names if name not in states]
    if missing:
        raise InputError(
            f"These topics don't exist at {access.address_in(options)}: {', '.join(missing)}. Make them with "
            "`bonus topics create`, with the same topic prefix; if they do exist, this user has no right on them."
        )
    names = names[: len(PARTITIONED)]
    if len({states[name].partitions for name in names}) != 1:
        counts = ", ".join(f"{name} {states[name].partitions}" for name in names)
        raise InputError(
            f"Partition counts differ ({counts}), but a creator must have the same partition in all topics: raise "
            "all to one number and carry the state over with `bonus migrate`, or make topics anew that hold nothing."
        )
    _refuse_create_time({name: states[name] for name in names[: len(INPUTS)]})
    for sentence in _forgets(states[prefix + LEDGER], prefix + LEDGER):
        say(sentence)
    return states[names[0]].partitions


async def reach(options: Mapping[str, object], *, within_s: float = 60) -> None:
    """Returns once Kafka answers.

    Raises:
        InputError: Kafka does not let us in.
        Unreachable: Kafka did not answer within ``within_s`` seconds.
    """
    async with _connected(options, within_s):
        pass


def _common_partitions(prefix: str, present: Mapping[str, TopicState]) -> int:
    """How many partitions most of the existing topics have that must all have the same number."""
    counts = [
        present[name].partitions for name in (prefix + topic for topic in PARTITIONED) if name in present
    ]
    return max(counts, key=counts.count, default=DEFAULT_PARTITIONS)


def _forgets(ledger: TopicState, name: str) -> list[str]:
    plan = next(plan for plan in planned("", 1, 1) if plan.name == LEDGER)
    wanted = {key: plan.configs[key] for key in ("cleanup.policy", _RETENTION, "retention.bytes")}
    return [
        f"{name} has {key}={actual}, but must keep what was paid for ever: set {safe}."
        for key, safe in wanted.items()
        if (actual := ledger.configs.get(key, safe)) != safe
    ]


def _refuse_create_time(inputs: Mapping[str, TopicState]) -> None:
    # A state without settings is one of a caller who allows either.
    by_producer = [
        name
        for name, state in inputs.items()
        if state.configs.get("message.timestamp.type", "LogAppendTime") != "LogAppendTime"
    ]
    if by_producer:
        raise InputError(
            f"These topics carry producers' timestamps: {', '.join(by_producer)}. Set their "
            "message.timestamp.type to LogAppendTime, or start with --allow-create-time "
            "if the producers' clocks can be trusted."
        )


@asynccontextmanager
async def _connected(options: Mapping[str, object], within_s: float) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client; tries again until ``within_s`` is over, and speaks our errors."""
    timeout_ms = int(min(REQUEST_TIMEOUT_S, within_s) * 1000)
    admin = AIOKafkaAdminClient(**{"request_timeout_ms": timeout_ms} | dict(options))
    try:
        await access.connect(admin.start, options, within_s=within_s, every_s=RECONNECT_S)
        yield admin
    except BonusError:
        raise
    except (KafkaConnectionError, TimeoutError) as error:
        raise access.unreached(options, within_s) from error
    except KafkaError as error:
        kind = Unreachable if error.retriable else InputError
        raise kind(f"Kafka at {access.address_in(options)} refused: {error}.") from error
    finally:
        await admin.close()


async def _described(
    admin: AIOKafkaAdminClient, names: Iterable[str], *, with_configs: bool = True
) -> dict[str, TopicState]:
    """The named topics that exist. Asks for all topics of the cluster: naming one may make it."""
    wanted = set(names)
    topics = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    found = sorted(wanted & topics.keys())
    configs = await _settings(admin, found) if with_configs and found else {}
    return {
        name: TopicState(
            partitions=len(topics[name]),
            replication=min((len(partition["replicas"]) for partition in topics[name]), default=0),
            configs=configs.get(name, {}),
        )
        for name in found
    }


async def _settings(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Every setting in effect of these topics, which exist: a broker may hear of new ones later than another."""
    deadline, configs = time.monotonic() + REQUEST_TIMEOUT_S, dict[str, dict[str, str]]()
    while missing := [name for name in names if name not in configs]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in missing]
        for response in await admin.describe_configs(resources):
            for code, message, _, name, entries in response.resources:
                if code == UnknownTopicOrPartitionError.errno and time.monotonic() < deadline:
                    await asyncio.sleep(SETTLE_S)
                elif code == TopicAuthorizationFailedError.errno:
                    raise access.lacking("DescribeConfigs", "topic", name)
                elif code:
                    raise InputError(
                        f"Kafka does not show the settings of {name}: "
                        f"{(message or for_code(code).__name__).rstrip('.')}."
                    )
                else:
                    configs[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return configs


def _largest_input(prefix: str, present: Mapping[str, TopicState]) -> int:
    inputs = (present[prefix + topic] for topic in INPUTS if prefix + topic in present)
    return max((int(state.configs.get("max.message.bytes", 0)) for state in inputs), default=0)


async def _make(admin: AIOKafkaAdminClient, plans: Iterable[TopicPlan]) -> set[str]:
    """Makes the topics; returns those that are ours, not those that another was quicker to make."""
    topics = [
        NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=dict(plan.configs))
        for plan in plans
    ]
    if not topics:
        return set()
    created: set[str] = set()
    for name, code, message in (await admin.create_topics(topics)).topic_errors:
        if code == 0:
            created.add(name)
        elif code == TopicAuthorizationFailedError.errno:
            raise access.lacking("Create", "topic", name)
        elif code != TopicAlreadyExistsError.errno:
            reason = (message or for_code(code).__name__).rstrip(".")
            raise InputError(f"Kafka refused to make {name}: {reason}.")
    return created


async def _settled(
    admin: AIOKafkaAdminClient, names: list[str], within_s: float, *, with_configs: bool = True
) -> dict[str, TopicState]:
    """All the topics, once the brokers tell of them and every partition has a leader."""
    deadline = time.monotonic() + within_s
    while True:
        topics = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        partitions = [topics.get(name, []) for name in names]
        if all(each and all(partition["leader"] >= 0 for partition in each) for each in partitions):
            return await _described(admin, names, with_configs=with_configs)
        if time.monotonic() > deadline:
            raise Unreachable(f"Kafka's new topics have no leaders after {within_s:g} s.")
        await asyncio.sleep(SETTLE_S)
