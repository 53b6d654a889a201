"""The demo's Kafka: librdkafka's mock cluster, inside this process, on a free loopback port.

It speaks the protocol well enough for groups, transactions and aiokafka, and keeps about the last 5 MB of each
partition, in memory. It neither fences nor isolates transactions, can't create or describe topics (naming one
makes it, with 4 partitions), keeps producers' timestamps, and writes transaction markers without a checksum:
clients must not check sums. It is a stage for one worker, never a test of exactly-once.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException, Producer

from stream.errors import Unreachable

PARTITIONS = 4


@contextmanager
def embedded_broker(topics: Iterable[str], within_s: float = 10) -> Iterator[str]:
    """Run a broker that has ``topics``, with ``PARTITIONS`` partitions each; yields its ``HOST:PORT``.

    Raises Unreachable where the broker does not serve the topics within ``within_s`` seconds.
    """
    # The cluster lives as long as the client that asked for it. log_level 0: it announces itself on stderr.
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "x:1", "log_level": 0})
    try:
        deadline_s = time.monotonic() + within_s
        for topic in topics:
            while len(host.list_topics(topic, timeout=within_s).topics[topic].partitions) != PARTITIONS:
                if time.monotonic() > deadline_s:
                    raise Unreachable(f"The demo's embedded Kafka did not make the topic {topic}.")
        (broker,) = host.list_topics(timeout=within_s).brokers.values()
        yield f"{broker.host}:{broker.port}"
    except KafkaException as error:
        raise Unreachable(f"The demo's embedded Kafka did not answer: {error}.") from error
    finally:
        host.flush(0)
        del host
