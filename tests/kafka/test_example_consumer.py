"""The example consumer pays once what is committed."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer

from tests.kafka.servers import Kafka

SCRIPT = Path(__file__).parents[2] / "examples" / "consumers" / "pay_once.py"
WITHIN_S = 60


async def test_each_committed_bonus_is_paid_once(kafka: Kafka, app_name: str, tmp_path: Path) -> None:
    """Also where it reads all of them again, as a group without offsets does."""
    await kafka.create_topics(partitions=1)
    topic = kafka.prefix + "bonuses"
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": app_name})
    producer.init_transactions()
    write(producer, topic, ["a", "b"], commit=True)
    write(producer, topic, ["never"], commit=False)
    write(producer, topic, ["c"], commit=True)
    assert paid(tmp_path, kafka.bootstrap, topic, "first", 3) == {"a", "b", "c"}
    write(producer, topic, ["d"], commit=True)
    assert paid(tmp_path, kafka.bootstrap, topic, "second", 1) == {"d"}
    with sqlite3.connect(tmp_path / "payments.db") as payments:
        assert payments.execute("SELECT count(*) FROM payments").fetchone() == (4,)


def write(producer: Producer, topic: str, bonus_ids: Sequence[str], *, commit: bool) -> None:
    """Bonuses, in one transaction."""
    producer.begin_transaction()
    for bonus_id in bonus_ids:
        bonus = {"bonus_id": bonus_id, "creator_id": "ada", "program": "p", "tier": "t", "reward": {}}
        producer.produce(topic, json.dumps(bonus), key="ada")
    producer.flush(WITHIN_S)
    (producer.commit_transaction if commit else producer.abort_transaction)(WITHIN_S)


def paid(folder: Path, broker: str, topic: str, group: str, bonuses: int) -> set[str]:
    """The ``bonus_id``s that the consumer pays first, so many of them; then it is killed."""
    command = [sys.executable, str(SCRIPT), broker, str(folder / "payments.db"), f"{topic}.{group}", topic]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as consumer:
        assert consumer.stdout is not None
        found = {consumer.stdout.readline().split()[0] for _ in range(bonuses)}
        consumer.kill()
    return found
