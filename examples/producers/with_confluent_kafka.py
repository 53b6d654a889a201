"""Send engagement events, one JSON object a line on standard input, with confluent-kafka (librdkafka).

    python examples/producers/with_confluent_kafka.py localhost:9092 < events.ndjson

Each line says its ``type``: view, like, share or comment.
"""

import json
import sys

from confluent_kafka import KafkaError, Message, Producer

TOPIC_OF_TYPE = {"view": "views", "like": "likes", "share": "shares", "comment": "comments"}
MOST_WAITING = 50_000  # librdkafka's queue holds 100,000 by default


def main(brokers: str) -> None:
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            # The one setting that must not be forgotten: librdkafka's default places keys by CRC32.
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
        }
    )
    undelivered = []

    def on_delivery(error: KafkaError | None, record: Message) -> None:
        if error is not None:
            undelivered.append(f"{record.topic()}: {error}")

    for line in sys.stdin:
        event = json.loads(line)
        topic = TOPIC_OF_TYPE[event.pop("type")]
        while len(producer) >= MOST_WAITING:
            producer.poll(0.1)
        producer.produce(topic, json.dumps(event), key=event["creator_id"], on_delivery=on_delivery)
        producer.poll(0)
    producer.flush()
    if undelivered:
        sys.exit(f"{len(undelivered)} events were not delivered, the first to {undelivered[0]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: with_confluent_kafka.py HOST:PORT < events.ndjson")
    main(sys.argv[1])
