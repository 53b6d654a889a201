"""What a backtest came to, in numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from stream.backtest.comparison import Comparison
from stream.backtest.tally import Paid
from stream.core.outcome import Outcome
from stream.programs.load import Loaded


@dataclass
class Counts:
    """Counts of a run, or of one of its partitions.

    ``lines`` are lines of files, or records. ``turned_away`` counts by code those that could not be accepted; all
    others are accepted or duplicates. ``bonuses`` are of the first set of programmes, and so is ``paid``, by
    programme and tier. ``first_ms`` and ``last_ms`` are the least and the greatest timestamp, None where there was
    none.
    """

    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    bonuses: int = 0
    turned_away: dict[str, int] = field(default_factory=dict)
    paid: dict[str, dict[str, Paid]] = field(default_factory=dict)
    first_ms: int | None = None
    last_ms: int | None = None

    def count(self, outcome: Outcome, timestamps: Iterable[int]) -> None:
        """Count what records with these timestamps came to; ``lines`` are counted where they are read."""
        self.accepted += outcome.accepted
        self.duplicates += outcome.duplicates
        self.bonuses += len(outcome.bonuses)
        for bonus in outcome.bonuses:
            self._paid(bonus.program, bonus.tier).add(bonus)
        for _, rejection in outcome.turned_away:
            self.turn_away(rejection.code)
        self._reach(timestamp for timestamp in timestamps if timestamp >= 0)

    def turn_away(self, code: str, times: int = 1) -> None:
        """Count records that were turned away."""
        self.turned_away[code] = self.turned_away.get(code, 0) + times

    def merge(self, other: "Counts") -> None:
        """Take in the counts of another partition."""
        self.lines += other.lines
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.bonuses += other.bonuses
        for code, times in other.turned_away.items():
            self.turn_away(code, times)
        for program, tiers in other.paid.items():
            for tier, paid in tiers.items():
                self._paid(program, tier).merge(paid)
        self._reach(at for at in (other.first_ms, other.last_ms) if at is not None)

    def _paid(self, program: str, tier: str) -> Paid:
        return self.paid.setdefault(program, {}).setdefault(tier, Paid())

    def _reach(self, timestamps: Iterable[int]) -> None:
        known = [*timestamps, *(at for at in (self.first_ms, self.last_ms) if at is not None)]
        if known:
            self.first_ms, self.last_ms = min(known), max(known)


@dataclass(frozen=True, slots=True)
class ProgramSet:
    """A folder of programmes, as it was given, the digest of its content, and its tiers by programme."""

    folder: str
    digest: str
    tiers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, folder: Path, loaded: Loaded) -> Self:
        """The folder, and what was loaded from it."""
        tiers = (
            (program.name, tier.name)
            for program in loaded.programs
            for version in program.versions
            for tier in version.tiers
        )
        return cls(str(folder), loaded.digest, tuple(dict.fromkeys(tiers)))


@dataclass
class Summary(Counts):
    """What a backtest came to, over what ``source`` names in words.

    ``sets`` are the programmes that were run, one or two, ``warnings`` theirs. ``comparison`` is there for two.
    """

    source: str = ""
    sets: tuple[ProgramSet, ...] = ()
    warnings: tuple[str, ...] = ()
    comparison: Comparison | None = None
