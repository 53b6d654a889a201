"""A series answers for every window as if it summed up all that was ever added."""

from hypothesis import given
from hypothesis import strategies as st

from stream.core.series import Series

ADDS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), max_size=60)
WINDOWS = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 40)), max_size=10)


def naive(adds: list[tuple[int, int]], pane: int, length: int) -> int:
    return sum(amount for at, amount in adds if pane - length < at <= pane)


@given(st.lists(st.tuples(ADDS, WINDOWS), max_size=6))
def test_any_window_may_be_asked_for_between_any_adds(
    steps: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]],
) -> None:
    series, added = Series(), list[tuple[int, int]]()
    for adds, windows in steps:
        for pane, amount in adds:
            series.add(pane, amount)
            added.append((pane, amount))
        for pane, length in windows:
            assert series.window(pane, length) == naive(added, pane, length)
        assert series.total == sum(amount for _, amount in added)


@given(ADDS, st.lists(st.integers(0, 70), min_size=1, unique=True).map(sorted), st.integers(1, 40))
def test_many_windows_read_as_each_by_itself(
    adds: list[tuple[int, int]], panes: list[int], length: int
) -> None:
    series = Series()
    for pane, amount in adds:
        series.add(pane, amount)
    assert series.windows(panes, length) == [naive(adds, pane, length) for pane in panes]


@given(ADDS, ADDS, st.integers(0, 60), WINDOWS)
def test_what_was_forgotten_is_gone_and_the_rest_is_right(
    before: list[tuple[int, int]], after: list[tuple[int, int]], floor: int, windows: list[tuple[int, int]]
) -> None:
    series = Series()
    for pane, amount in before:
        series.add(pane, amount)
        series.window(pane, 7)
    gone = series.forget_before(floor)
    kept = [(pane, amount) for pane, amount in before if pane >= floor]
    assert sorted(gone) == sorted({pane for pane, _ in before if pane < floor})
    for pane, amount in after:
        series.add(pane, amount)
        kept.append((pane, amount))
    for pane, length in windows:
        assert series.window(pane, length) == naive(kept, pane, length)
    assert series.head == max((pane for pane, _ in kept), default=-1)


@given(ADDS.filter(bool), WINDOWS)
def test_restored_cells_read_like_the_ones_that_were_stored(
    adds: list[tuple[int, int]], windows: list[tuple[int, int]]
) -> None:
    series, again = Series(), Series()
    for pane, amount in adds:
        series.add(pane, amount)
    again.restore(series.all_cells())
    assert [again.window(*window) for window in windows] == [series.window(*window) for window in windows]
    assert (again.head, again.total) == (series.head, series.total)


def test_a_cell_holds_an_add_of_nothing() -> None:
    """A view of 0 ms is an add of watch time: its pane is judged."""
    series = Series()
    series.add(3, 0)
    assert series.panes_between(0, 10) == [3]
