"""The plan of a run: what goes wrong when, drawn from a seed before anything starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.faults.fault import Dice, Fault
from tests.chaos.setup import Setup

FIRST_S = 3.0
APART_S = 4.0
"""Faults come this far apart on average, and last longer at times: so they overlap."""


@dataclass(frozen=True, slots=True)
class At:
    """A fault, so many seconds after the load has begun."""

    at_s: float
    fault: Fault

    def __str__(self) -> str:
        return f"{self.at_s:7.1f} s  {self.fault}"


def draw(seed: int, seconds: float, setup: Setup, names: Sequence[str] = ()) -> list[At]:
    """The plan of so many seconds: of the named kinds of faults, or of all that fit, by their weights."""
    random = Random(seed)
    dice = Dice(random, setup)
    kinds = [FAULTS[name] for name in names] or [kind for kind in FAULTS.values() if kind.fits(setup)]
    plan, at_s = list[At](), FIRST_S
    while at_s < seconds:
        [kind] = random.choices(kinds, [each.weight for each in kinds])
        plan.append(At(round(at_s, 1), kind.draw(dice)))
        at_s += random.expovariate(1 / APART_S)
    return plan
