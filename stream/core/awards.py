"""Awards: how often a tier pays, the latch that remembers it, and the bonus id.

A latch is one line of text, ``program/tier/period``: the identity of an award for its subject, version left out.
It is part of the subject's state; once set it is never taken away while the award could still be reached.
"""

import hashlib
from dataclasses import dataclass

from stream.core.panes import Local, Panes
from stream.core.rules import Award, Once, OncePer, OncePerWindow, SubjectKind


@dataclass(frozen=True, slots=True)
class Latching:
    """For a pane, the period within which the award is made once."""

    award: Award
    local: Local | None

    def period(self, panes: Panes, pane: int) -> tuple[int | None, int | None]:
        """The period of the award made for a tier reached at ``pane``; nulls where it is once for all."""
        if self.local is not None:
            start = panes.start(pane)
            number = self.local.pane_of(0 if start is None else start)
            return self.local.start(number), self.local.end(number)
        if isinstance(self.award, OncePerWindow):
            return panes.start(pane), panes.end(pane)
        return None, None


def latching(award: Award) -> Latching:
    """How ``award`` latches."""
    return Latching(award, Local(award.period) if isinstance(award, OncePer) else None)


def is_for_good(award: Award) -> bool:
    """Whether one award settles a tier for its subject for ever."""
    return isinstance(award, Once)


def latch(program: str, tier: str, period_start_ms: int | None) -> str:
    """The latch of an award; neither name holds a slash."""
    return f"{program}/{tier}/{_period(period_start_ms)}"


def bonus_id(
    program: str,
    tier: str,
    subject: SubjectKind,
    creator_id: str,
    video_id: str | None,
    period_start_ms: int | None,
) -> str:
    """The public identity of an award: 32 hex digits, a function of what was reached and by whom alone."""
    lines = [program, tier, subject, creator_id]
    if video_id is not None:
        lines.append(video_id)
    lines.append(_period(period_start_ms))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _period(start_ms: int | None) -> str:
    return "-" if start_ms is None else str(start_ms)
