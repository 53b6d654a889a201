"""A subject's state: its counters' cells and the awards made to it. One creator, or one video of a creator.

As fields of a checkpoint, all integers:
```
"3f9c01ab77de.US:29384756"    -> 12      a cell: counter, pane
"3f9c01ab77de.US-:29384756"   -> 2       what removes took back there
"!creator-rewards/bronze/-"   -> 1       a latch
```
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final

from mypy_extensions import mypyc_attr

from stream.core.entry import CellFields, Entry
from stream.core.plan import Counter, Plan
from stream.core.series import NEVER, Series

_VIDEO: Final = "\x1f"  # no id holds a control character, so the joined key is unambiguous
_CREATOR = re.compile("[^\x1e\x1f]*")
_LATCH: Final = "!"

NO_LATCHES: Final[dict[str, None]] = {}
NOTHING_FRESH: Final[list[str]] = []
NO_OTHERS: Final[dict[str, Series]] = {}
"""Those of every subject that has none, never changed: most subjects are never awarded anything and have one series.
Empty ones of their own would be a third of them, and more memory to wait for at each event. Latches are keys of a
dict: it is smaller than a set, and nothing that the garbage collector would walk.
"""


def subject_key(creator_id: str, video_id: str | None) -> str:
    """The key of a creator, or of a video, which is the pair of both ids."""
    return creator_id if video_id is None else f"{creator_id}{_VIDEO}{video_id}"


def creator_of(key: str) -> str:
    """The creator of an entry, by its key: a subject's, or one of places, which begins with a subject's."""
    found = _CREATOR.match(key)
    assert found is not None
    return found[0]


def latch_field(latch: str) -> str:
    """The field that a latch is checkpointed under."""
    return _LATCH + latch


@mypyc_attr(acyclic=True)
class Subject(Entry):
    """The mutable state of one subject.

    ``first`` is a series of it, under ``first_name``, and ``others`` are the rest: ask ``find`` or ``each``.
    ``latch_due_ms`` is the least due of its latches, 0 where that is not known.
    """

    __slots__ = ("first", "first_name", "fresh_latches", "latch_due_ms", "latches", "others")

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.first: Series | None = None
        self.first_name = ""
        self.others = NO_OTHERS
        self.latches = NO_LATCHES
        self.fresh_latches = NOTHING_FRESH
        self.latch_due_ms = 0

    def find(self, name: str) -> Series | None:
        """The series stored under ``name``."""
        return self.first if name == self.first_name else self.others.get(name)

    def each(self) -> Iterator[tuple[str, Series]]:
        """Every series, by name."""
        if self.first is not None:
            yield self.first_name, self.first
        yield from self.others.items()

    def open(self, counter: Counter, name: str) -> Series:
        """The series stored under ``name``, made where there is none yet."""
        series = self.find(name)
        if series is None:
            series = self._new(name)
            if self.latches:
                self.set_floor(counter)
            else:
                series.floor = counter.needs[0]
        return series

    def set_floor(self, counter: Counter) -> None:
        """Below which total of this counter nothing of it can be reached any more."""
        series = self.find(counter.name)
        if series is not None:
            judges, needs = counter.judges, counter.needs
            at = bisect_left(needs, series.floor)  # a floor only rises
            while at < len(needs) and judges[at].for_good in self.latches:
                at += 1
            series.floor = needs[at] if at < len(needs) else NEVER

    def award(self, latch: str) -> None:
        """Remember an award for good."""
        self._latch(latch)
        if not self.fresh_latches:
            self.fresh_latches = []
        self.fresh_latches.append(latch)
        self.latch_due_ms, self.due_is_open = 0, True

    def restore(self, fields: Mapping[str, int], plan: Plan) -> list[str]:
        """Take over checkpointed fields; those of cells that no programme reads any more."""
        stale: list[str] = []
        cells: dict[str, dict[int, int]] = {}
        for field, value in fields.items():
            if field.startswith(_LATCH):
                self._latch(field[1:])
                continue
            name, _, pane = field.rpartition(":")
            cells.setdefault(name, {})[int(pane)] = value
        for name, panes in cells.items():
            counter = plan.counter(name)
            if counter is None:
                stale.extend(f"{name}:{pane}" for pane in panes)
                continue
            self._new(name).restore(panes)
            self.set_floor(counter)
        return stale

    def drop(self, name: str) -> None:
        """Let go of the series under ``name``, which is there."""
        if name == self.first_name:
            self.first, self.first_name = None, ""
        else:
            del self.others[name]

    def is_empty(self) -> bool:
        return not self.latches and all(series.head < 0 for _, series in self.each())

    def take_changes(self, cells: CellFields) -> dict[str, int | None]:
        fields: dict[str, int | None] = {}
        if self.first is not None:
            self._take(self.first_name, self.first, cells, fields)
        for name, series in self.others.items():
            self._take(name, series, cells, fields)
        if self.fresh_latches:
            for latch in self.fresh_latches:
                fields[latch_field(latch)] = 1
            self.fresh_latches = NOTHING_FRESH
        self.changed = False
        return fields

    def _take(self, name: str, series: Series, cells: CellFields, fields: dict[str, int | None]) -> None:
        if series.head_touched or series.touched:
            if series.touched:
                for pane in series.take_touched():
                    fields[cells.name(name, pane)] = series.amount(pane)
            else:  # as with most
                fields[cells.name(name, series.head)] = series.at_head
                series.head_touched = False
            if series.head > series.due_to:
                self.due_is_open = True

    def _new(self, name: str) -> Series:
        series = Series()
        if self.first is None:
            self.first, self.first_name = series, name
        else:
            if not self.others:
                self.others = {}
            self.others[name] = series
        return series

    def _latch(self, latch: str) -> None:
        if not self.latches:
            self.latches = {}
        self.latches[latch] = None
