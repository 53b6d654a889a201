"""A plain loop over confluent-kafka: as the one over aiokafka, with librdkafka's fetching in threads of its own."""

import gc
import signal
import threading
from itertools import groupby

from confluent_kafka import Consumer, Message, Producer

from benchmarks.peers.loops.command import Run, run
from benchmarks.peers.loops.counting import GC_THRESHOLDS, Counting, encode

_MAX_RECORDS = 10_000


def count(told: Run) -> None:
    """Read, count and send until SIGTERM."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    consumer = Consumer(
        {
            "bootstrap.servers": told.kafka,
            "group.id": told.group,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 1_000,
            "check.crcs": False,
        }
    )
    producer = Producer(
        {"bootstrap.servers": told.kafka, "partitioner": "murmur2_random", "enable.idempotence": True}
    )
    counting = Counting(told.prefix)
    consumer.subscribe(told.inputs)
    while not ending.is_set():
        messages = [each for each in consumer.consume(_MAX_RECORDS, 0.2) if each.error() is None]
        for (topic, partition), fetched in groupby(messages, _place):
            values = [(each.timestamp()[1], each.value() or b"") for each in fetched]
            for award in counting.count(topic, partition, values):
                producer.produce(told.output, encode(award._asdict()), award.creator_id)
        producer.poll(0)
    producer.flush()
    consumer.close()


def _place(message: Message) -> tuple[str, int]:
    return message.topic() or "", message.partition() or 0


if __name__ == "__main__":
    gc.set_threshold(*GC_THRESHOLDS)
    count(run())
