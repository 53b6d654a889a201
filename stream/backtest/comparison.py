"""Two tallies of the same history side by side: who gains, who loses, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from stream.backtest.tally import Tally, TierTally, total

MOST_AFFECTED = 20
_NOTHING = Decimal(0)
_EPOCH = date(1970, 1, 1)


class Change(NamedTuple):
    """An amount under the first set of programmes, and under the second."""

    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """What the second set pays more; negative where it pays less."""
        return total([self.after, self.before.copy_negate()])


@dataclass(frozen=True, slots=True)
class TierChange:
    """One tier: awards and cost under both sets; subjects who got an award under one of them only."""

    program: str
    tier: str
    awards_before: int
    awards_after: int
    cost: Mapping[str, Change]
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class CurrencyChange:
    """Everything about one currency; currencies are never added together.

    ``days`` are those of UTC with an award. ``amounts_before`` and ``amounts_after`` are
    what each paid creator got, ascending; who got nothing, or zero, is in neither. ``most_affected`` are creators by
    the size of the difference.
    """

    currency: str
    cost: Change
    gaining: int
    losing: int
    unchanged: int
    days: tuple[tuple[date, Change], ...]
    amounts_before: tuple[Decimal, ...]
    amounts_after: tuple[Decimal, ...]
    most_affected: tuple[tuple[str, Change], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two sets of programmes over one history."""

    tiers: tuple[TierChange, ...]
    currencies: tuple[CurrencyChange, ...]


def compare(before: Tally, after: Tally) -> Comparison:
    """Put two tallies side by side; tiers by programme and name, currencies by their letters."""
    tiers = sorted(
        {
            (program, tier)
            for tally in (before, after)
            for program in tally.tiers
            for tier in tally.tiers[program]
        }
    )
    return Comparison(
        tuple(_tier(before, after, program, tier) for program, tier in tiers),
        tuple(
            _currency(before, after, each) for each in sorted(before.creators.keys() | after.creators.keys())
        ),
    )


def _tier(before: Tally, after: Tally, program: str, name: str) -> TierChange:
    old = before.tiers.get(program, {}).get(name, TierTally())
    new = after.tiers.get(program, {}).get(name, TierTally())
    return TierChange(
        program=program,
        tier=name,
        awards_before=old.awards,
        awards_after=new.awards,
        cost={currency: _change(old.cost, new.cost, currency) for currency in sorted(old.cost | new.cost)},
        gained=len(new.subjects - old.subjects),
        lost=len(old.subjects - new.subjects),
    )


def _currency(before: Tally, after: Tally, currency: str) -> CurrencyChange:
    old, new = before.creators.get(currency, {}), after.creators.get(currency, {})
    creators = {creator: _change(old, new, creator) for creator in sorted(old.keys() | new.keys())}
    differences = {creator: change.difference for creator, change in creators.items()}
    affected = sorted(
        (who for who, by in differences.items() if by), key=lambda who: (-abs(differences[who]), who)
    )
    return CurrencyChange(
        currency=currency,
        cost=Change(total(old.values()), total(new.values())),
        gaining=sum(by > 0 for by in differences.values()),
        losing=sum(by < 0 for by in differences.values()),
        unchanged=sum(by == 0 for by in differences.values()),
        days=_days(before.days.get(currency, {}), after.days.get(currency, {})),
        amounts_before=tuple(sorted(filter(None, old.values()))),
        amounts_after=tuple(sorted(filter(None, new.values()))),
        most_affected=tuple((who, creators[who]) for who in affected[:MOST_AFFECTED]),
    )


def _days(old: Mapping[int, Decimal], new: Mapping[int, Decimal]) -> tuple[tuple[date, Change], ...]:
    return tuple(
        (_EPOCH + timedelta(day), Change(old.get(day, _NOTHING), new.get(day, _NOTHING)))
        for day in sorted(old.keys() | new.keys())
    )


def _change(old: Mapping[str, Decimal], new: Mapping[str, Decimal], key: str) -> Change:
    return Change(old.get(key, _NOTHING), new.get(key, _NOTHING))
