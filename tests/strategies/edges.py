"""The points in time around which programmes and logs are drawn, and the limits that go with them; all in ms."""

from datetime import datetime
from functools import cache

from hypothesis import strategies as st

from stream.core.rules import Limits
from tests.builders import DAY, HOUR, SECOND

LIMITS = (
    Limits(10 * SECOND, 3 * SECOND, 13 * SECOND, 5 * SECOND),
    Limits(2 * SECOND, 1 * SECOND, 3 * SECOND, 1 * SECOND),
)
NEW_YORK = "America/New_York"


def _ms(local: str) -> int:
    return int(datetime.fromisoformat(local).timestamp() * 1000)


ANCHORS = (
    _ms("2026-03-08T00:00-05:00"),  # a day of 23 hours begins
    _ms("2026-11-01T00:00-04:00"),  # a day of 25 hours and a month begin
    _ms("2026-03-01T00:00+00:00"),  # a month begins, and a day later a week
    20 * SECOND,  # windows reach before the epoch
)
STRIDES = (0, HOUR, 23 * HOUR, DAY, 25 * HOUR)
"""How far after the anchor more edges lie: local midnights again, and far beyond every limit."""

EDGES = (-8_000, -3_000, -1_500, -1, 0, 1, 500, 1_000, 2_000, 2_500, 3_000, 5_000, 8_000, 12_000, 20_000)

anchors = st.sampled_from(ANCHORS)


@cache
def times(anchor: int) -> st.SearchStrategy[int]:
    """An instant at an edge, mostly one near the anchor."""
    near = [anchor + edge for edge in EDGES if anchor + edge > 0]
    return st.sampled_from(
        near * 3 + [anchor + stride + edge for stride in STRIDES[1:] for edge in EDGES[::3]]
    )
