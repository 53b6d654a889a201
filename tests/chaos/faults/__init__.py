"""Every fault there is, by name."""

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.of_kafka import BrokerDown, BrokerFar, ForeignTransaction, LedgerRefuses
from tests.chaos.faults.of_producers import Rubbish
from tests.chaos.faults.of_redis import RedisCrash, RedisEmptied, RedisFar, RedisFull, RedisOlder, RedisPaused
from tests.chaos.faults.of_workers import Guests, Halt, Kill, Storm, StrikeAt, Terminate

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        Kill,
        Terminate,
        Halt,
        StrikeAt,
        Storm,
        Guests,
        Rubbish,
        BrokerDown,
        BrokerFar,
        ForeignTransaction,
        LedgerRefuses,
        RedisCrash,
        RedisEmptied,
        RedisOlder,
        RedisPaused,
        RedisFull,
        RedisFar,
    )
}
