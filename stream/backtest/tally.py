"""What one set of programmes pays over a history, added up as its bonuses come: exact, and small enough to keep.

Amounts are decimals and stay exact: a sum that could not be would be an error. Currencies are kept apart everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import TypeVar

from stream.core.outcome import Bonus
from stream.core.subject import subject_key

DAY_MS = 86_400_000

_EXACT = Context(prec=200, traps=[Inexact])

Key = TypeVar("Key", str, int)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    found = Decimal(0)
    for amount in amounts:
        found = _EXACT.add(found, amount)
    return found


@dataclass(slots=True)
class Paid:
    """How often something was awarded, and what that costs by currency."""

    awards: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)

    def add(self, bonus: Bonus) -> None:
        """Count a bonus."""
        self.awards += 1
        _put(self.cost, str(bonus.reward["currency"]), Decimal(str(bonus.reward["amount"])))

    def merge(self, other: "Paid") -> None:
        """Take in what was counted elsewhere, over other records."""
        self.awards += other.awards
        _put_all(self.cost, other.cost)


@dataclass(slots=True)
class TierTally(Paid):
    """One tier of one programme: how often it was awarded, what that costs by currency, and to whom."""

    subjects: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Tally:
    """Sums over bonuses: ``tiers`` by programme and tier, ``days`` and ``creators`` by currency.

    A day is that of UTC in which the evidence record's event occurred, counted from the epoch.
    """

    tiers: dict[str, dict[str, TierTally]] = field(default_factory=dict)
    days: dict[str, dict[int, Decimal]] = field(default_factory=dict)
    creators: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def add(self, bonus: Bonus, occurred_ms: int) -> None:
        """Count a bonus whose evidence occurred at ``occurred_ms``."""
        amount, currency = Decimal(str(bonus.reward["amount"])), str(bonus.reward["currency"])
        tier = self.tiers.setdefault(bonus.program, {}).setdefault(bonus.tier, TierTally())
        tier.add(bonus)
        tier.subjects.add(subject_key(bonus.creator_id, bonus.video_id))
        _put(self.days.setdefault(currency, {}), occurred_ms // DAY_MS, amount)
        _put(self.creators.setdefault(currency, {}), bonus.creator_id, amount)

    def merge(self, other: "Tally") -> None:
        """Take in what was counted elsewhere, over other records."""
        for program, tiers in other.tiers.items():
            for name, theirs in tiers.items():
                tier = self.tiers.setdefault(program, {}).setdefault(name, TierTally())
                tier.merge(theirs)
                tier.subjects |= theirs.subjects
        for currency, days in other.days.items():
            _put_all(self.days.setdefault(currency, {}), days)
        for currency, creators in other.creators.items():
            _put_all(self.creators.setdefault(currency, {}), creators)


def _put(sums: dict[Key, Decimal], key: Key, amount: Decimal) -> None:
    sums[key] = _EXACT.add(sums.get(key, Decimal(0)), amount)


def _put_all(sums: dict[Key, Decimal], more: dict[Key, Decimal]) -> None:
    for key, amount in more.items():
        _put(sums, key, amount)
