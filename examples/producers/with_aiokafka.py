"""Send engagement events, one JSON object a line on standard input, with aiokafka.

    python examples/producers/with_aiokafka.py localhost:9092 < events.ndjson

Each line says its ``type``: view, like, share or comment. aiokafka places keys as the Java client does, which is
what the worker expects: nothing to set.
"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaProducer

TOPIC_OF_TYPE = {"view": "views", "like": "likes", "share": "shares", "comment": "comments"}


async def main(brokers: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=brokers, enable_idempotence=True, linger_ms=5) as producer:
        deliveries = []
        for line in sys.stdin:
            event = json.loads(line)
            topic = TOPIC_OF_TYPE[event.pop("type")]
            value, key = json.dumps(event).encode(), event["creator_id"].encode()
            deliveries.append(await producer.send(topic, value, key=key))
        await asyncio.gather(*deliveries)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: with_aiokafka.py HOST:PORT < events.ndjson")
    asyncio.run(main(sys.argv[1]))
