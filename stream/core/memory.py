"""What of a partition's state is in memory: which of it changed, and what may leave.

An entry is a subject or a bucket of places. It leaves memory only when a durable checkpoint holds it, the least
recently used first; from then on it must be read back before records that touch it are applied.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import TypeVar

from stream.core.entry import CellFields, Entry
from stream.core.expiry import UNKNOWN, Expiry, Horizon
from stream.core.panes import FOREVER_MS
from stream.core.places import Places, holds_places
from stream.core.plan import Plan
from stream.core.subject import Subject

E = TypeVar("E", Subject, Places)


MOST_DELETED = 20_000
"""Fields that one cut deletes at most, or as many as it writes if that is more: each pane goes once, so in the long
run no more of them come. Nothing reads them any more, so the rest can wait for the next."""


class Memory:
    """The entries in memory, by key. ``complete`` says that there are no others.

    ``written`` counts the fields that were written since the last cut, roughly: what the next one will cost.
    """

    def __init__(self, plan: Plan, *, complete: bool) -> None:
        self._plan = plan
        self.expiry = Expiry(plan)
        self.complete = complete
        self.entries: dict[str, Entry] = {}
        self._changed: list[Entry] = []
        # Fields that are to be deleted; None for an entry that is no longer due once those before it are.
        self._gone: deque[tuple[str, str | None]] = deque()
        self._emptied: list[tuple[int, Entry]] = []  # with the cut that says so
        self.written = 0
        self.chunk = 0
        self.cuts = 0

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` that memory does not hold. The others are kept at least until the next chunk."""
        absent = []
        for key in keys:
            entry = self.entries.get(key)
            if entry is None:
                absent.append(key)
            else:
                entry.used = self.chunk + 1
        return absent

    def admit(self, key: str, fields: Mapping[str, int]) -> None:
        """Take an entry's checkpointed fields, none for one that is new, into memory, for the next chunk at least."""
        if holds_places(key):
            self._new(key, Places(key)).restore(fields)
        else:
            self.forget(key, self._new(key, Subject(key)).restore(fields, self._plan))

    def subject(self, key: str) -> Subject:
        """A subject that is about to change."""
        entry = self.entries.get(key)
        if entry is None:
            self._must_be_new(key)
            entry = self._new(key, Subject(key))
        self._touch(entry)
        assert isinstance(entry, Subject)
        return entry

    def places(self, key: str) -> Places:
        """A bucket of places that is about to change."""
        entry = self.entries.get(key)
        if entry is None:
            self._must_be_new(key)
            entry = self._new(key, Places(key))
        self._touch(entry)
        assert isinstance(entry, Places)
        return entry

    def forget(self, key: str, fields: Iterable[str]) -> None:
        """Have checkpointed fields deleted that nothing reads any more, sooner or later."""
        self._gone.extend((key, field) for field in fields)

    def sweep(self, keys: Iterable[str], horizon: Horizon) -> bool:
        """Forget of these entries what nothing can read any more; False once the next cut has enough to delete.

        Keys that are not in memory are passed over. What is left is due later, or not at all: the next cut says so.
        """
        for key in keys:
            if len(self._gone) >= MOST_DELETED:
                return False
            entry = self.entries.get(key)
            if entry is not None:
                self.forget(key, self.expiry.forget(entry, horizon))
                entry.due_ms, entry.due_is_open = UNKNOWN, True
                self._mark(entry)
        return True

    def cut(self) -> tuple[dict[str, dict[str, int | None]], dict[str, int | None]]:
        """The fields that changed since the last cut, and the dues, by entry."""
        self.cuts += 1
        self.written = 0
        cells = CellFields()
        fields: dict[str, dict[str, int | None]] = {}
        dues: dict[str, int | None] = {}
        for entry in self._changed:
            entry.cut = self.cuts
            fields[entry.key] = entry.take_changes(cells)
            if entry.due_is_open:
                entry.due_is_open = False
                due_ms = self.expiry.due(entry)
                if due_ms != entry.due_ms:
                    entry.due_ms = due_ms
                    if due_ms == FOREVER_MS:
                        self._gone.append((entry.key, None))
                    else:
                        dues[entry.key] = due_ms
        self._changed = []
        most = max(MOST_DELETED, sum(map(len, fields.values())))
        for _ in range(min(len(self._gone), most)):
            key, field = self._gone.popleft()
            if field is not None:
                fields.setdefault(key, {}).setdefault(field, None)
            elif self._is_over(key):
                dues[key] = None
        return fields, dues

    def evict(self, most: int, durable_cut: int) -> int:
        """Let go of the least recently used entries above ``most`` that the ``durable_cut``-th cut holds."""
        self._let_go_of_empty(durable_cut)
        surplus = len(self.entries) - most
        if surplus <= 0:
            return 0
        safe = [
            entry
            for entry in self.entries.values()
            if not entry.changed and entry.cut <= durable_cut and entry.used <= self.chunk
        ]
        oldest = nsmallest(surplus, safe, key=lambda entry: entry.used)
        for entry in oldest:
            del self.entries[entry.key]
        self.complete = self.complete and not oldest
        return len(oldest)

    def let_go(self) -> None:
        """Hold no entry any more."""
        self.entries.clear()
        self._changed.clear()
        self._gone.clear()
        self._emptied.clear()

    def _is_over(self, key: str) -> bool:
        """Whether an entry that was no longer due still isn't. One that has left memory since is looked at again."""
        entry = self.entries.get(key)
        if entry is None or entry.due_is_open or entry.due_ms != FOREVER_MS:
            return False
        if entry.is_empty():
            self._emptied.append((self.cuts, entry))
        return True

    def _let_go_of_empty(self, durable_cut: int) -> None:
        """Let go of entries without anything left; without them memory is as complete as before."""
        waiting = []
        for cut, entry in self._emptied:
            if cut > durable_cut:
                waiting.append((cut, entry))
            elif (
                self.entries.get(entry.key) is entry
                and not entry.changed
                and entry.used <= self.chunk
                and entry.is_empty()
            ):
                del self.entries[entry.key]
        self._emptied = waiting

    def _new(self, key: str, entry: E) -> E:
        entry.used = self.chunk + 1  # stays until then; one that changes at once is used now
        self.entries[key] = entry
        return entry

    def _touch(self, entry: Entry) -> None:
        entry.used = self.chunk
        self._mark(entry)

    def _mark(self, entry: Entry) -> None:
        if not entry.changed:
            entry.changed = True
            self._changed.append(entry)
            self.written += 1

    def _must_be_new(self, key: str) -> None:
        if not self.complete:
            raise LookupError(f"{key!r} was not read back before records that touch it were applied")
