"""The example producers place records where the worker expects them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.decode import Decoder
from schemas.events import TOPIC_OF_TYPE
from schemas.placement import partition_of
from stream.core.outcome import Rejection
from stream.demo.broker import PARTITIONS, embedded_broker

EXAMPLES = Path(__file__).parents[2] / "examples"
PRODUCERS = sorted((EXAMPLES / "producers").glob("with_*.py"))
WITHIN_S = 60


@pytest.mark.parametrize("script", PRODUCERS, ids=lambda script: script.stem)
def test_an_example_producer_sends_each_event_to_its_creators_partition(script: Path) -> None:
    lines = [
        json.dumps({"type": kind, "event_id": f"{kind}-{n}", "creator_id": f"creator-{n}"})
        for n in range(20)
        for kind in ("view", "like")
    ]
    with embedded_broker(["views", "likes"]) as broker:
        subprocess.run(
            [sys.executable, str(script), broker],
            input="\n".join(lines),
            text=True,
            check=True,
            timeout=WITHIN_S,
        )
        consumer = Consumer({"bootstrap.servers": broker, "group.id": "test", "enable.auto.commit": False})
        consumer.assign(
            [TopicPartition(t, p, OFFSET_BEGINNING) for t in ("views", "likes") for p in range(PARTITIONS)]
        )
        records = consumer.consume(len(lines), 20)
        consumer.close()
    creators = [json.loads(record.value() or b"{}")["creator_id"] for record in records]
    assert sorted(creators) == sorted(f"creator-{n}" for n in range(20) for _ in range(2))
    assert [record.partition() for record in records] == [partition_of(c, PARTITIONS) for c in creators]
    assert {record.topic() for record in records} == {"views", "likes"}


def test_the_sample_events_are_accepted() -> None:
    script = EXAMPLES / "producers" / "sample_events.py"
    printed = subprocess.run(
        [sys.executable, str(script), "300"], capture_output=True, check=True, timeout=WITHIN_S
    ).stdout.splitlines()
    events = [json.loads(line) for line in printed]
    assert len({event["event_id"] for event in events}) == 300
    for event in events:
        decoder = Decoder(TOPIC_OF_TYPE[event["type"]], 0, 1)
        [decoded] = decoder.decode([json.dumps(event).encode()])
        assert not isinstance(decoded, Rejection)
