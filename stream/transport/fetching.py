"""Fetched records in runs: aiokafka unpacks a record at a time, and makes an object of eleven fields of each.

A client made with ``value_deserializer=in_runs`` hands out lists of records instead, as the record batches hold
them, which takes half the time; ``max_records`` then counts runs. What else the client does about a fetch (positions,
seeks meanwhile, aborted transactions, errors) stays its own. aiokafka 0.14 has no hook for it, so its
``PartitionRecords`` is replaced by one that knows both ways.

A header's name should be UTF-8, which brokers don't look at and aiokafka insists on: one that isn't would stop its
partition for good. A batch in which one turns up is read once more, slowly, with U+FFFD for what can't be read.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Protocol, SupportsIndex, overload

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy

RUN = 2_000
"""The most records in a run: other partitions wait while it is applied."""


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
    """What one fetch brought of one topic-partition."""

    def _unpack_records(self) -> Iterator[object]:
        marked = self._value_deserializer is in_runs
        return self._runs() if marked else super()._unpack_records()

    next_fetch_offset: int

    def _runs(self) -> Iterator[Run]:
        """Runs, while ``next_fetch_offset`` moves only past what was handed out, or holds nothing to hand out."""
        run: Run = []
        reached = self.next_fetch_offset
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(
                    f"a record batch of {self._tp} is damaged: its checksum is wrong"
                )
            if not self._is_hidden(batch):
                records: Iterator[Record] = islice(batch, None)  # its own iterator begins only once
                while True:
                    try:
                        some = list(islice(records, RUN - len(run)))
                    except UnicodeDecodeError:
                        records = self._records.leniently(batch.base_offset)
                        continue
                    if not some:
                        break
                    # A batch is fetched whole: what lies before the place asked for has been read already.
                    run += (
                        some
                        if some[0].offset >= reached
                        else [each for each in some if each.offset >= reached]
                    )
                    reached = max(reached, some[-1].offset + 1)
                    if len(run) >= RUN:
                        self.next_fetch_offset = reached
                        yield run
                        run = []
            reached = batch.next_offset
        self.next_fetch_offset = reached
        if run:
            yield run

    def _is_hidden(self, batch: fetcher.MemoryRecords) -> bool:
        """Whether a reader must not see the batch: it is control data, or part of an aborted transaction."""
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


fetcher.MemoryRecords, fetcher.PartitionRecords = MemoryRecords, PartitionRecords
