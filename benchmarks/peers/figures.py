"""What is measured of a peer, and how the steady figures come from looks at it."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypedDict

from benchmarks.peers.job import Award

LEAST_S = 2.5


class Look(NamedTuple):
    """One look at a running peer: when (s), what it and the servers have used, and the events it has committed."""

    at_s: float
    cpu_s: float
    servers_cpu_s: float
    events: int


class Steady(TypedDict):
    """What the last part of the load cost, after ``since`` events: the rate by the wall clock, CPU µs
    an event of the peer, and CPU µs an event of the servers.
    """

    since: int
    events_a_second: float
    cpu_us: float
    servers_cpu_us: float


class Verdict(TypedDict):
    """A peer's awards beside those that were due."""

    due: int
    missing: int
    false: int
    doubled: int


class Figures(TypedDict):
    """What a peer's run is remembered by.

    ``failed`` says why there are neither figures nor a verdict; a run too short for a peer has no ``steady``.
    """

    name: str
    tool: str
    version: str
    form: str
    limits: str
    windows: str
    events: int
    steady: Steady | None
    cpu_us_from_start: float
    max_rss_mib: float
    verdict: Verdict | None
    failed: str | None


def steady(looks: Sequence[Look], total: int) -> Steady | None:
    """The figures between the first commit in the second half and the last commit while there was still work.

    The very last commit is left out where there is another: it may come a whole interval after the last event.
    A peer that commits too seldom for that is measured from its start on, for what was done between two commits can't
    be told. ``None`` where even that is less than ``LEAST_S``: the load was too short for the peer.
    """
    commits = [now for before, now in pairwise(looks) if now.events > before.events]
    half = [look for look in commits if look.events >= total / 2]
    if len(half) > 2:
        half.pop()
    for measured in half, looks:
        if measured and measured[-1].at_s - measured[0].at_s >= LEAST_S:
            return _between(measured[0], measured[-1])
    return None


def _between(first: Look, last: Look) -> Steady:
    events = last.events - first.events
    return Steady(
        since=first.events,
        events_a_second=events / (last.at_s - first.at_s),
        cpu_us=(last.cpu_s - first.cpu_s) * 1e6 / events,
        servers_cpu_us=(last.servers_cpu_s - first.servers_cpu_s) * 1e6 / events,
    )


def verdict(due: set[Award], found: Sequence[Award]) -> Verdict:
    """The awards that were made, each held against those that were due."""
    times = Counter(found)
    return Verdict(
        due=len(due),
        missing=len(due - times.keys()),
        false=len(times.keys() - due),
        doubled=sum(1 for count in times.values() if count > 1),
    )
