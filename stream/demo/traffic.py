"""Sample producers: the sample events, sent at a steady rate, each to its creator's partition."""

import time

from confluent_kafka import KafkaError, Message, Producer

from stream.demo.events import SampleEvents
from stream.errors import Unreachable

MOST_AT_ONCE = 2_000


class Traffic:
    """Sends ``rate`` events a second to the broker, from the first call of ``send_due`` on.

    ``sent`` counts the records that the broker has acknowledged. A call sends at most ``MOST_AT_ONCE`` events:
    a machine that can't keep up gets fewer a second, and no ever longer calls.
    """

    def __init__(self, broker: str, rate: int, seed: int = 0) -> None:
        self.sent = 0
        self._rate = rate
        self._events = SampleEvents(seed)
        self._begun_s: float | None = None
        self._due_before = 0
        self._refusal: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "partitioner": "murmur2_random",  # librdkafka's own default places keys differently
                "linger.ms": 10,
                "log_level": 0,
            }
        )

    def send_due(self) -> None:
        """Send the events that have come due since the last call.

        Raises Unreachable where the broker did not take one.
        """
        now_s = time.monotonic()
        self._begun_s = now_s if self._begun_s is None else self._begun_s
        due = int((now_s - self._begun_s) * self._rate)
        now_ms = time.time_ns() // 1_000_000
        for sample in self._events.take(min(due - self._due_before, MOST_AT_ONCE), now_ms):
            self._producer.produce(sample.topic, sample.value, sample.key, on_delivery=self._delivered)
        self._due_before = due
        self._producer.poll(0)
        self._raise_refusal()

    def finish(self, within_s: float = 5) -> None:
        """Wait until the broker has everything that was sent.

        Raises Unreachable where it has not within ``within_s`` seconds.
        """
        if self._producer.flush(within_s):
            raise Unreachable(f"The demo's broker did not take all sample events within {within_s:g} s.")
        self._raise_refusal()

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.sent += 1
        else:
            self._refusal = error

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise Unreachable(f"The demo's broker did not take a sample event: {self._refusal}.")
