"""Entries: what of a partition's state is checkpointed, evicted and forgotten as one, under one key.

Nothing in an entry refers back to it, so it is ``acyclic``: compiled, the garbage collector does not know of it.
There are millions, and walking a few hundred thousand new ones stops a worker for most of a second.
"""

from mypy_extensions import mypyc_attr

from stream.core.panes import FOREVER_MS


class CellFields:
    """The names of cells' fields, each made once a cut: most subjects have written the same panes."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, dict[int, str]] = {}

    def name(self, series: str, pane: int) -> str:
        """The field of a series' cell."""
        names = self._names.get(series)
        if names is None:
            names = self._names[series] = {}
        name = names.get(pane)
        if name is None:
            name = names[pane] = f"{series}:{pane}"
        return name


@mypyc_attr(acyclic=True)
class Entry:
    """A subject, or a bucket of places. ``memory`` keeps all of this but ``key``.

    ``used`` is the number of the last chunk that touched the entry, ``cut`` that of the last cut that holds it;
    ``changed`` says that it was written since. ``due_ms`` is what the last cut said (``expiry``), ``FOREVER_MS``
    where nothing will go by itself; ``due_is_open`` whether the next one must look at it anew.
    """

    __slots__ = ("changed", "cut", "due_is_open", "due_ms", "key", "used")

    def __init__(self, key: str) -> None:
        self.key = key
        self.changed = False
        self.cut = 0
        self.used = 0
        self.due_ms = FOREVER_MS
        self.due_is_open = True

    def is_empty(self) -> bool:
        """Whether nothing of it is stored."""
        raise NotImplementedError

    def take_changes(self, cells: CellFields) -> dict[str, int | None]:
        """The fields written since the last call, with their present values; None for those that went."""
        raise NotImplementedError
