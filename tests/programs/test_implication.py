"""Whether a condition asks no more than another, by examples and against every point of a small grid."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.conditions import holds
from stream.core.rules import METRICS, All, Any, AtLeast, Condition, Metric
from stream.programs.implication import MAX_POINTS, holds_at_all, least_points
from tests.builders import least

MOST = 3


def implies(first: Condition, second: Condition) -> bool:
    points = least_points(first)
    return points is not None and holds_at_all(second, points)


metrics = st.sampled_from(METRICS[:3])
thresholds = st.builds(AtLeast, metrics, st.integers(1, MOST))
conditions: st.SearchStrategy[Condition] = st.recursive(
    thresholds,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("first", "second", "implied"),
    [
        (least(views=10), least(views=10), True),
        (least(views=10), least(views=9), True),
        (least(views=10), least(views=11), False),
        (least(views=10), least(likes=1), False),
        (least(views=10, likes=5), least(likes=5), True),
        (least(likes=5), least(views=10, likes=5), False),
        (least(views=10), Any((least(views=10), least(likes=5))), True),
        (Any((least(views=10), least(likes=5))), least(views=10), False),
        (Any((least(views=10), least(views=20))), All((least(views=10),)), True),
    ],
)
def test_a_condition_implies_what_asks_no_more(first: Condition, second: Condition, implied: bool) -> None:
    assert implied == implies(first, second)


@given(conditions, conditions)
def test_it_is_implied_exactly_if_it_holds_wherever_the_first_does(
    first: Condition, second: Condition
) -> None:
    def holds_at(condition: Condition, point: tuple[int, ...]) -> bool:
        def value_of(metric: Metric) -> int:
            return point[METRICS.index(metric)]

        return holds(condition, value_of)

    grid = product(range(MOST + 1), repeat=3)
    assert implies(first, second) == all(holds_at(second, at) for at in grid if holds_at(first, at))


def test_a_condition_with_more_ways_to_hold_than_anyone_could_follow_is_not_judged() -> None:
    staircase = Any(
        tuple(least(views=step, likes=MAX_POINTS + 1 - step) for step in range(1, MAX_POINTS + 1))
    )
    assert implies(staircase, staircase)
    longer = Any((*staircase.parts, least(shares=1)))
    assert not implies(longer, longer)
