"""What of a partition's state is in memory: which of it changed, and what may leave.

An entry is a subject or a bucket of places. It leaves memory only when a durable checkpoint holds it, the least
recently used first; from then on it must be read back before records that touch it are applied.
"""

from collections.abc import Mapping
from heapq import nsmallest
from typing import TypeVar

from stream.core.places import Places, holds_places
from stream.core.plan import Plan
from stream.core.subject import Subject

Entry = Subject | Places
E = TypeVar("E", Subject, Places)


class Memory:
    """The entries in memory, by key. ``complete`` says that there are no others."""

    def __init__(self, plan: Plan, *, complete: bool) -> None:
        self._plan = plan
        self.complete = complete
        self.entries: dict[str, Entry] = {}
        self._changed: list[Entry] = []
        self.chunk = 0
        self.cuts = 0

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def admit(self, key: str, fields: Mapping[str, int]) -> None:
        """Take an entry's checkpointed fields into memory; none of them for one that is new."""
        if holds_places(key):
            entry = self._new(key, Places(key))
            entry.restore(fields)
            return
        subject = self._new(key, Subject(key))
        subject.restore(fields, self._plan)
        if subject.stale:
            self._touch(subject)

    def subject(self, key: str) -> Subject:
        """A subject that is about to change."""
        entry = self.entries.get(key)
        if entry is None:
            self._must_be_new(key)
            entry = self._new(key, Subject(key))
        if entry.changed:
            entry.used = self.chunk
        else:
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

    def changed(self) -> int:
        """How many entries changed since the last cut."""
        return len(self._changed)

    def cut(self) -> dict[str, dict[str, int | None]]:
        """The fields that changed since the last cut, by entry."""
        self.cuts += 1
        fields = {}
        for entry in self._changed:
            entry.cut = self.cuts
            fields[entry.key] = entry.take_changes()
        self._changed = []
        return fields

    def evict(self, most: int, durable_cut: int) -> int:
        """Let go of the least recently used entries above ``most`` that the ``durable_cut``-th cut holds."""
        surplus = len(self.entries) - most
        if surplus <= 0:
            return 0
        safe = [entry for entry in self.entries.values() if not entry.changed and entry.cut <= durable_cut]
        oldest = nsmallest(surplus, safe, key=lambda entry: entry.used)
        for entry in oldest:
            del self.entries[entry.key]
        self.complete = self.complete and not oldest
        return len(oldest)

    def _new(self, key: str, entry: E) -> E:
        entry.used = self.chunk
        self.entries[key] = entry
        return entry

    def _touch(self, entry: Entry) -> None:
        entry.used = self.chunk
        if not entry.changed:
            entry.changed = True
            self._changed.append(entry)

    def _must_be_new(self, key: str) -> None:
        if not self.complete:
            raise LookupError(f"{key!r} was not read back before records that touch it were applied")
