"""Places: of one viewer's events on one video (or creator), the first so many in a local period count.

```
at_most {per_viewer: 1, per: day}      day d              |  day d+1
a viewer's views on a video            x  .  .            |  x  .         x counts, . finds no place
with a remove (r frees the place)      x  .  r  x  .      |
```
A gate is one line's ``at_most`` for one region. Whoever shares the line shares the gate, so an event is decided once
however many counters it feeds. Places are taken and freed in offset order; they are forgotten once their period's end
and the lateness lie before arrival, and so is what a later remove could have freed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from mypy_extensions import mypyc_attr

from stream.core.entry import CellFields, Entry
from stream.core.filters import Filter
from stream.core.panes import FOREVER_MS, Local
from stream.core.rules import SubjectKind

_BUCKETS: Final = 256
_PLACES: Final = "\x1e"  # no id holds a control character


@dataclass(frozen=True, slots=True)
class Gate:
    """An ``at_most`` of one line and region; ``name`` is a digest of their meaning.

    Only events at ``start_ms`` or later that pass ``filter`` come to it.
    """

    name: str
    start_ms: int
    filter: Filter | None
    per_viewer: int
    of: SubjectKind
    local: Local


@mypyc_attr(acyclic=True)
class Places(Entry):
    """The places taken on one video (or creator) in one period, by a share of the viewers.

    Viewers are spread over buckets by a checksum, so that no key of a viral video grows without bound. ``gate`` (its
    name) and ``period`` are those of the key.
    """

    __slots__ = ("gate", "period", "taken", "touched")

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.gate, period, _ = key.rpartition(_PLACES)[2].split(":")
        self.period = int(period)
        self.taken: dict[str, int] = {}
        self.touched: set[str] = set()

    def admit(self, viewer_id: str, gate: Gate) -> bool:
        """Take a place for an add; whether there was one."""
        taken = self.taken.get(viewer_id, 0)
        if taken >= gate.per_viewer:
            return False
        self.taken[viewer_id] = taken + 1
        self.touched.add(viewer_id)
        return True

    def free(self, viewer_id: str) -> bool:
        """Free a place for a remove; whether there was one to free."""
        taken = self.taken.get(viewer_id, 0)
        if taken == 0:
            return False
        self.taken[viewer_id] = taken - 1
        self.touched.add(viewer_id)
        return True

    def restore(self, fields: Mapping[str, int]) -> None:
        """Take over checkpointed fields: viewer -> places taken."""
        self.taken = dict(fields)

    def is_empty(self) -> bool:
        return not any(self.taken.values())

    def take_changes(self, cells: CellFields) -> dict[str, int | None]:
        fields: dict[str, int | None] = {viewer: self.taken[viewer] or None for viewer in self.touched}
        if self.due_ms == FOREVER_MS or None in fields.values():
            self.due_is_open = True
        self.touched, self.changed = set(), False
        return fields


def places_key(subject: str, gate: Gate, period: int, viewer_id: str) -> str:
    """The key of the bucket that holds a viewer's places on ``subject`` (its key) in a period."""
    return f"{subject}{_PLACES}{gate.name}:{period}:{crc32(viewer_id.encode()) % _BUCKETS:x}"


def holds_places(key: str) -> bool:
    """Whether a key of the state is one of places, not of a subject."""
    return _PLACES in key
