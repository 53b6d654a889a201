"""Which rules count: the edition in force for the group, and what a partition makes of it.

The topic `programs` is what workers follow; the folder is only a source for it. So workers whose folders differ for a
while judge alike. A folder is published when it changes while a worker runs, and at a start if its content was never
in force before; a folder that equals a former edition is out of date, and left alone with a warning.

A partition goes over to a new edition between two chunks, by a checkpoint that names it: wherever the partition is
replayed, it goes over at the same place of its logs.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from stream import metrics
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits, Topic, Version
from stream.core.starts import ANY_OTHER, begun, shortened
from stream.errors import InputError, Unreachable
from stream.logs import logger
from stream.programs import changed, compile_documents, load
from stream.rulebook.edition import Edition
from stream.rulebook.follow import Follower
from stream.rulebook.publish import publish
from stream.settings import Settings
from stream.transport.kafka import KafkaTrouble
from stream.worker.waiting import told

log = logger(__name__)

LOOK_EVERY_S = 1.0
"""How often the folder is looked at. A change counts once it has stayed the same for as long."""

NOTHING_MS = -2
"""Before every start: nothing was read yet."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules of a partition: edition, documents, versions that were loaded late, and the limits.

    ``since`` are the offsets from which on they count, empty where that is from the first record on. ``late`` maps
    "program/version" to the edition that brought it, ``shortened`` to the edition that ended it (``core/starts``).
    """

    edition: int
    since: Mapping[Topic, int]
    documents: tuple[str, ...]
    late: Mapping[str, int]
    shortened: Mapping[str, int]
    limits: Limits
    plan: Plan = field(compare=False, repr=False)


def in_force(
    edition: int,
    since: Mapping[Topic, int],
    documents: tuple[str, ...],
    late: Mapping[str, int],
    limits: Limits,
    shortened: Mapping[str, int] | None = None,
) -> InForce:
    """The rules that a checkpoint names."""
    ended = shortened or {}
    plan = _plan(documents, tuple(sorted(late.items())), tuple(sorted(ended.items())))
    return InForce(edition, since, documents, late, ended, limits, plan)


def adopt(before: InForce, edition: Edition, partition: Partition) -> InForce:
    """What follows ``before`` at the place that ``partition`` has come to in its logs."""
    reached_ms = partition.furthest()
    late, ended = (
        {name: since for name, since in each.items() if name.split("/")[0] in edition.programs}
        for each in (before.late, before.shortened)
    )
    programs = compile_documents(edition.documents)
    counted_ms = reached_ms + before.limits.allowed_skew_ms if reached_ms >= 0 else NOTHING_MS
    begun_by_now = [
        (program.name, version)
        for program in programs
        for version in begun(program, before.plan.versions(program.name), counted_ms)
    ]
    # Where the topic `programs` is another than before, its numbers may have been those of others.
    known = [*before.late.values(), *before.shortened.values()]
    number = max(edition.number, *(each + 1 for each in known), 0)
    late |= {f"{name}/{version.number}": number for name, version in begun_by_now}
    ended_by_now = [
        (program.name, version.number)
        for program in programs
        for version in shortened(program, before.plan.versions(program.name), counted_ms)
    ]
    ended |= {f"{name}/{version}": number for name, version in ended_by_now}
    since = dict(partition.positions)
    rules = in_force(edition.number, since, edition.documents, late, before.limits, ended)
    for name, version in begun_by_now:
        doubt = _why_late(version, reached_ms, counted_ms)
        if doubt or _counts_anew(rules.plan, before.plan, name, version, counted_ms):
            log.warning(
                doubt or "version names counts that were not kept until now: they begin here",
                partition=partition.number,
                program=name,
                version=version.number,
            )
    for name, version_number in ended_by_now:
        log.warning(
            "lifetime ended before what was read: what it counted may lie beyond the end, so it counts from here on",
            partition=partition.number,
            program=name,
            version=version_number,
        )
    return rules


def _why_late(version: Version, reached_ms: int, counted_ms: int) -> str | None:
    starts = (version.from_ms, version.from_ms if version.count_from_ms is None else version.count_from_ms)
    first_ms = min(-1 if start is None else start for start in starts)
    if first_ms < reached_ms:
        return "version loaded after its start: what it brings counts from here on"
    if first_ms <= counted_ms:
        return (
            "version loaded just before its start: of events that ran ahead of the clock, those that were read "
            "already don't count"
        )
    return None


def _counts_anew(after: Plan, before: Plan, program: str, version: Version, counted_ms: int) -> bool:
    """Whether a version reads counters that should have begun, and that nobody kept until now."""
    named = (region for each in after.programs for other in each.versions for region in other.regions or ())
    return any(
        counter.start_ms <= counted_ms and counter.name not in before.region(region).counters
        for region in version.regions or {ANY_OTHER, *named}
        for counter in after.region(region).counters.values()
        if any(
            (judge.program.name, judge.version.number) == (program, version.number)
            for judge in counter.judges
        )
    )


@lru_cache(maxsize=16)
def _plan(
    documents: tuple[str, ...], late: tuple[tuple[str, int], ...], ended: tuple[tuple[str, int], ...]
) -> Plan:
    """Partitions of one worker mostly have the same rules: they share the plan."""
    loaded, shortened = (
        {(name.split("/")[0], int(name.split("/")[1])): edition for name, edition in each}
        for each in (late, ended)
    )
    return Plan(compile_documents(documents), loaded, shortened)


def lawful(edition: Edition, documents: tuple[str, ...]) -> tuple[str, ...]:
    """``documents``, if they may be put in force in place of ``edition``; raises ``InputError`` where they change
    what is loaded."""
    illegal = changed(edition.documents, documents)
    if illegal:
        raise InputError("\n".join(illegal))
    return documents


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of programmes as it was looked at: its documents, and what changes when a file of it does."""

    signature: object
    documents: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> "Folder":
        """Look at it; raises ``InputError`` where its programmes are wrong."""
        return cls(_signature(folder), _load(folder))


class Rules:
    """The group's rules: follows `programs`, and publishes what the folder says."""

    def __init__(self, settings: Settings, follower: Follower, folder: Folder) -> None:
        self._settings = settings
        self._follower = follower
        self._seen, self._documents = folder.signature, folder.documents

    @classmethod
    async def open(cls, settings: Settings, folder: Folder) -> "Rules":
        """Read what is in force, and publish the folder if it is new.

        Raises ``InputError`` where the folder changes what is unchangeable.
        """
        follower = await Follower.open(settings.consumer_options(), settings.topic("programs"))
        rules = cls(settings, follower, folder)
        try:
            await rules._publish_if_new()
        except BaseException:
            await follower.close()
            raise
        metrics.set_edition(rules.edition.number)
        return rules

    @property
    def edition(self) -> Edition:
        """What is in force for the group, as far as it was read."""
        return self._follower.edition

    async def catch_up(self) -> Edition:
        """What is in force at the end of the log as it is now; raises ``KafkaTrouble``."""
        try:
            return await self._follower.catch_up()
        except Unreachable as error:
            raise KafkaTrouble(str(error)) from error

    async def follow(self, on_change: Callable[[], None]) -> None:
        """Follow the topic for ever."""

        def tell() -> None:
            metrics.set_edition(self.edition.number)
            on_change()

        await self._follower.follow(tell, lambda sentence: log.warning("rules", reason=sentence))

    async def watch_folder(self) -> None:
        """Publish the folder whenever it has changed; one that is wrong changes nothing, and is said."""
        before = self._seen
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = _signature(self._settings.programs)
            if now == before and now != self._seen and await self._take_folder():
                self._seen = now
            before = now

    async def close(self) -> None:
        """Let go of the connection."""
        await self._follower.close()

    async def _publish_if_new(self) -> None:
        documents = self._documents

        def decide(edition: Edition) -> tuple[str, ...]:
            if not edition.was_replaced(documents):
                return lawful(edition, documents)
            log.warning(
                "the folder holds programmes that were replaced since; those in force stay. To go back to them: "
                "bonus programs apply",
                folder=str(self._settings.programs),
            )
            return edition.documents

        if decide(self.edition) != self.edition.documents:
            await self._publish(decide)

    async def _take_folder(self) -> bool:
        """Publish what the folder says now, if it says anything new; False where that must be tried again."""
        folder = self._settings.programs
        try:
            documents = _load(folder)
            if documents != self._documents:
                topic = self._follower.log.topic
                async with told(
                    f"publishing the folder waits for Kafka, or for a transaction on {topic} to end"
                ):
                    await self._publish(lambda edition: lawful(edition, documents))
        except Unreachable as error:
            log.warning("programmes not published yet", folder=str(folder), reason=str(error))
            return False
        except InputError as error:
            metrics.set_programs_refused(True)
            _refuse(folder, str(error))
            return True
        metrics.set_programs_refused(False)
        self._documents = documents
        return True

    async def _publish(self, decide: Callable[[Edition], tuple[str, ...]]) -> None:
        settings = self._settings
        found = await publish(settings.kafka_options(), settings.app, self._follower, decide)
        if found:
            log.info(
                "programmes published",
                edition=self.edition.number,
                programs=list(found.published),
                ended=list(found.ended),
            )


def _refuse(folder: Path, reason: str) -> None:
    log.error("programmes refused; those in force stay", folder=str(folder), reason=reason)


def _load(folder: Path) -> tuple[str, ...]:
    loaded = load(folder)
    for warning in loaded.warnings:
        log.warning("programmes", reason=str(warning))
    return loaded.documents


def _signature(folder: Path) -> object:
    """What changes when a file of the folder does."""
    try:
        found = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError as error:
        return str(error)
    return sorted((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in found)
