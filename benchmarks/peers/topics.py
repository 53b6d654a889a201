"""The topics around a peer: its output, how far its group is, and what to take away after it."""

import json
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from benchmarks.peers.job import Award
from benchmarks.servers import ADMIN_S, Ground

# What a broker answers whose topic of offsets is just being made or loaded.
_NO_COORDINATOR_YET = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


def make(ground: Ground, topic: str) -> None:
    """Make an output topic; one that is there is left as it is."""
    admin = AdminClient({"bootstrap.servers": ground.servers.kafka, "log_level": 3})
    if topic not in admin.list_topics(timeout=ADMIN_S).topics:
        for made in admin.create_topics([NewTopic(topic, ground.partitions, 1)]).values():
            made.result(ADMIN_S)


def remove(ground: Ground, group: str) -> None:
    """Take away the topics that a peer made for itself, whose names hold that of its group; a ground's own stay."""
    if group == ground.group:
        return
    admin = AdminClient({"bootstrap.servers": ground.servers.kafka, "log_level": 3})
    own = [topic for topic in admin.list_topics(timeout=ADMIN_S).topics if group in topic]
    if own:
        for gone in admin.delete_topics(own).values():
            gone.result(ADMIN_S)


class Progress:
    """How many events a group has committed."""

    def __init__(self, ground: Ground, group: str) -> None:
        self._inputs, self._last = ground.inputs(), 0
        self._consumer = Consumer(
            {"bootstrap.servers": ground.servers.kafka, "group.id": group, "log_level": 3}
        )

    def events(self) -> int:
        """The events that its positions cover, every log starting at 0; the last answer while there is no other."""
        try:
            positions = self._consumer.committed(self._inputs, ADMIN_S)
        except KafkaException as error:
            if error.args[0].code() not in _NO_COORDINATOR_YET:
                raise
        else:
            self._last = sum(max(0, tp.offset) for tp in positions)
        return self._last

    def close(self) -> None:
        self._consumer.close()


def awards(ground: Ground, topic: str) -> list[Award]:
    """Every committed award in an output topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": ground.servers.kafka,
            "group.id": f"{topic}-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 3,
        }
    )
    try:
        return [award for number in range(ground.partitions) for award in _awards(consumer, topic, number)]
    finally:
        consumer.close()


def _awards(consumer: Consumer, topic: str, number: int) -> Iterator[Award]:
    tp = TopicPartition(topic, number, 0)
    end = consumer.get_watermark_offsets(tp, ADMIN_S)[1]
    consumer.assign([tp])
    while end > 0 and consumer.position([tp])[0].offset < end:
        for message in consumer.consume(1_000, 0.2):
            value = message.value()
            if message.error() is None and value is not None:
                yield award_of(value)


def award_of(value: bytes) -> Award:
    """An award as any of the peers writes it, and the engine."""
    shown = json.loads(value)
    if "bonus_id" not in shown:
        return Award(**{name: shown[name] for name in Award._fields})
    subject = shown["subject"]
    video_id = subject["id"] if subject["kind"] == "video" else None
    return Award(shown["program"], shown["tier"], shown["creator_id"], video_id, shown["period"]["start"])
