"""What nobody touches any more leaves Redis while the log goes on."""

import json
import time
from pathlib import Path

import redis
from confluent_kafka import Producer

from stream.core.rules import TOPICS
from stream.store.layout import Layout
from tests.builders import DAY
from tests.kafka.expected import assert_exact
from tests.kafka.traffic import new_event
from tests.kafka.workers import Fleet

CREATORS = 1_000
CHECKPOINTS = 8
PROGRAM = """
program: hourly
version: 1
regions: all
subject: creator
window: {tumbling: 1h}
count:
  views: {at_most: {per_viewer: 1, of: creator, per: day}}
tiers: [{name: seen, when: {views: 2}, reward: {amount: "1", currency: USD}}]
"""


async def test_of_creators_who_stopped_only_what_was_paid_stays(fleet: Fleet, tmp_path: Path) -> None:
    """Also of those who have left memory; places and counts go two thousand a checkpoint."""
    kafka, then = fleet.kafka, int(time.time() * 1000) - 10 * DAY
    await kafka.create_topics(partitions=1, create_time=True)
    fleet.programs = tmp_path / "hourly"
    fleet.programs.mkdir()
    (fleet.programs / "hourly.yaml").write_text(PROGRAM)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    for number in range(CREATORS):
        paid = number % 100 == 0
        for viewer in ("bob", "cyd") if paid else ("bob",):
            event = new_event(f"{number}-{viewer}", f"creator-{number}", viewer_id=viewer, occurred_at=then)
            producer.produce(kafka.prefix + "views", json.dumps(event), timestamp=then)
    producer.flush()
    await fleet.start_serving(
        allow_create_time=True, max_subjects_in_memory=1_000, checkpoint_interval="200ms"
    )
    await fleet.settled()

    layout = Layout(fleet.group, 0)
    with redis.Redis.from_url(fleet.redis_url, decode_responses=True) as client:
        assert len(list(client.scan_iter(match=layout.subject("*")))) > 2 * CREATORS
        for checkpoint in range(CHECKPOINTS):
            for topic in TOPICS:
                producer.produce(kafka.prefix + topic, None, timestamp=then + 3 * DAY + checkpoint)
            producer.flush()
            await fleet.settled()
            if not client.exists(layout.due):
                break
        left = {key: set(client.hgetall(key)) for key in client.scan_iter(match=layout.subject("*"))}
        assert not client.exists(layout.due)
    assert left == {
        layout.subject(f"creator-{number}"): {"!hourly/seen/-"} for number in range(0, CREATORS, 100)
    }
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=5)
