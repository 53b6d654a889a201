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
from stream.core.plan import Plan
from stream.core.rules import Limits, Version
from stream.core.starts import Late
from stream.errors import BonusError, InputError
from stream.logs import logger
from stream.programs import changed, compile_documents, load
from stream.rulebook.edition import Edition, digest
from stream.rulebook.follow import Follower
from stream.rulebook.publish import publish
from stream.settings import Settings

log = logger(__name__)

LOOK_EVERY_S = 1.0
"""How often the folder is looked at. A change counts once it has stayed the same for as long."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules of a partition: edition, documents, versions that were loaded late, and the limits.

    ``late`` maps "program/version" to the edition that brought it.
    """

    edition: int
    documents: tuple[str, ...]
    late: Mapping[str, int]
    limits: Limits
    plan: Plan = field(compare=False, repr=False)


def in_force(edition: int, documents: tuple[str, ...], late: Mapping[str, int], limits: Limits) -> InForce:
    """The rules that a checkpoint names."""
    return InForce(edition, documents, late, limits, _plan(documents, tuple(sorted(late.items()))))


def adopt(before: InForce, edition: Edition, reached_ms: int, partition: int) -> InForce:
    """What follows ``before`` in a partition whose logs have reached ``reached_ms`` of arrival."""
    known = set(before.documents)
    late = {name: since for name, since in before.late.items() if name.split("/")[0] in edition.programs}
    for program in compile_documents(edition.documents):
        before_it = before.plan.version_numbers(program.name)
        for version in program.versions:
            if version.number in before_it or reached_ms < 0 or not _has_begun(version, reached_ms):
                continue
            late[f"{program.name}/{version.number}"] = edition.number
            log.warning(
                "version loaded after its start: what it brings counts from here on",
                partition=partition,
                program=program.name,
                version=version.number,
            )
    log.info(
        "programmes adopted", partition=partition, edition=edition.number, new=known != set(edition.documents)
    )
    return in_force(edition.number, edition.documents, late, before.limits)


def _has_begun(version: Version, reached_ms: int) -> bool:
    starts = (version.from_ms, version.from_ms if version.count_from_ms is None else version.count_from_ms)
    return any(start is None or start < reached_ms for start in starts)


@lru_cache(maxsize=16)
def _plan(documents: tuple[str, ...], late: tuple[tuple[str, int], ...]) -> Plan:
    """Partitions of one worker mostly have the same rules: they share the plan."""
    versions: Late = {(name.split("/")[0], int(name.split("/")[1])): since for name, since in late}
    return Plan(compile_documents(documents), versions)


class Rules:
    """The group's rules: follows `programs`, and publishes what the folder says."""

    def __init__(self, settings: Settings, follower: Follower) -> None:
        self._settings = settings
        self._follower = follower
        self._topic = settings.topic("programs")
        self._seen: object = None

    @classmethod
    async def open(cls, settings: Settings) -> "Rules":
        """Read what is in force, and publish the folder if it is new.

        Raises ``InputError`` where the folder's programmes are wrong, or change what is unchangeable.
        """
        documents = _load(settings.programs)
        rules = cls(settings, await Follower.open(settings.consumer_options(), settings.topic("programs")))
        edition = rules.edition
        if documents != edition.documents:
            if edition.number and digest(documents) in edition.former:
                log.warning(
                    "the folder holds programmes that were replaced since; those in force stay. To go back to them: "
                    "bonus programs apply",
                    folder=str(settings.programs),
                )
            else:
                await rules.publish(documents)
        return rules

    @property
    def edition(self) -> Edition:
        """What is in force for the group, as far as it was read."""
        return self._follower.edition

    async def catch_up(self) -> Edition:
        """What is in force at the end of the log as it is now."""
        return await self._follower.read_to_end()

    async def publish(self, documents: tuple[str, ...]) -> list[str]:
        """Put ``documents`` in force; raises ``InputError`` where they change what is loaded."""
        edition = await self.catch_up()
        illegal = changed(edition.documents, documents)
        if illegal:
            raise InputError("\n".join(illegal))
        settings = self._settings
        names = await publish(settings.kafka_options(), settings.app, self._topic, edition, documents)
        if names:
            log.info("programmes published", programs=names)
        await self.catch_up()
        return names

    async def follow(self, on_change: Callable[[], None]) -> None:
        """Follow the topic for ever."""

        def tell() -> None:
            metrics.set_edition(self.edition.number)
            on_change()

        await self._follower.follow(tell, lambda sentence: log.warning("rules", reason=sentence))

    async def watch_folder(self) -> None:
        """Publish the folder whenever it has changed; one that is wrong changes nothing, and is said."""
        folder = self._settings.programs
        published = before = _signature(folder)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = _signature(folder)
            if now == before and now != published:
                published = now
                try:
                    await self.publish(_load(folder))
                except BonusError as error:
                    metrics.set_programs_refused(True)
                    _refuse(folder, str(error))
                else:
                    metrics.set_programs_refused(False)
            before = now

    async def close(self) -> None:
        """Let go of the connection."""
        await self._follower.close()


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
