"""Backtests over one test's topics: logs made to measure, runs, and what they came to."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

from stream.backtest import Range, Summary, run_over_kafka
from stream.core.rules import Limits
from stream.settings import KafkaSettings
from tests.kafka.servers import Kafka
from tests.kafka.traffic import FLUSH_S, new_event, value_of

EVERYTHING = Range()
HEARTS = """
program: hearts
version: 1
regions: all
subject: creator
window: {tumbling: 1h}
tiers: [{name: two, when: {likes: 2}, reward: {amount: "5.00", currency: USD}}]
award: once_per_window
"""


@dataclass
class Backtests:
    """Runs of programmes in ``folder`` over the topics of ``kafka``."""

    kafka: Kafka
    folder: Path

    @property
    def settings(self) -> KafkaSettings:
        return KafkaSettings(kafka=self.kafka.bootstrap, topic_prefix=self.kafka.prefix)

    @property
    def out(self) -> Path:
        return self.folder / "out.ndjson"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.ndjson"

    @property
    def work(self) -> Path:
        """The folder of what is kept while a run is under way."""
        return self.folder / "out.ndjson.partial"

    def programs(self, text: str = HEARTS, name: str = "own") -> Path:
        """A folder with these programmes."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "programs.yaml").write_text(text)
        return folder

    async def run(
        self, programs: Path, wanted: Range = EVERYTHING, compare: Path | None = None, out: Path | None = None
    ) -> Summary:
        """A run by two processes; it has an event loop of its own."""
        return await asyncio.to_thread(
            run_over_kafka,
            programs,
            self.settings,
            wanted,
            out or self.out,
            self.rejected,
            Limits(),
            workers=2,
            compare_with=compare,
        )

    def bonuses(self) -> dict[str, dict[str, object]]:
        """The output by id; none is there twice."""
        found = [json.loads(each) for each in self.out.read_text().splitlines()]
        by_id = {str(each["bonus_id"]): each for each in found}
        assert len(by_id) == len(found)
        return by_id

    def starts(self) -> list[object]:
        """The starts of the bonuses' windows, in order."""
        windows = [each["window"] for each in self.bonuses().values()]
        return sorted(window["start"] for window in windows if isinstance(window, dict))

    def send_likes(self, *timestamps: int, creator: str = "ada") -> None:
        """Likes of one creator, with the Kafka timestamps at which they occurred."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "partitioner": "murmur2_random"})
        for number, at in enumerate(timestamps):
            value = value_of(new_event(f"{creator}-{at}-{number}", creator, occurred_at=at))
            producer.produce(self.kafka.prefix + "likes", value, key=creator, timestamp=at)
        assert producer.flush(FLUSH_S) == 0
