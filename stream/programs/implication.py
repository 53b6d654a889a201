"""Whether one condition asks no more than another: wherever the first holds, the second holds too.

Conditions only ever say ``>=``, so one that holds goes on holding when a metric grows. It is told whole by its
least points, the smallest values at which it holds::

    likes
      ^   . . . |#########        {any: [{views: 4}, {views: 2, likes: 3}]}
    3 |   . . . x####|####        least points x: (views 2, likes 3) and (views 4, likes 0)
      |   . . . . . .|####
    0 +-----------2--x4--> views  a second condition is implied if it holds at each of them
"""

from stream.core.conditions import holds
from stream.core.rules import METRICS, AtLeast, Condition, Metric
from stream.core.rules import Any as AnyOf

MAX_POINTS = 200
"""With more least points than that a condition is not judged: nobody could tell by reading it either."""

Point = tuple[int, ...]
"""A value for each of ``METRICS``."""


class TooManyPoints(Exception):
    """The condition has more than ``MAX_POINTS`` least points."""


def holds_at_all(condition: Condition, points: list[Point]) -> bool:
    """Whether the condition holds at each of these points, and so wherever the condition that they tell does."""
    return all(_holds_at(condition, point) for point in points)


def least_points(condition: Condition) -> list[Point] | None:
    """The least points of a condition; None where there are too many."""
    try:
        return _least_points(condition)
    except TooManyPoints:
        return None


def _holds_at(condition: Condition, point: Point) -> bool:
    def value_of(metric: Metric) -> int:
        return point[METRICS.index(metric)]

    return holds(condition, value_of)


def _least_points(condition: Condition) -> list[Point]:
    if isinstance(condition, AtLeast):
        return [tuple(condition.threshold if metric == condition.metric else 0 for metric in METRICS)]
    if isinstance(condition, AnyOf):
        return _least([point for part in condition.parts for point in _least_points(part)])
    points: list[Point] = [(0,) * len(METRICS)]
    for part in condition.parts:
        also = _least_points(part)
        points = _least([tuple(map(max, one, other)) for one in points for other in also])
    return points


def _least(points: list[Point]) -> list[Point]:
    """Only the points that lie above no other."""
    least: list[Point] = []
    for point in sorted(set(points)):  # what lies below a point comes before it
        if not any(all(low <= high for low, high in zip(below, point, strict=True)) for below in least):
            least.append(point)
            if len(least) > MAX_POINTS:
                raise TooManyPoints
    return least
