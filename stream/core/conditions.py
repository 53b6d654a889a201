"""Conditions: which metrics they name, whether they hold, and what is the least that must be there."""

from collections.abc import Callable, Mapping

from stream.core.rules import METRICS, All, AtLeast, Condition, Metric


def metrics_of(condition: Condition) -> tuple[Metric, ...]:
    """The metrics that the condition names, each once, in the order of ``METRICS``."""
    named = _named(condition)
    return tuple(metric for metric in METRICS if metric in named)


def holds(condition: Condition, value_of: Callable[[Metric], int]) -> bool:
    """Whether the condition holds for these values; each is asked for only when it matters."""
    match condition:
        case AtLeast(metric, threshold):
            return value_of(metric) >= threshold
        case All(parts):
            return all(holds(part, value_of) for part in parts)
    return any(holds(part, value_of) for part in condition.parts)


def necessary(condition: Condition) -> Mapping[Metric, int]:
    """For each metric named, a value below which the condition can't hold whatever the others are.

    0 where the condition can hold without the metric at all.
    """
    match condition:
        case AtLeast(metric, threshold):
            return {metric: threshold}
        case All(parts):
            below = [necessary(part) for part in parts]
            return {metric: max(part.get(metric, 0) for part in below) for metric in metrics_of(condition)}
    below = [necessary(part) for part in condition.parts]
    return {metric: min(part.get(metric, 0) for part in below) for metric in metrics_of(condition)}


def _named(condition: Condition) -> frozenset[Metric]:
    if isinstance(condition, AtLeast):
        return frozenset((condition.metric,))
    return frozenset().union(*map(_named, condition.parts))
