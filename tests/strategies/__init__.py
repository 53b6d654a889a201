"""Hypothesis strategies: small programmes, and logs whose times crowd around the edges that matter.

Everything happens within seconds of an *anchor* (a local midnight before clocks change, the end of a month, the
epoch) or of the same hours and days after it. The limits are seconds too, so that a log of a few dozen records meets
lateness, clock errors, closed windows and forgotten panes.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from stream.core.rules import Limits, Program, Topic
from tests.model import Record
from tests.strategies.edges import LIMITS, anchors
from tests.strategies.logs import interleaved, logs
from tests.strategies.programs import program_sets

__all__ = ["Case", "cases", "interleaved", "seeds"]

seeds = st.integers(0, 1_000_000)
"""For what is better left to a random generator of the test's own than drawn one by one."""

_topics: st.SearchStrategy[tuple[Topic, ...]] = st.sampled_from(
    [("likes",), ("views",), ("views", "likes"), ("likes", "shares"), ("views", "likes", "shares")]
)


@dataclass
class Case:
    """Programmes, and one partition's records in the order in which they were appended to its topics."""

    programs: list[Program]
    records: list[Record]
    limits: Limits


@st.composite
def cases(draw: st.DrawFn, *, one_topic: bool = False, removes: bool = True, at_most: bool = True) -> Case:
    """Programmes and a log around the same anchor.

    ``one_topic``: each tier names metrics of one topic only. Without ``removes`` there are none in the log, without
    ``at_most`` none in the programmes.
    """
    anchor, limits, topics = draw(anchors), draw(st.sampled_from(LIMITS)), draw(_topics)
    programs = draw(program_sets(anchor, topics, one_topic=one_topic, at_most=at_most))
    return Case(programs, draw(logs(anchor, limits, topics, removes=removes)), limits)
