"""Partitions that come together, of which one has got further: nothing counts twice by it, and no pane is missing."""

from stream.core.outcome import Event
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.migrate.regroup import latest
from tests.builders import HOUR, MINUTE
from tests.model import Engagement

LIMITS = Limits()


def judged(partition: Partition, offset: int, timestamp: int, event: Event) -> str:
    """What becomes of a view."""
    outcome = partition.apply("views", [offset], [timestamp], [event])
    [code] = [rejection.code for _, rejection in outcome.turned_away] or [
        "accepted" if outcome.accepted else "duplicate"
    ]
    return code


def test_an_id_that_was_forgotten_is_not_accepted_again() -> None:
    """The first partition has forgotten the event, the second one has hardly begun. Kafka's timestamps are the
    producers' here, so the event can come again with its old one: it is late, as it would have been."""
    first, second = (Partition(number, Plan([]), LIMITS) for number in range(2))
    event = Engagement("e", 10 * HOUR)
    assert "accepted" == judged(first, 0, 10 * HOUR, event)
    assert "accepted" == judged(first, 1, 10 * HOUR + 66 * MINUTE, Engagement("f", 11 * HOUR))
    assert "accepted" == judged(second, 0, 10 * HOUR, Engagement("g", 10 * HOUR, "eve"))
    assert "late" == judged(first, 2, 10 * HOUR, event)

    cuts = [first.cut(), second.cut()]
    together = Partition(0, Plan([]), LIMITS)
    together.restore(
        {},
        latest(cut.arrivals for cut in cuts),
        {"views": sorted(run for cut in cuts for run in cut.ids["views"])},
    )
    assert "late" == judged(together, 0, 10 * HOUR, event)
    assert "duplicate" == judged(together, 1, 10 * HOUR, Engagement("f", 11 * HOUR))
