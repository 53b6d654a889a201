"""Series: the cells of one counter for one subject, with the sums of the windows that end at its newest pane.

```
pane    97   98   99  100  101  102
cell     3         1         4    2     cells: {97: 3, 99: 1, 101: 4, 102: 2}
                    |---- n=4 ----|     head 102, sums {4: 7}
```
Most subjects never come near a threshold: nobody asks for their windows, and an event costs one cell and one
addition to the total. Once a window that ends at the head has been asked for, its sum is kept running: a later pane
moves the head and takes what falls out of each window from its sum; an earlier pane (a late event) adds to the
windows that still reach it. A window that ends near the head is told from that sum by what lies between; one that
ends anywhere else is summed up, over the fewer of its panes and the cells there are.
"""

from typing import Final

NEVER: Final = 1 << 200
"""A floor that no total reaches: nothing is left to be judged."""


class Series:
    """Cells of one (counter, region) of one subject.

    ``total`` is the sum of all cells kept: never less than any window's sum. ``floor`` is the least total at
    which some open tier can be reached; the engine sets it. ``head`` is the newest pane that holds a cell, -1 for
    none. ``sums`` are those windows that end at the head which have been asked for, by length in panes. ``touched``
    are the panes written since the last checkpoint was cut. From ``due_ms`` on all cells can go, as long as the head
    is not beyond ``due_to`` (``expiry``).
    """

    __slots__ = (
        "cells",
        "due_ms",
        "due_to",
        "floor",
        "head",
        "last_touched",
        "prune_from",
        "sums",
        "total",
        "touched",
    )

    def __init__(self) -> None:
        self.cells: dict[int, int] = {}
        self.head = -1
        self.sums: dict[int, int] = {}
        self.total = 0
        self.floor = 0
        self.touched: list[int] = []
        self.last_touched = -1
        self.prune_from = 0
        self.due_ms, self.due_to = NEVER, -1

    def restore(self, cells: dict[int, int]) -> None:
        """Take over checkpointed cells."""
        self.cells = cells
        self.total = sum(cells.values())
        self.head = max(cells, default=-1)

    def add(self, pane: int, amount: int) -> None:
        """Count ``amount`` in ``pane``. A cell exists from its first add on, also for an amount of 0."""
        if pane > self.head:
            self._move_head(pane)
        sums = self.sums
        for length in sums:
            if pane > self.head - length:
                sums[length] += amount
        self.cells[pane] = self.cells.get(pane, 0) + amount
        self.total += amount

    def window(self, pane: int, length: int) -> int:
        """The sum of the ``length`` panes that end with ``pane``."""
        head = self.head
        apart = abs(pane - head)
        if apart >= length or (apart and len(self.cells) <= apart):
            return self._sum(pane - length + 1, pane)
        if length not in self.sums:
            self.sums[length] = self._sum(head - length + 1, head)
        at_head = self.sums[length]
        if pane > head:
            return at_head - self._sum(head - length + 1, pane - length)
        if pane < head:
            return at_head - self._sum(pane + 1, head) + self._sum(pane - length + 1, head - length)
        return at_head

    def panes_between(self, first: int, last: int) -> list[int]:
        """The panes in ``[first, last]`` that hold a cell, in no order."""
        if last - first + 1 < len(self.cells):
            return [pane for pane in range(first, last + 1) if pane in self.cells]
        return [pane for pane in self.cells if first <= pane <= last]

    def forget_before(self, pane: int) -> list[int]:
        """Drop the cells before ``pane``; the panes dropped."""
        gone = [old for old in self.cells if old < pane]
        for old in gone:
            self.total -= self.cells.pop(old)
        if gone:
            self.sums.clear()
            self.head = max(self.cells, default=-1)
        return gone

    def _move_head(self, pane: int) -> None:
        head = self.head
        for length in self.sums:
            if pane - head >= length:
                self.sums[length] = 0
            else:
                self.sums[length] -= self._sum(head - length + 1, pane - length)
        self.head = pane

    def _sum(self, first: int, last: int) -> int:
        cells = self.cells
        if last - first + 1 < len(cells):
            get = cells.get
            return sum([get(pane, 0) for pane in range(first, last + 1)])
        return sum([amount for pane, amount in cells.items() if first <= pane <= last])
