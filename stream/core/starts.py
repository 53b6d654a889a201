"""From when each line of each version counts: since the version that brought the line, and the region.

```
v1  views, US        |=================>            a line left equal carries on from version to version,
v2  views, US + GB              |===========>       US counts since v1, GB since v2,
v3  views of 5 s                        |====>      and a changed line starts anew with v3
```
The version before is the one before by ``from``, also across a gap. ``count_from`` starts all of a version's
counts earlier; a start that is already earlier stays.
"""

from stream.core.rules import Program, Topic, Version


class Starts:
    """Count starts of one programme: ``starts[version index, topic, region]`` in Unix ms; None is unbounded."""

    def __init__(self, program: Program) -> None:
        self._versions = program.versions

    def __getitem__(self, at: tuple[int, Topic, str]) -> int | None:
        index, topic, region = at
        start = None
        for place, version in enumerate(self._versions[: index + 1]):
            carried = place > 0 and _carries_on(self._versions[place - 1], version, topic, region)
            start = _earlier(start if carried else version.from_ms, version)
        return start


def count_starts(program: Program) -> Starts:
    """The count starts of a programme's versions, which stand in the order of their ``from``."""
    return Starts(program)


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
