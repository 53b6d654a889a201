"""`bonuses` is a ledger with one writer: what lies there when a partition is taken decides what may be paid."""

import pytest
from confluent_kafka import Producer

from schemas.bonuses import HEADER_APP
from tests.kafka.expected import assert_exact
from tests.kafka.logs_of import ends_of
from tests.kafka.traffic import FLUSH_S, send_traffic
from tests.kafka.workers import Fleet

PARTITIONS = 2


def open_transaction(fleet: Fleet, app: bytes | None = None) -> Producer:
    """Somebody else's transaction with a record in `bonuses`, partition 0; it is not ended."""
    producer = Producer(
        {"bootstrap.servers": fleet.kafka.bootstrap, "transactional.id": fleet.group + "-other"}
    )
    producer.init_transactions(FLUSH_S)
    producer.begin_transaction()
    headers: dict[str, str | bytes | None] = {} if app is None else {HEADER_APP: app}
    producer.produce(fleet.kafka.prefix + "bonuses", b"{}", partition=0, headers=headers)
    assert producer.flush(FLUSH_S) == 0
    return producer


async def test_an_open_transaction_is_waited_for(fleet: Fleet, seed: int) -> None:
    """What follows it in `bonuses` can't be read before it ends, so nothing is paid there until then, and the
    worker says so; other partitions go on."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=800)
    other = open_transaction(fleet)
    worker = await fleet.start()
    line = await worker.mentioned("an open transaction holds it back")
    assert f"{kafka.prefix}bonuses/0" in str(line["reason"])
    await worker.said("partition taken", partition=1)
    ends = await ends_of(kafka.bootstrap, kafka.prefix + "bonuses")
    assert [1] == [end for tp, end in ends.items() if tp.partition == 0]
    other.abort_transaction(FLUSH_S)
    await worker.said("partition taken", partition=0)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=20)


@pytest.mark.parametrize(
    ("app", "named"), [(None, "without a name"), (b"another", "'another'")], ids=["nameless", "another"]
)
async def test_a_second_writer_is_refused(fleet: Fleet, app: bytes | None, named: str) -> None:
    """A record of another application ends the worker, with the record's place and the remedy."""
    kafka = fleet.kafka
    await kafka.create_topics(partitions=PARTITIONS)
    open_transaction(fleet, app).commit_transaction(FLUSH_S)
    worker = await fleet.start()
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert sentence.startswith(f"{kafka.prefix}bonuses/0/0 was written by another application ({named}")
    assert "topic prefix" in sentence
