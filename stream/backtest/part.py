"""One partition of a history, from its first record to its last, into files that are kept until all are done."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from schemas.bonuses import encode
from schemas.decode import decode
from schemas.faults import MAX_BYTES
from schemas.rejections import Origin
from stream.backtest.history import History, Run, read
from stream.backtest.lane import Lane
from stream.backtest.output import whole_file
from stream.backtest.summary import Counts
from stream.backtest.tally import Tally
from stream.core.outcome import Outcome, Rejection
from stream.core.plan import Plan
from stream.core.rules import Limits
from stream.programs import compile_documents
from stream.settings import KafkaSettings

_TELL_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run over each partition: one or two sets of programmes, as canonical documents."""

    settings: KafkaSettings
    limits: Limits
    documents: tuple[tuple[str, ...], ...]
    history: History
    folder: Path
    keep_rejected: bool

    def bonuses(self, number: int) -> Path:
        """The bonuses of a partition that is done, under the first set, as they are awarded."""
        return self.folder / f"{number}.bonuses.ndjson"

    def rejected(self, number: int) -> Path:
        """The records of a partition that were turned away."""
        return self.folder / f"{number}.rejected.ndjson"

    def done(self, number: int) -> Path:
        """What the partition came to; it is there once the other files are."""
        return self.folder / f"{number}.done.json"


class Part(msgspec.Struct, frozen=True):
    """What a partition came to; ``tallies`` are of both sets where two are compared."""

    counts: Counts
    tallies: tuple[Tally, ...]


class Told:
    """How a partition tells of itself: offsets done and arrival reached, and sentences."""

    def __init__(self, moved: Callable[[int, int], None], say: Callable[[str], None]) -> None:
        self.moved = moved
        self.say = say


def kept(job: Job, number: int) -> Part | None:
    """What a partition came to in this run or in one before; None where it is still to be run."""
    try:
        return msgspec.json.decode(job.done(number).read_bytes(), type=Part)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


async def replay(job: Job, number: int, told: Told) -> None:
    """Run the programmes over a partition, and keep what comes of it; raises as `history.read`."""
    tallies = tuple(Tally() for _ in job.documents) if len(job.documents) > 1 else ()
    lanes = [
        Lane(number, Plan(compile_documents(documents)), job.limits, tally)
        for documents, tally in zip(job.documents, tallies or (None,), strict=True)
    ]
    counts, told_at = Counts(), 0.0
    with ExitStack() as files:
        write_bonus = files.enter_context(whole_file(job.bonuses(number)))
        write_rejected = files.enter_context(whole_file(job.rejected(number))) if job.keep_rejected else None
        async for run in read(job.settings, number, job.history.spans[number], told.say):
            outcome = _apply(run, number, len(job.history.spans), lanes)
            counts.lines += len(run.records)
            counts.count(outcome, [record.timestamp for record in run.records])
            for bonus in outcome.bonuses:
                write_bonus(encode(bonus))
            if write_rejected is not None:
                for line in _rejected_lines(run, outcome):
                    write_rejected(line)
            if time.monotonic() - told_at > _TELL_EVERY_S:
                told.moved(run.done, lanes[0].furthest())
                told_at = time.monotonic()
    with whole_file(job.done(number)) as write:
        write(msgspec.json.encode(Part(counts, tallies)))


def _apply(run: Run, number: int, partitions: int, lanes: list[Lane]) -> Outcome:
    """Apply a run to every lane; what the first one makes of it. Only bonuses can differ between lanes."""
    offsets = [record.offset for record in run.records]
    timestamps = [record.timestamp for record in run.records]
    decoded = [decode(record.value, run.topic, number, partitions) for record in run.records]
    outcomes = [lane.apply(run.topic, offsets, timestamps, decoded) for lane in lanes]
    for lane in lanes:
        lane.in_step(run.floor_ms)
    return outcomes[0]


def _rejected_lines(run: Run, outcome: Outcome) -> Iterator[bytes]:
    for index, rejection in outcome.turned_away:
        record = run.records[index]
        yield _rejected_line(Origin(run.log.topic, run.log.partition, record.offset), record.value, rejection)


def _rejected_line(origin: Origin, value: bytes | None, rejection: Rejection) -> bytes:
    """Bytes that are no UTF-8 are shown as ``\\xNN``; a value that was cut says how long it was."""
    told: dict[str, object] = {
        "origin": str(origin),
        "error": rejection.code,
        "error_detail": rejection.detail,
        "value": None if value is None else value[:MAX_BYTES].decode(errors="backslashreplace"),
    }
    if value is not None and len(value) > MAX_BYTES:
        told["truncated"] = len(value)
    return msgspec.json.encode(told)
