"""Filters: what a line of a programme asks of an event before it counts."""

from dataclasses import dataclass

from stream.core.outcome import Event
from stream.core.rules import Line


@dataclass(frozen=True, slots=True)
class Filter:
    """Everything a line asks but ``at_most``, which depends on other events. 0, None and False ask nothing."""

    min_watch_ms: int
    sources: frozenset[str] | None
    paid: bool | None
    exclude_self: bool
    campaigns: frozenset[str] | None

    def passes(self, event: Event) -> bool:
        """Whether the event has all that is asked."""
        return (
            (not self.min_watch_ms or event.watch_ms >= self.min_watch_ms)
            and (self.sources is None or event.source in self.sources)
            and (self.paid is None or event.paid is self.paid)
            and not (self.exclude_self and event.viewer_id == event.creator_id)
            and (self.campaigns is None or event.campaign_id in self.campaigns)
        )


_PASSES_ALL = Filter(0, None, None, False, None)


def filter_of(line: Line, campaigns: frozenset[str] | None) -> Filter | None:
    """The filter of a line, and of its version's campaigns; None where every event passes."""
    found = Filter(line.min_watch_ms, line.sources, line.paid, line.exclude_self, campaigns)
    return None if found == _PASSES_ALL else found
