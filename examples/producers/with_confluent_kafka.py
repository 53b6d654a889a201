"""Send engagement events, one JSON object a line on standard input, with confluent-kafka (librdkafka).

    python examples/producers/with_confluent_kafka.py localhost:9092 < events.ndjson

Each line says its ``type``: view, like, share or comment.
"""

import json
import sys

from confluent_kafka import KafkaError, Message, Producer

TOPIC_OF_TYPE = {"view": "views", "like": "likes", "share": "shares", "comment": "comments"}


def main(brokers: str) -> None:
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            # The one setting that must not be forgotten: librdkafka's default places keys by CRC32.
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
        }
    )
    for line in sys.stdin:
        event = json.loads(line)
        topic = TOPIC_OF_TYPE[event.pop("type")]
        producer.produce(topic, json.dumps(event), key=event["creator_id"], on_delivery=complain)
        producer.poll(0)
    producer.flush()


def complain(error: KafkaError | None, record: Message) -> None:
    if error is not None:
        print(f"not delivered to {record.topic()}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
