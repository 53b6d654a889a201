"""From when each line of each version counts: since the version that brought the line, and the region.

```
v1  views, US        |=================>            a line left equal carries on from version to version,
v2  views, US + GB              |===========>       US counts since v1, GB since v2,
v3  views of 5 s                        |====>      and a changed line starts anew with v3
```
The version before is the one before by ``from``, also across a gap. ``count_from`` starts all of a version's
counts earlier; a start that is already earlier stays.

A version may be loaded when its start lies already behind: what it brings then counts from what is read since,
although its start is earlier. ``Late`` says which, and tells counts apart that began at different loads.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from stream.core.rules import Program, Topic, Version

Late = Mapping[tuple[str, int], int]
"""Versions, as (program, number), that were loaded after their start; and the edition that they came with."""


class CountStart(NamedTuple):
    """When a count starts, in Unix ms (None is unbounded), and the edition it was loaded late with, if it was."""

    at_ms: int | None
    edition: int | None


class Starts:
    """Count starts of one programme: ``starts[version index, topic, region]``."""

    def __init__(self, program: Program, late: Late) -> None:
        self._program = program
        self._late = late

    def __getitem__(self, at: tuple[int, Topic, str]) -> CountStart:
        index, topic, region = at
        start = CountStart(None, None)
        versions = self._program.versions
        for place, version in enumerate(versions[: index + 1]):
            edition = self._late.get((self._program.name, version.number))
            if place > 0 and _carries_on(versions[place - 1], version, topic, region):
                earlier = _earlier(start.at_ms, version)
                start = start if earlier == start.at_ms else CountStart(earlier, edition)
            else:
                start = CountStart(_earlier(version.from_ms, version), edition)
        return start


def count_starts(program: Program, late: Late | None = None) -> Starts:
    """The count starts of a programme's versions, which stand in the order of their ``from``."""
    return Starts(program, late or {})


def begun(program: Program, known: Collection[int], counted_ms: int) -> list[Version]:
    """The versions, but for the ``known`` ones, of whose counts some may have passed by: they start no later than
    ``counted_ms``, the last instant of which an event may have been read."""
    return [
        version
        for version in program.versions
        if version.number not in known and first_ms(version) <= counted_ms
    ]


def first_ms(version: Version) -> int:
    """The first instant at which a line that the version brings may count, -1 where it is unbounded."""
    if version.from_ms is None:
        return -1
    return version.from_ms if version.count_from_ms is None else min(version.from_ms, version.count_from_ms)


def _carries_on(before: Version, version: Version, topic: Topic, region: str) -> bool:
    return (
        before.line(topic) == version.line(topic)
        and before.campaigns == version.campaigns
        and (before.regions is None or region in before.regions)
    )


def _earlier(start: int | None, version: Version) -> int | None:
    if start is None or version.count_from_ms is None:
        return start
    return min(start, version.count_from_ms)
