"""From when lines count, of versions that were loaded in time and of those that were loaded late."""

import pytest

from stream.core.rules import EVERYTHING, Line, Rolling, Version
from stream.core.starts import CountStart, begun, count_starts
from tests.builders import HOUR, program, tier, version

WINDOW = Rolling(HOUR, HOUR)
UNPAID = Line(paid=False)


def dated(
    number: int, from_ms: int | None, line: Line = EVERYTHING, count_from_ms: int | None = None
) -> Version:
    return version(
        WINDOW,
        tier(views=1),
        number=number,
        from_ms=from_ms,
        count_from_ms=count_from_ms,
        lines={"views": line},
    )


def test_a_line_that_carries_on_keeps_its_start_and_the_load_that_it_came_with() -> None:
    starts = count_starts(program(dated(1, 100), dated(2, 200), dated(3, 300)), {("rewards", 2): 7})
    assert [CountStart(100, None)] * 3 == [starts[index, "views", "US"] for index in range(3)]


def test_a_line_that_a_late_version_brings_is_told_apart_also_where_it_carries_on_later() -> None:
    versions = dated(1, 100), dated(2, 200, UNPAID), dated(3, 300, UNPAID)
    starts = count_starts(program(*versions), {("rewards", 2): 7, ("rewards", 3): 9})
    assert [(100, None), (200, 7), (200, 7)] == [starts[index, "views", "US"] for index in range(3)]
    assert (100, None) == starts[1, "likes", "US"]


def test_a_late_version_that_moves_the_start_of_a_line_to_an_earlier_time_brings_a_count_of_its_own() -> None:
    """Nobody counted since that time: what counters of others may have held since is not its own."""
    versions = dated(1, 100), dated(2, 200, count_from_ms=50)
    assert (50, 7) == count_starts(program(*versions), {("rewards", 2): 7})[1, "views", "US"]
    assert (50, None) == count_starts(program(*versions))[1, "views", "US"]


@pytest.mark.parametrize(
    ("version", "counted_ms", "is_begun"),
    [
        (dated(1, 100), 99, False),
        (dated(1, 100), 100, True),
        (dated(1, 100, count_from_ms=50), 49, False),
        (dated(1, 100, count_from_ms=50), 50, True),
        (dated(1, None), -2, False),  # nothing was read yet
        (dated(1, None), 0, True),
    ],
)
def test_a_version_has_begun_once_an_event_that_counts_may_have_been_read(
    version: Version, counted_ms: int, is_begun: bool
) -> None:
    assert ([version] if is_begun else []) == begun(program(version), [], counted_ms)
    assert [] == begun(program(version), [1], counted_ms)
