"""A guard against slipping back: what decoding and the core cost an event, in iterations of the reference loop.

    python -m benchmarks.guard

Microseconds tell of the machine and of its neighbours as much as of the code. The reference loop (``reference.py``)
runs in the same process, in turn with what is measured, so both meet the same machine; compared is the best round of
each, in CPU time of this thread alone. The ratio moves by a few per cent where microseconds move by half.
``tests/benchmarks/test_guard.py`` holds it against ``LIMIT``.
"""

import gc
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

from benchmarks import command, rewards
from benchmarks.load import Load, Record
from benchmarks.reference import reference_us
from schemas.decode import Decoder
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Topic
from stream.programs.load import load as load_programs
from stream.transport.fetching import RUN
from stream.worker.run import gc_thresholds

LIMIT = 150.0
"""Iterations of the reference loop that an event may cost: 2.5 times what it did on a quiet machine when this was
last set. Neighbours who use up the processor's cache cost an event up to 1.7 times as much, and the loop nothing."""

EVENTS, ROUNDS = 40_000, 5
CREATORS, SPAN_MS, SEED = 1_500, 1_800_000, 1
PROGRAMS = 3
EVENTS_A_CUT = 20_000

Batch = tuple[Topic, list[int], list[int], list[bytes]]
"""Records of one topic as columns: offsets, timestamps, values."""


class Price(NamedTuple):
    """CPU µs an event, the best round; ``reference_us`` is of an iteration of the loop, the best round of it."""

    decode_us: float
    core_us: float
    reference_us: float

    @property
    def ratio(self) -> float:
        """Iterations of the reference loop an event."""
        return (self.decode_us + self.core_us) / self.reference_us

    def __str__(self) -> str:
        return (
            f"An event costs {self.ratio:.1f} iterations of the reference loop, and may cost {LIMIT:g}: "
            f"decode {self.decode_us:.2f} µs, core {self.core_us:.2f} µs, an iteration {self.reference_us:.4f} µs."
        )


def measure(rounds: int = ROUNDS) -> Price:
    """The price of an event. Sets the garbage collector as the worker does, and back again."""
    with TemporaryDirectory() as folder:
        rewards.write(Path(folder), PROGRAMS)
        plan = Plan(load_programs(Path(folder)).programs)
    batches = _batches(list(Load(EVENTS, CREATORS, 5, 50_000, SPAN_MS, SEED).records()))
    before = gc.get_threshold()
    gc.set_threshold(*gc_thresholds())
    try:
        taken = [(*_round(plan, batches), reference_us()) for _ in range(rounds)]
    finally:
        gc.set_threshold(*before)
    decode_s, core_s, references = zip(*taken, strict=True)
    return Price(min(decode_s) * 1e6 / EVENTS, min(core_s) * 1e6 / EVENTS, min(references))


def _round(plan: Plan, batches: list[Batch]) -> tuple[float, float]:
    """CPU s of decoding all, and of applying and cutting all, to an empty partition."""
    state = Partition(0, plan, Limits())
    decoders = {topic: Decoder(topic, 0, 1) for topic in TOPICS}
    decode_s = core_s = 0.0
    since_cut = 0
    gc.collect()  # the rubbish of the round before is not this one's
    for topic, offsets, timestamps, values in batches:
        began_s = time.thread_time()
        decoded = decoders[topic].decode(values)
        decoded_s = time.thread_time()
        state.apply(topic, offsets, timestamps, decoded)
        since_cut += len(offsets)
        if since_cut >= EVENTS_A_CUT:
            since_cut = 0
            state.cut()
        decode_s += decoded_s - began_s
        core_s += time.thread_time() - decoded_s
    return decode_s, core_s


def _batches(records: list[Record]) -> list[Batch]:
    """The records topic by topic, as many together as the transport hands on at a time."""
    batches: list[Batch] = []
    filling: dict[Topic, Batch] = {}
    for serial, record in enumerate(records):
        batch = filling.setdefault(record.topic, (record.topic, [], [], []))
        batch[1].append(serial)
        batch[2].append(record.timestamp)
        batch[3].append(record.value)
        if len(batch[1]) == RUN:
            batches.append(filling.pop(record.topic))
    return batches + list(filling.values())


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, of which the best counts.")] = ROUNDS,
) -> None:
    """What decoding and the core cost an event, in iterations of a fixed loop."""
    price = measure(rounds)
    print(price)
    if price.ratio > LIMIT:
        sys.exit("That is too much: find what made it so, or raise LIMIT in benchmarks/guard.py and say why.")


if __name__ == "__main__":
    command.run(main)
