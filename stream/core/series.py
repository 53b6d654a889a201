"""Series: the cells of one counter for one subject, with the sums of the windows that end at its newest pane.

```
pane    97   98   99  100  101  102
cell     3         1         4    2     head 102, at_head 2, cells [97, 3, 99, 1, 101, 4]
                    |- n=4 --|          before {4: 5}
```
Most subjects never come near a threshold: nobody asks for their windows, and most events are in the newest pane:
they cost two additions. Once a window that ends at the head has been asked for, the sum of its other panes is kept
running: a later pane moves the head and takes what falls out of each window from it; an earlier pane (a late event)
adds to the windows that still reach it. A window that ends near the head is told from that sum by what lies between;
one that ends anywhere else is summed up.
"""

from typing import Final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from stream.core.cells import add_to, amount_in, as_dict, panes_in, sum_of

NEVER: Final = (1 << 62) - 1
"""A floor that no total reaches: nothing is left to be judged. Compiled code holds no larger integer without
an object, and it would take two thousand million views of the longest."""

NO_WINDOWS: Final[dict[int, int]] = {}
NO_PANES: Final[list[int]] = []
"""The sums of every series whose windows nobody has asked for, and the panes written of one of which only the head
was: most have none of them. Never changed."""


@mypyc_attr(acyclic=True)
class Series:
    """Cells of one (counter, region) of one subject.

    ``head`` is the newest pane that holds a cell, -1 for none, ``at_head`` what it holds; ``cells`` are the others
    (``core/cells``).
    ``total`` is the sum of all cells kept: never less than any window's sum. ``before`` are the windows that end at
    the head which have been asked for, by length in panes: what they hold but for the head.

    ``floor`` is the least total at which some open tier can be reached; the engine sets it. From ``calm_from`` to
    ``calm_to`` ``calm_floor`` stands for it: some awards of these panes' period are made already.

    ``touched`` are the panes written since the last checkpoint was cut, without the head, which is in it if
    ``head_touched``. From ``due_ms`` on all cells can go, as long as the head is not beyond ``due_to`` (``expiry``).
    """

    __slots__ = (
        "at_head",
        "before",
        "calm_floor",
        "calm_from",
        "calm_to",
        "cells",
        "due_ms",
        "due_to",
        "floor",
        "head",
        "head_touched",
        "prune_from",
        "total",
        "touched",
    )

    def __init__(self) -> None:
        self.cells = vec[i64]()
        self.head = -1
        self.at_head = 0
        self.before = NO_WINDOWS
        self.total = 0
        self.floor = 0
        self.calm_from, self.calm_to, self.calm_floor = 0, -1, 0
        self.touched = NO_PANES
        self.head_touched = False
        self.prune_from = 0
        self.due_ms, self.due_to = NEVER, -1

    def restore(self, cells: dict[int, int]) -> None:
        """Take over checkpointed cells, at least one."""
        self.total = sum(cells.values())
        self.head = max(cells)
        self.at_head = cells.pop(self.head)
        packed = vec[i64](capacity=2 * len(cells))
        for pane in sorted(cells):
            packed = append(append(packed, pane), cells[pane])
        self.cells = packed

    def all_cells(self) -> dict[int, int]:
        """Every cell by its pane."""
        return self._between(0, self.head)

    def amount(self, pane: int) -> int | None:
        """What a pane's cell holds; None where there is none."""
        return self.at_head if pane == self.head else amount_in(self.cells, pane)

    def add(self, pane: int, amount: int) -> None:
        """Count ``amount`` in ``pane``. A cell exists from its first add on, also for an amount of 0."""
        head = self.head
        if pane < head:
            self.cells = add_to(self.cells, pane, amount)
            for length in self.before:
                if pane > head - length:
                    self.before[length] += amount
            if not self.touched or self.touched[-1] != pane:
                self._touch(pane)
        else:
            if pane > head:
                self._move_head(pane)
            self.at_head += amount
            self.head_touched = True
        self.total += amount

    def is_calm(self, pane: int) -> bool:
        """Whether nothing can be reached from ``pane`` to the head, although the total has come to the floor."""
        return self.calm_from <= pane and self.head <= self.calm_to and self.total < self.calm_floor

    def window(self, pane: int, length: int) -> int:
        """The sum of the ``length`` panes that end with ``pane``."""
        head = self.head
        apart = abs(pane - head)
        if apart >= length or (apart and len(self.cells) < 2 * apart):
            found = sum_of(self.cells, pane - length + 1, pane)
            return found + self.at_head if pane - length < head <= pane else found
        if length not in self.before:
            if not self.before:
                self.before = {}
            self.before[length] = sum_of(self.cells, head - length + 1, head - 1)
        others = self.before[length]
        if pane < head:
            return (
                others
                - sum_of(self.cells, pane + 1, head - 1)
                + sum_of(self.cells, pane - length + 1, head - length)
            )
        if pane > head:
            others -= sum_of(self.cells, head - length + 1, pane - length)
        return others + self.at_head

    def windows(self, panes: list[int], length: int) -> list[int]:
        """The sums of the ``length`` panes that end with each of ``panes``, which ascend.

        Of many panes each cell is looked at once, as it enters the windows, and once as it leaves them.
        """
        if len(panes) == 1:
            return [self.window(panes[0], length)]
        cells = list(self._between(panes[0] - length + 1, panes[-1]).items())
        sums: list[int] = []
        total = entered = left = 0
        for pane in panes:
            while entered < len(cells) and cells[entered][0] <= pane:
                total += cells[entered][1]
                entered += 1
            while left < entered and cells[left][0] <= pane - length:
                total -= cells[left][1]
                left += 1
            sums.append(total)
        return sums

    def panes_between(self, first: int, last: int) -> list[int]:
        """The panes in ``[first, last]`` that hold a cell, ascending."""
        panes = panes_in(self.cells, first, last)
        if first <= self.head <= last:
            panes.append(self.head)
        return panes

    def forget_before(self, pane: int) -> list[int]:
        """Drop the cells before ``pane``; the panes dropped."""
        cells = as_dict(self.cells, 0, pane - 1)
        gone = list(cells)
        if gone:
            self.total -= sum(cells.values())
            self.cells = self.cells[2 * len(gone) :]
        if 0 <= self.head < pane:
            gone.append(self.head)
            self.head, self.at_head, self.total, self.head_touched = -1, 0, 0, False
        if gone:
            self.before = NO_WINDOWS
        return gone

    def take_touched(self) -> list[int]:
        """The panes written since the last call."""
        touched = self.touched
        if touched:
            self.touched = NO_PANES
            if self.head_touched:
                touched.append(self.head)
        elif self.head_touched:
            touched = [self.head]
        self.head_touched = False
        return touched

    def _move_head(self, pane: int) -> None:
        head = self.head
        if head >= 0:
            self.cells = add_to(self.cells, head, self.at_head)
            if self.head_touched:
                self._touch(head)
        if self.before:
            for length in self.before:
                if pane - head >= length:
                    self.before[length] = 0
                else:
                    self.before[length] += self.at_head - sum_of(self.cells, head - length + 1, pane - length)
        self.head, self.at_head, self.head_touched = pane, 0, False

    def _between(self, first: int, last: int) -> dict[int, int]:
        """What the panes in ``[first, last]`` hold that have a cell, ascending."""
        found = as_dict(self.cells, first, last)
        if first <= self.head <= last:
            found[self.head] = self.at_head
        return found

    def _touch(self, pane: int) -> None:
        if not self.touched:
            self.touched = []
        self.touched.append(pane)
