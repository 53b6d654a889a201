"""Run a worker until it is told to stop, or can't go on."""

import asyncio
import errno
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from stream.core.partition import Unapplied
from stream.core.subject import Subject
from stream.errors import BonusError, InputError
from stream.logs import ENDED, logger
from stream.settings import Settings
from stream.worker.app import create_app

log = logger(__name__)


def gc_thresholds() -> tuple[int, int, int]:
    """How often the garbage collector is to come.

    Where the core is compiled it does not know of the state, and has little to look through; what a checkpoint is
    made of is soon gone by itself. As Python the state is millions of objects, which it would walk over and over.
    """
    walks_state = gc.is_tracked(Subject("any"))
    return (500_000, 5, 1_000) if walks_state else (100_000, 5, 10)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises what ended it otherwise; ``BonusError`` where a sentence says it."""
    gc.set_threshold(*gc_thresholds())
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app = create_app(settings)
    loop = asyncio.get_running_loop()
    told, started = asyncio.Event(), False
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        starting = asyncio.ensure_future(app.start())
        stopping, crashed = asyncio.ensure_future(told.wait()), asyncio.ensure_future(app.ended_with())
        await asyncio.wait({starting, stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            with _port_in_use(settings):
                starting.result()
            started = True
            gc.freeze()  # modules, clients: here to stay
            await asyncio.wait({stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if crashed.done():
            raise _reason(crashed.result())
    except Exception as error:
        if started:  # for whoever reads only the log; of a start that fails the sentence says it all
            log.critical(ENDED, reason=str(error) or repr(error))
        raise
    finally:
        in_order = started or told.is_set()
        if in_order:
            log.info("worker stopping")
        await app.stop()
        if in_order:
            log.info("worker stopped")


@contextmanager
def _port_in_use(settings: Settings) -> Iterator[None]:
    """Tell by its option that a port can't be listened at, which is all that the start itself asks of the machine."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        raise InputError(
            f"--http-port {settings.http_port} of --http-host {settings.http_host} can't be listened at: "
            f"{os.strerror(error.errno)}."
        ) from None


def _reason(error: BaseException) -> BaseException:
    """What to end with: our own sentence where there is one, with a record's place where that is known."""
    if isinstance(error, Unapplied):
        cause = error.__cause__
        return BonusError(
            f"{error} ({type(cause).__name__}: {cause}). Nothing of it was acknowledged; this is a mistake in the "
            "software: please report it with the record."
        )
    return error
