"""A take-over as its parts, told from the worker's log, the group's coordinator, and the bonuses."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from benchmarks.command import CannotMeasure
from benchmarks.recovery.traffic import Paid
from tests.kafka.workers import Line

TAKE_STEPS = ("membership", "ledger", "lease", "ids", "scan")
PARTS = ("session time-out", "old one's end", "process", "rebalance", *TAKE_STEPS, "first bonus")
"""In the order in which they follow each other; not all belong to every event."""

_ADMIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """From ``event`` to the first bonus of whoever has the partition then: seconds by part, in order."""

    event: str
    state: str
    parts: Mapping[str, float]

    @property
    def total_s(self) -> float:
        """All of it."""
        return sum(self.parts.values())


def said_s(line: Line) -> float:
    """When a line was logged, Unix s."""
    return datetime.fromisoformat(str(line["timestamp"])).timestamp()


def parts(
    before: Mapping[str, float], since_s: float, assigned: Line, taken: Line, paid: Paid
) -> dict[str, float]:
    """The parts from ``since_s`` on. ``before`` are those that end when the partition is being assigned."""
    steps = cast(Mapping[str, float], taken["steps"])
    split = dict(before)
    split["rebalance"] = max(0.0, said_s(assigned) - since_s - sum(before.values()))
    split |= {step: steps[step] for step in TAKE_STEPS}
    split["first bonus"] = max(0.0, paid.held_s - said_s(taken))
    return split


def await_removal(bootstrap: str, group: str, members: int, within_s: float) -> float:
    """When (Unix s) the group's coordinator knows of fewer than ``members``, or lets them join anew."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        [found] = admin.describe_consumer_groups([group]).values()
        described = found.result(_ADMIN_S)
        if len(described.members) < members or described.state is not ConsumerGroupState.STABLE:
            return time.time()
    raise CannotMeasure(f"the group {group} has had {members} members for {within_s:g} s")
