"""What a fault is, and the dice that decide on it."""

from collections.abc import Sequence
from dataclasses import fields
from random import Random
from typing import ClassVar, Self, TypeVar

from tests.chaos.network import Direction
from tests.chaos.points import Blow, Point
from tests.chaos.setup import PARTITIONS, SESSION_S, Setup
from tests.chaos.world import World

T = TypeVar("T")


class Dice:
    """All that a plan draws comes from one seed."""

    def __init__(self, random: Random, setup: Setup) -> None:
        self._random, self.setup = random, setup

    def slot(self) -> int:
        return self._random.randrange(self.setup.workers)

    def one_or_all(self, count: int) -> int | None:
        """A server's number, or None for all of them."""
        return None if count == 1 else self._random.choice([None, *range(count)])

    def partition(self) -> int:
        return self._random.randrange(PARTITIONS)

    def times(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def seconds(self, least: float, most: float) -> float:
        return round(self._random.uniform(least, most), 1)

    def beyond_session(self) -> float:
        """Longer than a silent worker keeps its partitions."""
        return self.seconds(SESSION_S + 1.5, SESSION_S + 6)

    def pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def directions(self) -> tuple[Direction, ...]:
        choices: list[tuple[Direction, ...]] = [("up",), ("down",), ("up", "down")]
        return self.pick(choices)

    def point(self, blow: Blow) -> Point:
        return Point.draw(self._random, blow)


class Fault:
    """Something that goes wrong, and is mended: frozen data, so that a plan can be printed and repeated."""

    name: ClassVar[str]
    weight: ClassVar[int] = 1
    """How often it comes up, compared with others."""

    @classmethod
    def fits(cls, setup: Setup) -> bool:
        """Whether there is something to strike."""
        return True

    @classmethod
    def draw(cls, dice: Dice) -> Self:
        """One of this kind."""
        raise NotImplementedError

    async def strike(self, world: World) -> None:
        """Make it happen; returns once it is over."""
        raise NotImplementedError

    def __str__(self) -> str:
        given = [(each.name, getattr(self, each.name)) for each in fields(self)]  # type: ignore[arg-type]  # all are data classes
        return " ".join([f"{self.name:<18}", *(f"{name}={_shown(value)}" for name, value in given)])


def _shown(value: object) -> str:
    if value is None:
        return "all"
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)
