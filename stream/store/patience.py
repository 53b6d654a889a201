"""A command that Redis refuses is held and sent again, with back-off, for as long as it takes, while saying so.

Losing Redis stops nothing and loses nothing: the checkpoint waits, bonuses go on as far as memory allows. Every
command of this room may be sent twice, so an unclear result is simply sent again.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, stop_never, wait_random_exponential

from stream.store.link import Refused

SAY_EVERY_S = 10.0
WAIT_FIRST_S = 0.05
WAIT_MOST_S = 2.0

# What no waiting heals.
HOPELESS = frozenset({"WRONGTYPE"})
# What is wrong from the start, but at run time heals as soon as an operator has finished changing it.
FORBIDDEN = frozenset({"WRONGPASS", "NOAUTH", "NOPERM", "CERTIFICATE"})

_ADVICE = {
    "OOM": "raise its maxmemory",
    "READONLY": "it is a replica, so promote it, or have the URL lead to the master",
    "LOADING": "it is reading its data, so wait",
    "MISCONF": "it can't save to its disk, so look at its log",
    "NOREPLICAS": "bring its replicas back",
    "BUSY": "it runs a long script of somebody's, so wait or use SCRIPT KILL",
    "WRONGPASS": "check the user and the password",
    "NOAUTH": "check the user and the password",
    "NOPERM": "give the user back its permissions",
    "CERTIFICATE": "check the certificate, and ssl_ca_certs in the URL",
    "MOVED": "the cluster is moving keys, so wait",
    "ASK": "the cluster is moving keys, so wait",
    "TRYAGAIN": "the cluster is moving keys, so wait",
    "CLUSTERDOWN": "bring the cluster's missing nodes back",
    "CONNECTION": "bring it back",
    "TIMEOUT": "bring it back",
}

T = TypeVar("T")


class Patience:
    """One command's wait: says what is held at the first refusal, then every ten seconds, and when it is over."""

    def __init__(self, where: str, what: str, say: Callable[[str], None]) -> None:
        self._where = where
        self._what = what
        self._say = say
        self._since_s: float | None = None
        self._said_s = 0.0

    async def until_done(
        self,
        request: Callable[[], Awaitable[T]],
        within_s: float | None = None,
        give_up_at: frozenset[str] = HOPELESS,
    ) -> T:
        """Makes the request until it is answered.

        Raises the last Refused once ``within_s`` are over, and at once for a code in ``give_up_at``.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception(lambda e: isinstance(e, Refused) and e.code not in give_up_at),
            wait=wait_random_exponential(multiplier=WAIT_FIRST_S, max=WAIT_MOST_S),
            stop=stop_never if within_s is None else stop_after_delay(within_s),
            before_sleep=lambda state: self._held(state.outcome.exception() if state.outcome else None),
            reraise=True,
        )
        async for attempt in tries:
            with attempt:
                answer = await request()
        if self._since_s is not None:
            waited_s = time.monotonic() - self._since_s
            self._say(f"{self._what} goes on: Redis at {self._where} was away for {waited_s:.1f} s.")
        return answer

    def _held(self, refused: BaseException | None) -> None:
        now_s = time.monotonic()
        if self._since_s is None:
            self._since_s = now_s
        elif now_s - self._said_s < SAY_EVERY_S:
            return
        self._said_s = now_s
        if isinstance(refused, Refused):
            advice = _ADVICE.get(refused.code, "look at its log")
            self._say(f"{self._what} waits for Redis at {self._where} ({refused}): {advice}.")
