"""Log lines: one for each important thing, for people on a terminal and as JSON for everything else.

Our own code logs through ``logger``; what Faust, mode and aiokafka log goes the same way, from warnings up.
"""

import logging
import sys
import time
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import Processor

from stream.errors import BonusError

REPEAT_AFTER_S = 10.0
"""How long a library's line is not repeated."""

ENDED = "worker ended"
"""The line for those who read only the log: why a worker ended."""

MOST_KINDS = 1_000
"""How many lines of libraries are remembered."""


def set_up(
    level: Literal["debug", "info", "warning", "error"] = "info",
    style: Literal["auto", "console", "json"] = "auto",
    to: TextIO | None = None,
) -> None:
    """Send all logging to ``to`` (default stderr), at ``level`` and above; once, before anything logs.

    ``auto`` is ``console`` where ``to`` is a terminal, else ``json``: one object a line with ``timestamp``
    (UTC), ``level``, ``event``, ``logger`` and the line's own fields. At ``debug`` the libraries speak too.
    """
    out = to or sys.stderr
    console = style == "console" or (style == "auto" and out.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_no_login)
    if console:
        handler.addFilter(_no_farewell)
    if level != "debug":
        handler.addFilter(_ours_or_grave)
        handler.addFilter(_no_sentence)
        handler.addFilter(_Seldom())
    handler.setFormatter(_formatter(console, colors=out.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def logger(room: str) -> structlog.stdlib.BoundLogger:
    """The logger of a room: ``logger(__name__).info("partition taken", partition=3, seconds=0.4)``."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(room))


def _no_login(record: logging.LogRecord) -> bool:
    """At debug aiokafka logs every request whole, and that of a login holds the password."""
    return not any(type(part).__name__.startswith("SaslAuthenticate") for part in record.args or ())


def _ours_or_grave(record: logging.LogRecord) -> bool:
    """Libraries log every rebalance step at info; what an operator must know of it, our own lines say.

    It is the form that tells: some libraries log under the names of our modules.
    """
    return isinstance(record.msg, dict) or record.levelno >= logging.WARNING


def _no_sentence(record: logging.LogRecord) -> bool:
    """mode logs what a service ends with, traceback and all; a sentence of ours is printed by itself at the end."""
    told = [*(record.args or ()), *(record.exc_info or ())]
    return isinstance(record.msg, dict) or not any(isinstance(part, BonusError) for part in told)


def _no_farewell(record: logging.LogRecord) -> bool:
    """On a terminal the sentence that a worker ends with follows by itself."""
    return not (isinstance(record.msg, dict) and record.msg.get("event") == ENDED)


class _Seldom(logging.Filter):
    """Lets a library repeat itself once in a while: aiokafka tells of a lost broker hundreds of times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at_s: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, dict):
            return True
        kind, now_s = (record.name, str(record.msg)), time.monotonic()
        if now_s - self._said_at_s.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        if len(self._said_at_s) >= MOST_KINDS:
            self._said_at_s.clear()
        self._said_at_s[kind] = now_s
        return True


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(console: bool, colors: bool) -> logging.Formatter:
    endings: list[Processor] = (
        # Plain: the default shows the variables of each frame, passwords among them.
        [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *endings],
    )
