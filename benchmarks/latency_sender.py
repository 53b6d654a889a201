"""The generator of the latency benchmark: a process of its own that sends at a steady rate, as cheaply as it can.

Everything is encoded before the first send, and librdkafka does the rest in C: at high rates the generator would
otherwise take the core that the broker needs. Videos are seen ``events_a_bonus`` times each, so bonuses come as
steadily as events.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple, Self

from confluent_kafka import KafkaError, Message, Producer

from benchmarks.command import CannotMeasure
from benchmarks.load import REGIONS
from stream.core.rules import TOPICS, Topic

FLUSH_S = 30.0
VIDEO_S = 2.5
"""How long a video is seen, from its first event to the one that reaches the tier."""

_PACE_S = 0.001
_VIEWERS = 99_991


class SendingFailed(CannotMeasure):
    """Kafka did not take what was sent."""


class Sending(NamedTuple):
    """An event to send; ``event_id`` is set where it reaches a tier."""

    topic: Topic
    key: bytes
    value: bytes
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """``rate`` events a second, of which one in ``events_a_bonus`` reaches a tier, to the topics with ``prefix``."""

    bootstrap: str
    prefix: str
    rate: int
    events_a_bonus: int

    def events(self, count: int) -> Iterator[Sending]:
        """The events in the order in which they are sent; the tenth (or so) of a video reaches the tier."""
        subjects = max(1, round(self.rate * VIDEO_S / self.events_a_bonus))
        began_ms = time.time_ns() // 1_000_000
        for serial in range(count):
            turn, subject = divmod(serial, subjects)
            # Each subject is at another of its video's events, so that an even share of each turn reaches a tier.
            video, nth = divmod(turn + subject, self.events_a_bonus)
            topic = TOPICS[max(0, (subject + subject // 10) % 10 - 6)]
            event_id = f"e-{serial:010}"
            value = (
                f'{{"event_id":"{event_id}","creator_id":"creator-{subject:05}",'
                f'"video_id":"video-{subject:05}-{video:06}","viewer_id":"viewer-{serial % _VIEWERS:06}",'
                f'"occurred_at":{began_ms + serial * 1_000 // self.rate},'
                f'"region":"{REGIONS[subject % len(REGIONS)]}",'
                f'"watch_ms":9000,"source":"for_you","paid":false}}'
            )
            # The first video of a subject may begin in its middle: then it is never seen often enough.
            reaches = nth == self.events_a_bonus - 1 and turn >= nth
            yield Sending(topic, b"creator-%05d" % subject, value.encode(), event_id if reaches else None)


@dataclass(slots=True)
class Sent:
    """What one run sent. ``sent_s`` and ``acknowledged_s`` (monotonic s) are of the events that reach a tier.

    It began at ``began_s`` and took ``took_s``, all acknowledged; ``cpu_s`` is what it cost. ``error`` says what went
    wrong.
    """

    events: int = 0
    began_s: float = 0.0
    took_s: float = 0.0
    cpu_s: float = 0.0
    sent_s: dict[str, float] = field(default_factory=dict)
    acknowledged_s: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.took_s


class Sender:
    """The generator process; events for ``seconds`` of sending are ready when the context is entered."""

    def __init__(self, traffic: Traffic, seconds: float) -> None:
        ours, theirs = get_context("spawn").Pipe()
        self._line = ours
        arguments = (theirs, traffic, round(seconds * traffic.rate))
        self._process = get_context("spawn").Process(target=_serve, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._line.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def run(self, events: int, *, paced: bool = True) -> Sent:
        """Send the next ``events``, at the rate or all at once, until Kafka has acknowledged all of them.

        Raises ``SendingFailed``.
        """
        self._line.send((events, paced))
        sent = self._line.recv()
        assert isinstance(sent, Sent)
        if sent.error is not None:
            raise SendingFailed(f"Kafka did not take the events: {sent.error}.")
        return sent


def _serve(line: Connection, traffic: Traffic, count: int) -> None:
    events = list(traffic.events(count))
    producer = Producer(
        {
            "bootstrap.servers": traffic.bootstrap,
            "partitioner": "murmur2_random",
            # Few and larger requests spare the broker; the wait comes before the acknowledgement.
            "linger.ms": 10,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "enable.idempotence": True,
        }
    )
    producer.list_topics(timeout=FLUSH_S)
    line.send("ready")
    at = 0
    while True:
        wanted, paced = line.recv()
        line.send(_run(producer, traffic, events[at : at + wanted], paced))
        at += wanted


def _run(producer: Producer, traffic: Traffic, events: list[Sending], paced: bool) -> Sent:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    sent = Sent(events=len(events), began_s=began_s)
    done = 0
    while done < len(events):
        due = int((time.monotonic() - began_s) * traffic.rate) + 1 if paced else done + 1_000
        for event in events[done:due]:
            _send(producer, traffic.prefix, event, sent)
        done = min(len(events), due)
        producer.poll(_PACE_S if paced else 0)
    if producer.flush(FLUSH_S):
        sent.error = f"not all were acknowledged within {FLUSH_S:g} s"
    sent.took_s, sent.cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    return sent


def _send(producer: Producer, prefix: str, event: Sending, sent: Sent) -> None:
    event_id = event.event_id
    if event_id is None:
        producer.produce(prefix + event.topic, event.value, event.key)
        return

    def acknowledged(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            sent.error = str(error)
        sent.acknowledged_s[event_id] = time.monotonic()

    sent.sent_s[event_id] = time.monotonic()
    producer.produce(prefix + event.topic, event.value, event.key, on_delivery=acknowledged)
