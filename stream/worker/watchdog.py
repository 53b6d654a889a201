"""The watchdog of a partition: finds what stands still although there is something to do, and nothing to wait for.

aiokafka and Faust are known to stop fetching, or to lose what was fetched, without an error. What they say of
themselves is therefore not asked: a look compares the place that we have come to with the end of what is committed,
which another connection was told. A topic-partition that has more, and stays where it is, is

```
held       it waits for Redis, or for Kafka to take what was handed over: said and shown, for as long as it takes
stalled    nothing explains it: after ``stall_timeout`` it ends the worker, whose supervisor starts a new one
```
There is no more to have while somebody's transaction is open, or the log is read to its end. Between takes nobody
looks. A look counts for two intervals at most: a process that was asleep, or that waited for an answer, has not seen
what happened meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stream.core.rules import Topic
from stream.errors import BonusError
from stream.logs import logger
from stream.worker.flight import Whereabouts

log = logger(__name__)

LOOK_EVERY_S = 1.0
"""How often partitions are looked at."""

MOST_OF_A_LOOK_S = 2 * LOOK_EVERY_S
"""How much time one look can count for."""

SAID_BEFORE = 6
"""In so many parts of ``stall_timeout`` it is said that something stands still, and for as long as it does."""


_STANDING: dict[Whereabouts, str] = {
    "none": "nothing more is fetched",
    "on its way": "what was fetched does not come through its agent",
    "arrived": "what was fetched is not applied",
}


class Stalled(BonusError):
    """A topic-partition stood still for too long, and nothing explains it: a new process is the way out."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at a topic-partition has found.

    ``position`` is the next offset to apply, ``end`` the offset after the last committed record, ``chunk`` how far
    the next chunk has come. ``waits_for`` is what explains that it comes no further, None where nothing does.
    """

    position: int
    end: int
    chunk: Whereabouts
    waits_for: str | None


class _Stand:
    """How long a topic-partition has stood at ``position``, with more to have: in all, and unexplained."""

    __slots__ = ("position", "seconds", "unexplained_s")

    def __init__(self, position: int) -> None:
        self.position = position
        self.seconds = self.unexplained_s = 0.0


class Watchdog:
    """Looks at the topic-partitions of one partition number, over all its takes by this worker."""

    def __init__(self, names: Mapping[Topic, str], timeout_s: float) -> None:
        self._names, self._timeout_s, self._say_every_s = names, timeout_s, timeout_s / SAID_BEFORE
        self._stands = {topic: _Stand(-1) for topic in names}
        self._looked_at_s: float | None = None
        self._said_at_s = 0.0

    def look(self, sights: Mapping[Topic, Sight], now_s: float) -> dict[Topic, float]:
        """For how many seconds each has stood still. ``now_s`` is of a clock that only goes forwards.

        Raises ``Stalled`` where that is too long and unexplained.
        """
        since_s = 0.0 if self._looked_at_s is None else min(now_s - self._looked_at_s, MOST_OF_A_LOOK_S)
        self._looked_at_s = now_s
        for topic, sight in sights.items():
            self._note(topic, sight, since_s)
        self._say(sights, now_s)
        for topic, sight in sights.items():
            if self._stands[topic].unexplained_s >= self._timeout_s:
                raise Stalled(self._sentence(topic, sight))
        return {topic: stand.seconds for topic, stand in self._stands.items()}

    def start_over(self) -> None:
        """The partition is taken anew for a reason that explains why it stood."""
        self._stands = {topic: _Stand(-1) for topic in self._names}

    def _note(self, topic: Topic, sight: Sight, since_s: float) -> None:
        stand = self._stands[topic]
        if sight.position != stand.position or sight.position >= sight.end:
            self._stands[topic] = _Stand(sight.position)
            return
        stand.seconds += since_s
        if sight.waits_for is None:
            stand.unexplained_s += since_s

    def _say(self, sights: Mapping[Topic, Sight], now_s: float) -> None:
        longest = max(sights, key=lambda topic: self._stands[topic].seconds)
        stand, sight = self._stands[longest], sights[longest]
        if stand.seconds < self._say_every_s or now_s - self._said_at_s < self._say_every_s:
            return
        self._said_at_s = now_s
        log.warning(
            "no progress",
            place=self._names[longest],
            position=sight.position,
            end=sight.end,
            seconds=round(stand.seconds),
            reason=f"waits for {sight.waits_for}" if sight.waits_for else _STANDING[sight.chunk],
        )

    def _sentence(self, topic: Topic, sight: Sight) -> str:
        return (
            f"{self._names[topic]} has stood at offset {sight.position} for {self._timeout_s:g} s, though its log is "
            f"committed up to {sight.end}: {_STANDING[sight.chunk]}. The worker ends, to be started anew."
        )
