"""Telling the group how far the checkpoints have come, for lag monitors: the checkpoints themselves are the truth."""

import asyncio
import time
from collections.abc import Mapping

from stream.core.rules import TOPICS, Topic
from stream.errors import InputError
from stream.logs import logger
from stream.transport.kafka import KafkaTrouble, OffsetAndMetadata
from stream.worker.body import said_at_commit
from stream.worker.crew import Crew

log = logger(__name__)

TIMEOUT_S = 2.0
"""How long a commit of offsets may take; the next one says more anyway."""


class Report:
    """The commits of offsets of one take. They hold nothing up, and may fail, unless a right is missing."""

    def __init__(self, crew: Crew, number: int, *, moved: bool) -> None:
        self._crew, self._number, self._moved = crew, number, moved
        self._inputs = crew.inputs(number)
        self._under_way: asyncio.Task[None] | None = None
        self._told: Mapping[Topic, int] | None = None

    def tell(self, positions: Mapping[Topic, int], seq: int) -> None:
        """Commit the offsets of checkpoint ``seq``, unless the group knows them, or a commit is under way.

        To be asked again after each interval, so that the group learns of the last checkpoint also where a commit
        failed, or where an older owner died before it.
        """
        if positions != self._told and (self._under_way is None or self._under_way.done()):
            self._under_way = asyncio.create_task(self._commit(positions, seq))

    async def end(self) -> None:
        """Return when what is under way has come to an end."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def close(self) -> None:
        """Let go of what is under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _commit(self, positions: Mapping[Topic, int], seq: int) -> None:
        said = said_at_commit(seq, int(time.time() * 1000), moved=self._moved)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._crew.group.commit_offsets(
                    {self._inputs[topic]: OffsetAndMetadata(positions[topic], said) for topic in TOPICS}
                )
        except (KafkaTrouble, TimeoutError) as error:
            log.debug("offsets not committed", partition=self._number, reason=str(error))
        except InputError as error:  # a right that is missing
            self._crew.crash(error)
        else:
            self._told = positions
