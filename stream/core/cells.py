"""Cells: what panes hold, ascending, in one array of 64-bit integers: pane, amount, pane, amount, …

Sixteen bytes a cell, side by side, where a dict takes a hundred, with its integers all over memory. Nearly every cell
is of a later pane than all before it, and is appended; any other is found by bisection. An amount comes nowhere near
2⁶³: that were four thousand million views of the longest in one pane.

An array is a value: what is returned takes the place of what was given, which must not be used any more.
"""

from librt.vecs import append, vec
from mypy_extensions import i64


def place(cells: vec[i64], pane: i64) -> i64:
    """Where the first cell begins that is not of a pane before ``pane``; the end where there is none."""
    low: i64 = 0
    high: i64 = len(cells) >> 1
    while low < high:
        middle = (low + high) >> 1
        if cells[2 * middle] < pane:
            low = middle + 1
        else:
            high = middle
    return 2 * low


def amount_in(cells: vec[i64], pane: i64) -> int | None:
    """What the pane holds; None where it has no cell."""
    at = place(cells, pane)
    return cells[at + 1] if at < len(cells) and cells[at] == pane else None


def add_to(cells: vec[i64], pane: i64, amount: i64) -> vec[i64]:
    """The cells with ``amount`` more in ``pane``, in a cell of its own where it had none."""
    end = len(cells)
    if end == 0 or cells[end - 2] < pane:
        return append(append(cells, pane), amount)
    at = place(cells, pane)
    if cells[at] == pane:
        cells[at + 1] += amount
        return cells
    cells = append(append(cells, 0), 0)
    index = end + 1
    while index > at + 1:
        cells[index] = cells[index - 2]
        index -= 1
    cells[at], cells[at + 1] = pane, amount
    return cells


def sum_of(cells: vec[i64], first: i64, last: i64) -> i64:
    """The sum of what the panes from ``first`` to ``last`` hold."""
    at, end = place(cells, first), len(cells)
    found: i64 = 0
    while at < end and cells[at] <= last:
        found += cells[at + 1]
        at += 2
    return found


def panes_in(cells: vec[i64], first: i64, last: i64) -> list[int]:
    """The panes from ``first`` to ``last`` that have a cell, ascending."""
    at, end = place(cells, first), len(cells)
    panes: list[int] = []
    while at < end and cells[at] <= last:
        panes.append(cells[at])
        at += 2
    return panes


def as_dict(cells: vec[i64], first: i64, last: i64) -> dict[int, int]:
    """What the panes from ``first`` to ``last`` hold that have a cell, ascending."""
    at, end = place(cells, first), len(cells)
    found: dict[int, int] = {}
    while at < end and cells[at] <= last:
        found[cells[at]] = cells[at + 1]
        at += 2
    return found
