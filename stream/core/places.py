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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zlib import crc32

from stream.core.outcome import Event
from stream.core.panes import Local
from stream.core.rules import SubjectKind

Check = Callable[[Event], bool]
"""The filters of a line but for ``at_most``."""

_BUCKETS = 256
_PLACES = "\x1e"  # no id holds a control character


@dataclass(frozen=True, slots=True)
class Gate:
    """An ``at_most`` of one line and region; ``name`` is a digest of their meaning.

    Only events at ``start_ms`` or later that pass ``check`` come to it.
    """

    name: str
    start_ms: int
    check: Check | None
    per_viewer: int
    of: SubjectKind
    local: Local


class Places:
    """The places taken on one video (or creator) in one period, by a share of the viewers.

    Viewers are spread over buckets by a checksum, so that no key of a viral video grows without bound. ``gate`` (its
    name) and ``period`` are those of the key; ``due_ms`` and ``due_is_open`` as of a subject.
    """

    __slots__ = (
        "changed",
        "cut",
        "due_is_open",
        "due_ms",
        "gate",
        "key",
        "period",
        "taken",
        "touched",
        "used",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.gate, period, _ = key.rpartition(_PLACES)[2].split(":")
        self.period = int(period)
        self.taken: dict[str, int] = {}
        self.touched: set[str] = set()
        self.changed = False
        self.cut = 0
        self.used = 0
        self.due_ms: int | None = None
        self.due_is_open = True

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
        """Whether nothing of it is stored: all places are free."""
        return not any(self.taken.values())

    def take_changes(self) -> dict[str, int | None]:
        """The fields written since the last call; None for a viewer whose places are all free again."""
        fields: dict[str, int | None] = {viewer: self.taken[viewer] or None for viewer in self.touched}
        if self.due_ms is None or None in fields.values():
            self.due_is_open = True
        self.touched, self.changed = set(), False
        return fields


def places_key(subject: str, gate: Gate, period: int, viewer_id: str) -> str:
    """The key of the bucket that holds a viewer's places on ``subject`` (its key) in a period."""
    return f"{subject}{_PLACES}{gate.name}:{period}:{crc32(viewer_id.encode()) % _BUCKETS:x}"


def holds_places(key: str) -> bool:
    """Whether a key of the state is one of places, not of a subject."""
    return _PLACES in key
