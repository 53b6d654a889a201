"""Fetched records in runs: aiokafka unpacks a record at a time, and makes an object of eleven fields of each.

A client made with ``value_deserializer=in_runs`` hands out records as the record batches hold them, which takes half
the time. What else the client does about a fetch (positions, seeks meanwhile, aborted transactions, errors) stays its
own. aiokafka 0.14 has no hook for it, so its ``PartitionRecords`` and ``FetchResult`` are replaced by ones that know
both ways.

A header's name should be UTF-8, which brokers don't look at and aiokafka insists on: one that isn't would stop its
partition for good. A batch in which one turns up is read once more, slowly, with U+FFFD for what can't be read.
"""

import struct
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol, SupportsIndex, cast, overload

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy

RUN = 2_000
"""The most records that are fetched, and applied, in one step: other partitions wait meanwhile."""


class Record(Protocol):
    """A record as it was fetched. ``timestamp`` is Unix ms, of the kind ``timestamp_type``; -1 where it has none."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> list[tuple[str, bytes]]: ...


Run = list[Record]
"""Records of one topic-partition in offset order, never empty."""


def in_runs(value: bytes | None) -> bytes | None:
    """Marks a client that hands out runs. It is never called: their values stay as they are."""
    return value


class MemoryRecords(fetcher.MemoryRecords):  # type: ignore[misc]
    """The record batches of a fetch, and the bytes that they are read from."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw

    def leniently(self, base_offset: int) -> Iterator[Record]:
        """The records of the batch that begins there, whatever their headers' names are."""
        at = 0
        while True:
            base, length = _BATCH.unpack_from(self.raw, at)
            end = at + _BATCH.size + length
            if base == base_offset:
                batch = _DefaultRecordBatchPy(self.raw[at:end])
                batch._maybe_uncompress()
                batch._buffer = _Lenient(batch._buffer)
                yield from batch
                return
            at = end


_BATCH = struct.Struct(">qi")
"""What a record batch begins with: its base offset, and the bytes that follow."""


class _Lenient(bytearray):
    """Bytes whose slices can always be decoded."""

    @overload
    def __getitem__(self, at: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> "_Lenient": ...
    def __getitem__(self, at: SupportsIndex | slice) -> "int | _Lenient":
        return _Lenient(super().__getitem__(at)) if isinstance(at, slice) else super().__getitem__(at)

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """What one fetch brought of one topic-partition.

    ``next_fetch_offset`` lies past all that was handed out, and past what holds nothing to hand out.
    """

    next_fetch_offset: int
    _batch: Any = None  # the one that is being read
    _left: Iterator[Record]  # of it

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.in_runs:
            # aiokafka's own way of reading, which begins by itself and refers back: what nobody reads to its end
            # would keep the fetch's bytes until the garbage collector came by.
            self._records_iterator = None

    @property
    def in_runs(self) -> bool:
        """Whether the client wants runs."""
        return self._value_deserializer is in_runs

    def take(self, most: int) -> Run:
        """The next records, up to so many; fewer where no more are left."""
        taken: Run = []
        while len(taken) < most and (self._batch is not None or self._begin_batch()):
            try:
                some = list(islice(self._left, most - len(taken)))
            except UnicodeDecodeError:
                self._left = self._records.leniently(self._batch.base_offset)
                continue
            if not some:
                self.next_fetch_offset, self._batch = self._batch.next_offset, None
            elif some[0].offset < self.next_fetch_offset:
                # A batch is fetched whole: what lies before the place asked for has been read already.
                some = [each for each in some if each.offset >= self.next_fetch_offset]
            if some:
                taken += some
                self.next_fetch_offset = some[-1].offset + 1
        return taken

    def _begin_batch(self) -> bool:
        if not self._records.has_next():
            return False
        batch = self._records.next_batch()
        if self._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"a record batch of {self._tp} is damaged: its checksum is wrong")
        self._batch = batch
        self._left = iter(()) if self._is_hidden(batch) else islice(batch, None)  # its own begins only once
        return True

    def _is_hidden(self, batch: fetcher.MemoryRecords) -> bool:
        """Whether a reader must not see the batch: it is control data, or part of an aborted transaction."""
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


class FetchResult(fetcher.FetchResult):  # type: ignore[misc]
    """What is left of a fetch of one topic-partition, as the client hands it out."""

    _partition_records: PartitionRecords | None

    def getall(self, max_records: int | None = None) -> Run:
        """What is left, up to ``max_records``.

        aiokafka finds only the next time that nothing was left, and asks for no more until then.
        """
        records = self._partition_records
        if records is None or not records.in_runs:
            return cast(Run, super().getall(max_records))
        if not self.check_assignment(self._topic_partition):
            return []
        most = sys.maxsize if max_records is None else max_records
        run: Run = records.take(most)
        self._update_position()
        if len(run) < most:
            self._partition_records = None
        return run


fetcher.MemoryRecords, fetcher.PartitionRecords, fetcher.FetchResult = (
    MemoryRecords,
    PartitionRecords,
    FetchResult,
)
