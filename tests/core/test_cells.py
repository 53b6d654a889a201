"""An array of cells answers as a dict of panes would."""

from hypothesis import given
from hypothesis import strategies as st
from librt.vecs import vec
from mypy_extensions import i64

from stream.core.cells import add_to, amount_in, as_dict, panes_in, place, sum_of

PANES = st.integers(0, 40)
ADDS = st.lists(st.tuples(PANES, st.integers(-(2**61), 2**61)), max_size=40)


def cells_of(adds: list[tuple[int, int]]) -> tuple[vec[i64], dict[int, int]]:
    """The same adds in both."""
    cells, expected = vec[i64](), dict[int, int]()
    for pane, amount in adds:
        amount //= len(adds)
        cells = add_to(cells, pane, amount)
        expected[pane] = expected.get(pane, 0) + amount
    return cells, dict(sorted(expected.items()))


@given(ADDS, PANES, PANES)
def test_what_was_added_is_found(adds: list[tuple[int, int]], first: int, last: int) -> None:
    cells, expected = cells_of(adds)
    assert list(as_dict(cells, 0, 40).items()) == list(expected.items())
    assert [amount_in(cells, pane) for pane in range(41)] == [expected.get(pane) for pane in range(41)]
    asked = {pane: amount for pane, amount in expected.items() if first <= pane <= last}
    assert as_dict(cells, first, last) == asked
    assert panes_in(cells, first, last) == list(asked)
    assert sum_of(cells, first, last) == sum(asked.values())
    assert place(cells, first) == 2 * sum(pane < first for pane in expected)


def test_a_cell_takes_sixteen_bytes() -> None:
    """Side by side, whatever the order that they came in."""
    cells = add_to(add_to(add_to(vec[i64](), 7, 1), 3, 2), 5, 0)
    assert memoryview(cells).tolist() == [3, 2, 5, 0, 7, 1]
    assert memoryview(cells).nbytes == 3 * 16
