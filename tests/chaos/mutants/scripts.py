"""For each mutant a script of faults that brings its mistake to light; without the mutant the script does no harm."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.of_kafka import ForeignTransaction, LedgerRefuses
from tests.chaos.faults.of_network import Far
from tests.chaos.faults.of_producers import Rubbish
from tests.chaos.faults.of_redis import RedisEmptied, RedisOlder
from tests.chaos.faults.of_workers import Guests, Kill, MarkersLost, StrikeAt
from tests.chaos.history import History
from tests.chaos.plan import At
from tests.chaos.points import Point
from tests.chaos.run import Order, under_mutant
from tests.chaos.setup import PARTITIONS, SESSION_S, Setup

_SETTLED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Script:
    """Faults, at fixed times, and the load to run them under."""

    plan: Sequence[At]
    workers: int = 2
    rate: int = 400
    history: History | None = None

    def order(self, seed: int, mutant: str | None) -> Order:
        """A run of it, with or without a mutant; it is given up early where checkpoints stand still."""
        settings = under_mutant(mutant)
        return Order(
            seed,
            self.plan,
            0.0,
            Setup(self.workers),
            self.rate,
            settings,
            settled_within_s=_SETTLED_WITHIN_S,
            history=self.history,
        )


def _each(first_s: float, apart_s: float, *faults: Fault) -> list[At]:
    return [At(first_s + number * apart_s, fault) for number, fault in enumerate(faults)]


def _struck(spec: str, slot: int = 0) -> StrikeAt:
    return StrikeAt(slot, Point.parse(spec), SESSION_S + 5)


SLEEPER = Script(
    _each(2, 10, _struck("ledger_commit/before/5/halt"), _struck("ledger_commit/before/9/halt", 1))
)
"""A worker falls asleep with bonuses in hand, and wakes up when another has paid them."""

REFUSED = Script([At(4, LedgerRefuses(4))])
"""`bonuses` refuses records for a while."""

_SLOW = At(2, Far("kafka", "slow", ("up", "down"), 32))

_CUT_OFF_S = (8.0, 22.0)
_CUT_OFF = [
    step
    for at_s in _CUT_OFF_S
    for step in (
        At(at_s - 2, Far("kafka", "slow", ("up", "down"), 4)),
        At(at_s, Far("kafka", "silent", ("up",), 4)),
        At(at_s + 1.5, Kill(0)),
        At(at_s + 1.5, Kill(1)),
        At(at_s + 3, Far("kafka", "reset", ("up",), 0.5)),
    )
]
"""Kafka is slow, so that much is under way; then nothing gets there any more, and workers die."""

AWAY = Script(_CUT_OFF)
"""Records come, their bonuses don't get to Kafka, and workers die: what was counted and not paid must be counted
again."""

RUBBISH = Script(
    [
        *_CUT_OFF,
        *(
            At(at_s - 1 + burst / 4, Rubbish(number, 200, 100))
            for at_s in _CUT_OFF_S
            for burst in range(8)
            for number in range(PARTITIONS)
        ),
    ],
    rate=5,
)
"""The same with records to turn away, and hardly a bonus: none that a checkpoint would wait for."""

UNSAVED = Script(
    _each(
        2,
        6,
        _struck("write/before/4/kill"),
        _struck("write/before/4/kill", 1),
        _struck("write/before/9/kill"),
        _struck("write/before/9/kill", 1),
    )
)
"""Workers die between commit and checkpoint, again and again."""

FAR = Script([_SLOW, *_each(14, 5, Kill(0), Kill(1), Kill(0))])
"""Kafka is slow, so that transactions overlap checkpoints, and workers die."""

HIDDEN = Script(
    [
        *(At(3, ForeignTransaction(number, 14)) for number in range(PARTITIONS)),
        *_each(8, 2, Kill(0), Kill(1), Kill(0)),
    ]
)
"""Somebody's open transaction hides bonuses, which no checkpoint covers then, while their workers die."""

MARKERLESS = Script([At(3, MarkersLost(0, 12)), At(16, Kill(0)), At(16, Kill(1))])
"""Kafka acknowledges bonuses that nobody gets to read, and their worker dies."""

OLDER = Script([At(12, RedisOlder(5, while_none_runs=False)), At(21, Kill(0)), At(21, Kill(1))])
"""Redis goes back while workers run, which die later on. By then all have come: a partition that moves is taken from
what Redis holds, and no harm is done."""

EMPTIED = Script([At(18, RedisEmptied("flushed")), At(25, RedisEmptied("flushed"))], workers=1)
"""Redis loses everything, and the partitions stay where they are."""

GUESTS = Script([At(3, Guests(8, 1.0))])
"""Partitions go away and come back, again and again."""

TRICKLE = Script([At(3, Guests(25, 0.6))], rate=150)
"""The same faster, with so few records that every fetch waits for some."""

APART = Script([At(3, Kill(0))], rate=100, history=History(hours=30, records=6_000))
"""Workers find hours of records, and read one topic after the other."""

SCRIPTS: dict[str, Script] = {
    "no-transaction": SLEEPER,
    "own-transactional-id": SLEEPER,
    "failed-send": REFUSED,
    "error-is-success": REFUSED,
    "hasty-checkpoint": AWAY,
    "hasty-relay": RUBBISH,
    "unread-checkpoint": MARKERLESS,
    "newest-place": FAR,
    "no-guard": OLDER,
    "no-scan": UNSAVED,
    "committed-end": HIDDEN,
    "forgetful-latch": UNSAVED,
    "orphans-left": MARKERLESS,
    "fastest-topic": APART,
    "kept-memory": GUESTS,
    "no-seek-to-0": EMPTIED,
    "late-seek": EMPTIED,
    "old-takes": TRICKLE,
}
