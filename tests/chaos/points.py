"""Fault points: the places between the steps of produce, commit, checkpoint and take where a worker can be struck.

A spec such as ``commit_transaction/before/7/kill`` says: before the seventh commit of a transaction the process gets
SIGKILL; ``halt`` is SIGSTOP, after which it sleeps like a suspended machine until somebody sends SIGCONT. ``hide``
does no harm to the process, and comes after a producer's ``begin_transaction`` only: the coordinator is not told of
what that producer writes from then on. So Kafka acknowledges its commits, and no marker gets into the partition.
"""

import asyncio
import functools
import inspect
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib import import_module
from random import Random
from typing import Literal, Self, cast

from aiokafka import AIOKafkaProducer

When = Literal["before", "during", "after"]
Blow = Literal["kill", "halt", "hide"]

REACHED = "fault point reached"
"""The log line that a worker writes before it is struck."""

DURING_S = 0.003
"""How long after the start of a step that waits for somebody it is struck ``during``."""

_PRODUCER = "aiokafka.producer.producer:AIOKafkaProducer"
_TAKE, _SERVICE = "stream.worker.take", "stream.worker.service:Service"

STEADY: dict[str, str] = {
    "apply": "stream.core.partition:Partition.apply",
    "turn_away": "stream.emit.outbox:Outbox._send",
    "begin_transaction": f"{_PRODUCER}.begin_transaction",
    "send": f"{_PRODUCER}.send",
    "commit_transaction": f"{_PRODUCER}.commit_transaction",
    "ledger_commit": "stream.emit.ledger:Ledger.commit",
    "cut": "stream.core.partition:Partition.cut",
    "place": "stream.worker.outgoing:Outgoing.place_of",
    "checkpoint": "stream.worker.checkpointing:Checkpoints._write",
    "write": "stream.store.lease:Lease.write",
    "redis_request": "stream.store.link:Link.send",
    "evict": "stream.core.memory:Memory.evict",
    "commit_offsets": "stream.transport.driver:Consumer.commit_offsets",
    "fetch": "stream.transport.driver:Consumer._fetch",
}
"""Steps that a serving worker takes again and again."""

TAKING: dict[str, str] = {
    "prove": f"{_TAKE}:_prove_membership",
    "open_ledger": "stream.emit.ledger:Ledger.open",
    "take_lease": "stream.store.store:StateStore.take",
    "ends": "stream.transport.log_ends:LogEnds.ends",
    "read_ids": "stream.store.lease:Lease.ids",
    "restore": "stream.core.partition:Partition.restore",
    "scan": f"{_TAKE}:scan",
    "latch": f"{_TAKE}:_latch",
    "taken": "stream.worker.life:take",
    "adopt": f"{_SERVICE}.adopt",
    "seek": "stream.transport.driver:Consumer.start_at",
    "read_back": "stream.store.lease:Lease.read",
    "release": "stream.worker.table:CounterTable.release",
    "finish": f"{_SERVICE}.finish",
    "close_ledger": "stream.emit.ledger:Ledger.close",
}
"""Steps of taking a partition, and of giving it up."""

_WHENS: tuple[When, ...] = ("before", "during", "after")
_STEADY_PASSES, _TAKING_PASSES = 25, 3


@dataclass(frozen=True, slots=True)
class Point:
    """The ``nth`` passing of a step in one process, and what happens there."""

    step: str
    when: When
    nth: int
    blow: Blow

    @classmethod
    def draw(cls, random: Random, blow: Blow) -> Self:
        """Any point; steps of a take as often as those of serving."""
        steps, passes = random.choice([(STEADY, _STEADY_PASSES), (TAKING, _TAKING_PASSES)])
        return cls(random.choice(sorted(steps)), random.choice(_WHENS), random.randint(1, passes), blow)

    @classmethod
    def parse(cls, spec: str) -> Self:
        """From ``step/when/nth/blow``."""
        step, when, nth, blow = spec.split("/")
        assert step in STEADY or step in TAKING, f"no such step: {step}"
        assert when in _WHENS, f"no such moment: {when}"
        assert blow in ("kill", "halt", "hide"), f"no such blow: {blow}"
        assert blow != "hide" or (step, when) == ("begin_transaction", "after"), (
            f"nothing to hide there: {spec}"
        )
        return cls(step, when, int(nth), blow)  # type: ignore[arg-type]  # looked at above

    def __str__(self) -> str:
        return f"{self.step}/{self.when}/{self.nth}/{self.blow}"

    def arm(self) -> None:
        """Put the trap into this process."""
        target = STEADY.get(self.step) or TAKING[self.step]
        replace(target, functools.partial(_trapped, passes=_Passes(self)))


class _Passes:
    """Counts how often the step was begun, and strikes at the pass that was asked for."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._begun = 0

    def begin(self) -> bool:
        """Whether this is the pass; struck at once if it is to be ``before``."""
        self._begun += 1
        mine = self._begun == self._point.nth
        if mine and self._point.when == "before":
            self.strike()
        if mine and self._point.when == "during":
            asyncio.get_running_loop().call_later(DURING_S, self.strike)
        return mine and self._point.when == "after"

    def strike(self, *of_step: object) -> None:
        """Say so, and do it; ``of_step`` are the step's own arguments."""
        line = f'{{"event": "{REACHED}", "level": "info", "point": "{self._point}"}}\n'
        os.write(2, line.encode())
        if self._point.blow == "hide":
            _hide(cast(AIOKafkaProducer, of_step[0]))
        else:
            os.kill(os.getpid(), signal.SIGKILL if self._point.blow == "kill" else signal.SIGSTOP)


def _hide(producer: AIOKafkaProducer) -> None:
    """Have the producer take its partitions for known to the coordinator, which is told of none."""
    transaction = producer._txn_manager
    transaction.maybe_add_partition_to_txn = transaction._txn_partitions.add


Function = Callable[..., object]


def find(target: str) -> tuple[object, str]:
    """The module or class that holds what ``module:name.name`` says, and its last name."""
    module, _, names = target.partition(":")
    holder: object = import_module(module)
    *outer, name = names.split(".")
    for each in outer:
        holder = getattr(holder, each)
    return holder, name


def replace(target: str, wrap: Callable[[Function], Function]) -> None:
    """Put ``wrap`` of what ``module:name.name`` says in its place; a class method stays one."""
    holder, name = find(target)
    found = vars(holder)[name]
    if isinstance(found, classmethod):
        setattr(holder, name, classmethod(wrap(found.__func__)))
    else:
        setattr(holder, name, wrap(found))


def _trapped(function: Function, passes: _Passes) -> Function:
    if inspect.isasyncgenfunction(function):
        return _trapped_scan(function, passes)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def step(*args: object, **kwargs: object) -> object:
            after = passes.begin()
            result: object = await function(*args, **kwargs)
            if after:
                passes.strike(*args)
            return result

        return step

    @functools.wraps(function)
    def plain_step(*args: object, **kwargs: object) -> object:
        after = passes.begin()
        result = function(*args, **kwargs)
        if after:
            passes.strike()
        return result

    return plain_step


def _trapped_scan(function: Callable[..., AsyncIterator[object]], passes: _Passes) -> Function:
    @functools.wraps(function)
    async def scan(*args: object, **kwargs: object) -> AsyncIterator[object]:
        after = passes.begin()
        async for batch in function(*args, **kwargs):
            yield batch
        if after:
            passes.strike()

    return scan
