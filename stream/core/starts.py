"""From when each line of each version counts: since the version that brought the line, and the region.

```
v1  views, US        |=================>            a line left equal carries on from version to version,
v2  views, US + GB              |===========>       US counts since v1, GB since v2,
v3  views of 5 s                        |====>      and a changed line starts anew with v3
```
The version before is the one before by ``from``, also across a gap. ``count_from`` starts all of a version's
counts earlier; a start that is already earlier stays.

A version may be loaded when a count of it should have begun already: what it brings then counts from what is read
since, although its start is earlier. ``Late`` says which, and tells counts apart that began at different loads. A
line that it carries on carries on as far as it was counted: a metric that no version named before, or windows that
are cut otherwise or reach further back than those of the versions before, are counted anew.

So is a lifetime whose end is moved to before what was read: what it has counted may lie beyond the end.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from stream.core.conditions import metrics_of
from stream.core.rules import Lifetime, Program, Topic, Version, topic_of

Late = Mapping[tuple[str, int], int]
"""Versions, as (program, number), that were loaded after a count of theirs should have begun; and the edition that
they came with."""

Shortened = Mapping[tuple[str, int], int]
"""Lifetime versions, as (program, number), whose end was moved to before what was read; and the edition that did."""

Keeps = Callable[[Version, Version], bool]
"""Whether the first version's counter of a metric holds all the panes that the second one's windows need."""

ANY_OTHER = "--"
"""Stands for every region that no version lists."""


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

    def kept(self, index: int, topic: Topic, region: str, keeps: Keeps) -> CountStart:
        """The start of one counter of a version: told apart where the version was loaded late, and no version that
        the line carries on from ``keeps`` all that it needs."""
        start, version = self[index, topic, region], self._program.versions[index]
        edition = self._late.get((self._program.name, version.number))
        if edition is None or edition == start.edition:
            return start
        for before in range(index - 1, -1, -1):
            if self[before, topic, region] != start:
                break
            if keeps(self._program.versions[before], version):
                return self.kept(before, topic, region, keeps)
        return CountStart(start.at_ms, edition)

    def first_ms(self, index: int) -> int:
        """The first instant that any count of a version spans, in any region; -1 where one is unbounded."""
        version = self._program.versions[index]
        named = {topic_of(metric) for tier in version.tiers for metric in metrics_of(tier.when)}
        regions = version.regions or {
            ANY_OTHER,
            *(region for each in self._program.versions for region in each.regions or ()),
        }
        starts = [self[index, topic, region].at_ms for topic in named for region in regions]
        return min(-1 if start is None else start for start in starts)


def count_starts(program: Program, late: Late | None = None) -> Starts:
    """The count starts of a programme's versions, which stand in the order of their ``from``."""
    return Starts(program, late or {})


def begun(program: Program, known: Collection[int], counted_ms: int) -> list[Version]:
    """The versions, but for the ``known`` ones, of which a count should have begun: it spans ``counted_ms``, the last
    instant of which an event may have been read."""
    starts = count_starts(program)
    return [
        version
        for index, version in enumerate(program.versions)
        if version.number not in known and starts.first_ms(index) <= counted_ms
    ]


def shortened(program: Program, known: Mapping[int, Version], counted_ms: int) -> list[Version]:
    """The lifetime versions that end earlier than they did as ``known``, and not after ``counted_ms``, the last
    instant of which an event may have been read."""
    return [
        version
        for version in program.versions
        if isinstance(version.window, Lifetime)
        and version.until_ms is not None
        and version.until_ms <= counted_ms
        if (before := known.get(version.number)) is not None
        and (before.until_ms is None or before.until_ms > version.until_ms)
    ]


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
