"""How long a bonus takes: from the record that reaches a tier to the bonus in a consumer's hands.

    python -m benchmarks.latency
    python -m benchmarks.latency --rate 10000 --seconds 60 --json run.json --svg latency.svg

A producer sends at a steady rate, and one record in ten reaches a tier. Measured is from the moment that Kafka has
acknowledged that record to the producer, to the moment that a read_committed consumer holds its bonus. Between them
lie the worker's fetch, the count, one Kafka transaction, and the consumer's fetch.
"""

import json as json_format
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Annotated, NamedTuple

import typer
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from rich.console import Console
from rich.table import Table

from benchmarks import command, cores, histogram, worker
from benchmarks.servers import Ground, ground, servers
from schemas import bonuses as wire
from stream import topics
from stream.core.rules import TOPICS

WARM_UP_S = 10.0
ARRIVE_S = 30.0
TAKE_S = 60.0
EVENTS_A_BONUS = 10
_PACE_S = 0.001

PROGRAM = f"""\
program: latency
version: 1
regions: all
subject: video
window: {{rolling: 24h, step: 1m}}
tiers:
  - {{name: views, when: {{views: {EVENTS_A_BONUS}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: likes, when: {{likes: {EVENTS_A_BONUS}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: shares, when: {{shares: {EVENTS_A_BONUS}}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: comments, when: {{comments: {EVENTS_A_BONUS}}}, reward: {{amount: "1.00", currency: USD}}}}
award: once
"""


class Times(NamedTuple):
    """Of one bonus, monotonic s: its record handed to the producer, acknowledged, and the bonus held."""

    sent_s: float
    acknowledged_s: float
    held_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """The times of every bonus after the warm-up, and what share of a core the worker took, and waited for."""

    times: list[Times]
    cpu_share: float
    waited: float


def main(
    rate: Annotated[int, typer.Option(min=100, max=50_000, help="Events a second.")] = 2_000,
    seconds: Annotated[float, typer.Option(min=1, help="How long it is measured.")] = 30,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the histogram to this file.")] = None,
) -> None:
    """How long a bonus takes, from its record acknowledged to the bonus held."""
    console = Console()
    with TemporaryDirectory(prefix="bonus-benchmark-") as folder, servers() as on:
        Path(folder, "latency.yaml").write_text(PROGRAM)
        with ground(on, partitions) as place:
            console.print(f"Sending {rate:,} events a second for {WARM_UP_S + seconds:g} s …")
            run = measure(place, Path(folder), rate, seconds)
    from_ack_ms = sorted((each.held_s - each.acknowledged_s) * 1e3 for each in run.times)
    from_send_ms = sorted((each.held_s - each.sent_s) * 1e3 for each in run.times)
    title = f"{rate:,} events a second, {len(run.times):,} bonuses in {seconds:g} s, ms"
    table = Table(title=title, title_justify="left")
    table.add_column("from")
    for name in _PERCENTILES:
        table.add_column(name, justify="right")
    for start, values in (("record acknowledged", from_ack_ms), ("record sent", from_send_ms)):
        table.add_row(start, *(f"{value:.1f}" for value in percentiles(values).values()))
    console.print(table)
    console.print(
        f"The worker took {run.cpu_share:.0%} of a core, and waited for one {run.waited:.0%} of the time.\n"
    )
    console.print(histogram.text(from_ack_ms), highlight=False)
    if svg is not None:
        svg.write_text(histogram.svg(from_ack_ms, title))
    if json is not None:
        figures = {
            "rate": rate,
            "seconds": seconds,
            "bonuses": len(run.times),
            "from_acknowledged_ms": percentiles(from_ack_ms),
            "from_sent_ms": percentiles(from_send_ms),
            "cpu_share": run.cpu_share,
            "waited": run.waited,
        }
        json.write_text(json_format.dumps(figures, indent=2) + "\n")


_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def percentiles(ascending: list[float]) -> dict[str, float]:
    """The value at or below which each share of the values lies."""
    last = len(ascending) - 1
    return {name: ascending[min(last, int(share * len(ascending)))] for name, share in _PERCENTILES.items()}


def measure(place: Ground, programs: Path, rate: int, seconds: float, warm_up_s: float = WARM_UP_S) -> Run:
    """Send at ``rate`` while a worker runs, until every bonus has come."""
    all_cores, _ = cores.split(pin=False)  # a broker that is kept to one core would be the one measured
    with worker.running(place, programs, all_cores) as it, Watch(place) as watch:
        it.wait_until(lambda look: look.metrics.get("bonus_partitions_taken") == place.partitions, TAKE_S)
        sender = Sender(place, rate)
        sender.run(warm_up_s)
        sender.finish()  # a broker that has just started is slow at first: what piled up is not to be measured
        before = it.look()
        counted_from_s = time.monotonic()
        sender.run(seconds)
        after = it.look()
        sender.finish()
        watch.wait_for(sender.bonuses, ARRIVE_S)
    if watch.held_s.keys() != sender.sent_s.keys():
        sys.exit("The bonuses are not those of the records that reach a tier: these figures mean nothing.")
    times = [
        Times(sender.sent_s[event_id], sender.acknowledged_s[event_id], held_s)
        for event_id, held_s in watch.held_s.items()
        if sender.sent_s[event_id] >= counted_from_s
    ]
    passed_s = after.at_s - before.at_s
    return Run(times, (after.cpu_s - before.cpu_s) / passed_s, (after.waited_s - before.waited_s) / passed_s)


class Sender:
    """Sends events of videos that are seen ten times each, so that bonuses come as steadily as events.

    ``sent_s`` and ``acknowledged_s`` (monotonic s) hold the events that reach a tier, the tenth of each video.
    """

    def __init__(self, place: Ground, rate: int) -> None:
        self._prefix = place.prefix
        self._rate = rate
        self._subjects = rate // 4  # each sends four events a second, so the first bonuses come after 2.5 s
        self._serial = 0
        self._producer = Producer(
            {"bootstrap.servers": place.servers.kafka, "partitioner": "murmur2_random", "linger.ms": 1}
        )
        self.sent_s: dict[str, float] = {}
        self.acknowledged_s: dict[str, float] = {}

    @property
    def bonuses(self) -> int:
        """How many bonuses what was sent must bring about."""
        return len(self.sent_s)

    def run(self, seconds: float) -> None:
        """Send at the rate for so long."""
        began_s, before = time.monotonic(), self._serial
        while (passed_s := time.monotonic() - began_s) < seconds:
            due = before + int(passed_s * self._rate)
            while self._serial < due:
                self._send()
            self._producer.poll(_PACE_S)

    def finish(self) -> None:
        """Wait until Kafka has acknowledged everything that was sent."""
        if self._producer.flush(ARRIVE_S):
            sys.exit(f"Kafka did not take all events within {ARRIVE_S:g} s.")

    def _send(self) -> None:
        serial, self._serial = self._serial, self._serial + 1
        turn, subject = divmod(serial, self._subjects)
        # Each subject is at another of its ten events, so that a tenth of each turn reaches a tier.
        video, nth = divmod(turn + subject, EVENTS_A_BONUS)
        topic = TOPICS[max(0, (subject + subject // 10) % 10 - 6)]
        creator_id = f"creator-{subject:04}"
        event_id = f"e-{serial:08}"
        value = (
            f'{{"event_id":"{event_id}","creator_id":"{creator_id}","video_id":"video-{subject:04}-{video:06}",'
            f'"viewer_id":"viewer-{serial % 99_991:06}","occurred_at":{time.time_ns() // 1_000_000},"region":"US",'
            f'"source":"for_you","paid":false}}'
        )
        # The first video of a subject may begin in its middle: then it is never seen ten times.
        reaches = nth == EVENTS_A_BONUS - 1 and turn >= nth
        if reaches:
            self.sent_s[event_id] = time.monotonic()

        def acknowledged(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                sys.exit(f"Kafka did not take an event: {error}.")
            if reaches:
                self.acknowledged_s[event_id] = time.monotonic()

        self._producer.produce(self._prefix + topic, value, creator_id, on_delivery=acknowledged)


class Watch:
    """A read_committed consumer of `bonuses`: ``held_s`` is when each came (monotonic s), by evidence event id."""

    def __init__(self, place: Ground) -> None:
        self.held_s: dict[str, float] = {}
        self._twice: list[str] = []
        self._ended = Event()
        self._thread = Thread(target=self._read, name="bonuses")
        self._consumer = Consumer(
            {
                "bootstrap.servers": place.servers.kafka,
                "group.id": place.group + "-watch",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            }
        )
        ledger = place.prefix + topics.LEDGER
        self._consumer.assign([TopicPartition(ledger, number, 0) for number in range(place.partitions)])

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def wait_for(self, bonuses: int, within_s: float) -> None:
        """Return once so many have come; ends the program where they don't, or where one came twice."""
        deadline_s = time.monotonic() + within_s
        while len(self.held_s) < bonuses and time.monotonic() < deadline_s:
            self._thread.join(0.1)
        if len(self.held_s) != bonuses or self._twice:
            sys.exit(f"{len(self.held_s)} of {bonuses} bonuses came, {len(self._twice)} of them twice.")

    def _read(self) -> None:
        while not self._ended.is_set():
            message = self._consumer.poll(0.1)
            now_s = time.monotonic()
            value = None if message is None or message.error() is not None else message.value()
            if value is not None:
                event_id = wire.decode(value).evidence.event_id
                if event_id in self.held_s:
                    self._twice.append(event_id)
                self.held_s.setdefault(event_id, now_s)


if __name__ == "__main__":
    command.run(main)
