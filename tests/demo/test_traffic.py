"""The demo's producers and what it reads back."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from schemas import bonuses
from schemas.bonuses import BonusEvent
from schemas.placement import partition_of
from stream import metrics
from stream.core.outcome import Bonus, Evidence
from stream.core.rules import TOPICS
from stream.demo.broker import PARTITIONS, embedded_broker
from stream.demo.traffic import Traffic
from stream.demo.watch import BonusWatch, Progress, progress_in, worker_progress

BONUS = Bonus(
    bonus_id="0" * 32,
    program="p",
    program_version=1,
    tier="t",
    subject="creator",
    creator_id="creator-001",
    video_id=None,
    region="US",
    period=(None, None),
    window=(0, 60_000),
    metrics={"views": 12},
    thresholds={"views": 10},
    reward={"amount": "5.00", "currency": "USD"},
    evidence=Evidence("e", "views", 0, 4),
)


@pytest.fixture
def broker() -> Iterator[str]:
    with embedded_broker([*TOPICS, bonuses.TOPIC]) as address:
        yield address


def test_every_sample_event_lands_in_its_creators_partition(broker: str) -> None:
    traffic = Traffic(broker, rate=2_000)
    while traffic.sent < 500:
        traffic.send_due()
    traffic.finish()
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t in TOPICS for p in range(PARTITIONS)])
    records = consumer.consume(traffic.sent, 20)
    consumer.close()
    assert len(records) == traffic.sent
    assert all(r.partition() == partition_of((r.key() or b"").decode(), PARTITIONS) for r in records)


def test_the_rate_is_held_on_average(broker: str) -> None:
    traffic = Traffic(broker, rate=1_000)
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < 0.5:
        traffic.send_due()
    traffic.send_due()
    elapsed_s = time.monotonic() - begun_s
    traffic.finish()
    assert traffic.sent <= 1_000 * elapsed_s
    assert traffic.sent > 400


def test_the_watch_sees_every_bonus_of_every_partition_once(broker: str) -> None:
    producer = Producer({"bootstrap.servers": broker})
    for partition in range(PARTITIONS):
        producer.produce(bonuses.TOPIC, bonuses.encode(BONUS), partition=partition)
    producer.flush()
    watch = BonusWatch(broker)
    seen, deadline_s = list[BonusEvent](), time.monotonic() + 60
    while len(seen) < PARTITIONS and time.monotonic() < deadline_s:
        seen += watch.new(0.1)
    seen += watch.new(0.5)  # none comes twice
    watch.close()
    assert [bonus.creator_id for bonus in seen] == ["creator-001"] * PARTITIONS


def test_progress_is_read_from_the_workers_metrics() -> None:
    before = progress_in(metrics.render().decode())
    metrics.count_events("views", accepted=7, duplicates=2, rejected=1, late=3)
    metrics.count_events("likes", accepted=1, duplicates=0, rejected=0, late=0)
    metrics.observe_take(1, seconds=0.5)
    after = progress_in(metrics.render().decode())
    metrics.forget_partition(1)
    assert (after.accepted - before.accepted, after.read - before.read) == (8, 14)
    assert after.partitions == before.partitions + 1


def test_a_worker_that_does_not_answer_yet_has_no_progress() -> None:
    assert worker_progress(port=1) is None
    assert Progress().read == 0
