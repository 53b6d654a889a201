"""The memory bounds as a formula: what a worker may come to, and what its state takes in Redis. See docs/bounds.md.

```
worker   BASE + a partition: entries, series, cells, places and event ids in memory, each times its size, with SLACK
                             + chunks in flight + checkpoints that wait to be written
Redis    the same things, of all that windows and latches still hold, each times its size there
```
An entry is a subject or a bucket of places. The sizes are measured by ``benchmarks.sizes`` and rounded up; a test
holds the code to them, and ``benchmarks.soak`` a worker under load.
"""

from dataclasses import astuple, dataclass

from stream.core.rules import TOPICS
from stream.transport.fetching import RUN
from stream.worker.checkpointing import MOST_UNSAVED_CHECKPOINTS
from stream.worker.delta import CHECKPOINT_FIELDS, CHECKPOINT_IDS
from stream.worker.flight import CHUNKS_IN_FLIGHT

MIB = 1024 * 1024

BASE = 110 * MIB
"""A worker without a partition: Python, libraries, connections."""

SLACK = 1.2
"""What comes and goes leaves holes in the process's memory, which is resident all the same."""

FETCHED_BYTES = 1 * MIB
"""What aiokafka holds ready of a topic-partition, at most (its ``max_partition_fetch_bytes``)."""

RECORD_BYTES = 1_200
"""A record in flight of 200 bytes: as fetched, and decoded."""

CHANGE_BYTES = 300
"""A changed field or a new event id that waits for its checkpoint, with its share of the request being packed."""

MOST_UNSAVED = MOST_UNSAVED_CHECKPOINTS * CHECKPOINT_FIELDS
"""Entries that memory may hold beyond ``max_subjects_in_memory`` until the next checkpoint holds them too."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of each thing that is kept. ``cell`` is a pane of a series that holds a count.

    Keys and ids are of some 32 characters; a longer one costs its length.
    """

    entry: int
    series: int
    cell: int
    place: int
    id: int


IN_WORKER = Sizes(entry=700, series=360, cell=40, place=190, id=160)
IN_REDIS = Sizes(entry=340, series=0, cell=35, place=50, id=55)
"""As long as an entry has no more than 512 fields, its panes and places; series are only parts of their names."""

IN_REDIS_LARGE = Sizes(entry=340, series=0, cell=90, place=90, id=55)
"""Of entries with more fields: Redis keeps those as hash tables."""

SMALL_FIELDS = 512
"""Redis's ``hash-max-listpack-entries``."""


@dataclass(frozen=True, slots=True)
class Held:
    """How many of each thing there are, in the memory of a partition or in Redis."""

    entries: int
    series: int
    cells: int
    places: int
    ids: int

    def __add__(self, other: "Held") -> "Held":
        return Held(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def bytes(self, sizes: Sizes) -> int:
        """What they take."""
        return (
            self.entries * sizes.entry
            + self.series * sizes.series
            + self.cells * sizes.cell
            + self.places * sizes.place
            + self.ids * sizes.id
        )


def in_flight() -> int:
    """What a partition takes beside its state: records on their way, and changes that wait for a checkpoint."""
    records = len(TOPICS) * CHUNKS_IN_FLIGHT * RUN
    waiting = CHECKPOINT_FIELDS + CHECKPOINT_IDS
    return len(TOPICS) * FETCHED_BYTES + records * RECORD_BYTES + waiting * CHANGE_BYTES


def worker_bytes(held: Held, partitions: int = 1) -> int:
    """Resident memory that a worker does not go beyond with ``partitions`` of which each holds ``held``."""
    return round(BASE + partitions * (held.bytes(IN_WORKER) * SLACK + in_flight()))
