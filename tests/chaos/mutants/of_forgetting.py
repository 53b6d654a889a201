"""Breaks of when something is forgotten."""

from collections.abc import Iterable

from stream.core.partition import Partition
from stream.core.rules import Topic


def by_fastest_topic() -> None:
    def horizon(self: Partition, topics: Iterable[Topic]) -> int:
        reached = max(self._intakes[topic].arrival for topic in topics)
        return reached - self.limits.allowed_lateness_ms

    Partition._horizon = horizon  # type: ignore[method-assign]
