"""Every fault there is, by name."""

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.of_brokers import LeadersMoved, PartLost
from tests.chaos.faults.of_cluster import FailedOver, SlotMoved
from tests.chaos.faults.of_kafka import BrokerDown, DiskFull, ForeignTransaction, LedgerRefuses
from tests.chaos.faults.of_network import Far
from tests.chaos.faults.of_producers import Rubbish
from tests.chaos.faults.of_redis import RedisCrash, RedisEmptied, RedisFull, RedisOlder, RedisPaused
from tests.chaos.faults.of_workers import (
    ClockJump,
    Guests,
    Halt,
    Kill,
    LateVersion,
    MarkersLost,
    Storm,
    StrikeAt,
    Terminate,
)

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        Kill,
        Terminate,
        Halt,
        StrikeAt,
        MarkersLost,
        Storm,
        Guests,
        ClockJump,
        LateVersion,
        Rubbish,
        Far,
        BrokerDown,
        DiskFull,
        PartLost,
        LeadersMoved,
        ForeignTransaction,
        LedgerRefuses,
        RedisCrash,
        RedisEmptied,
        RedisOlder,
        RedisPaused,
        RedisFull,
        SlotMoved,
        FailedOver,
    )
}
