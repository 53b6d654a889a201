"""What a start, or a take, waits for: said every ten seconds. A start does not wait for ever.

aiokafka's clients wait for a broker without a bound at places, and without a word: for whoever coordinates a
transaction or a group, for the end of somebody's transaction, for a fetch that gets no answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from stream.errors import Unreachable
from stream.logs import logger
from stream.transport.kafka import KafkaTrouble

log = logger(__name__)

SAY_EVERY_S = 10.0
LOOK_EVERY_S = 1.0
"""How often it is looked whether joining the group has failed."""


class Member(Protocol):
    """The member of the group that a worker is to become."""

    def put_off(self) -> KafkaTrouble | None:
        """See `transport.driver.Consumer.put_off`."""


def _log(sentence: str) -> None:
    log.warning("waiting", reason=sentence)


@asynccontextmanager
async def told(wait: str, say: Callable[[str], None] = _log) -> AsyncIterator[None]:
    """``say`` every ten seconds that ``wait`` goes on, as long as the block runs."""
    telling = asyncio.create_task(_tell(wait, say))
    try:
        yield
    finally:
        telling.cancel()


@asynccontextmanager
async def no_longer_than(within_s: float, what: str) -> AsyncIterator[None]:
    """Say every ten seconds that the start waits for ``what``, as long as the block runs.

    Raises ``Unreachable`` where it runs longer than ``within_s``.
    """
    try:
        async with told(f"the start waits for {what}"), asyncio.timeout(within_s) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Unreachable(f"The start waited {within_s:g} s in vain for {what}.") from error


async def joined(member: Member, assigned: asyncio.Event, within_s: float, what: str) -> None:
    """Return once ``assigned`` says that the group has given ``member`` its share, though it be nothing.

    Raises ``InputError`` where Kafka refuses that, ``Unreachable`` where it is not to be had.
    """
    async with no_longer_than(within_s, what):
        while not assigned.is_set():
            why = member.put_off()
            if why is not None:
                log.warning("waiting", reason=str(why))
            with suppress(TimeoutError):
                await asyncio.wait_for(assigned.wait(), LOOK_EVERY_S)


async def _tell(wait: str, say: Callable[[str], None]) -> None:
    began_s = time.monotonic()
    while True:
        await asyncio.sleep(SAY_EVERY_S)
        say(f"{wait}, {time.monotonic() - began_s:.0f} s by now")
