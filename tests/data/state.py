"""States as releases of the past have written them, with the log that was counted by then, and what came after.

`state-1.json` is format 1. `python -m tests.data.state FILE` writes one with the present release: run it when the
layout or the body of a checkpoint gets a new form, give it a new name, and keep the old ones.
"""

import asyncio
import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from stream.core.outcome import Bonus, Event, Rejection
from stream.core.partition import Partition
from stream.core.rules import TOPICS, Limits, Topic
from stream.programs.load import load
from stream.store.checkpoint import Delta, IdBatch
from stream.store.store import StateStore
from stream.worker.body import Body
from stream.worker.rules import in_force
from tests.builders import MINUTE, SECOND
from tests.kafka.redis_server import RedisServer
from tests.laws.engine import feed
from tests.model import Engagement, Record

FOLDER = Path(__file__).parent
PROGRAMS = FOLDER / "programs"
STATES = sorted(FOLDER.glob("state-*.json"))

APP = "bonus"
TAG = f"{{{APP}:0}}"
"""What the keys of a recorded state begin with: partition 0 of 1."""

RECORDS, CHECKPOINT_EVERY = 800, 90
START_MS = 1_772_000_000_000


@dataclass(frozen=True)
class State:
    """``keys`` are what Redis held, ``before`` and ``after`` what was counted by then, and what was not.

    Hashes are maps of texts, sorted sets maps of numbers.
    """

    keys: dict[str, dict[str, str] | dict[str, float]]
    before: list[Record]
    after: list[Record]

    @classmethod
    def read(cls, path: Path) -> "State":
        """From a file that `write` made."""
        found = json.loads(path.read_text())
        before, after = (
            [
                Record(topic, 0, offset, timestamp, Engagement(**told))
                for topic, offset, timestamp, told in found[part]
            ]
            for part in ("before", "after")
        )
        return cls(found["keys"], before, after)

    def write(self, path: Path) -> None:
        """To a file: a line a key, and a line a record."""
        keys = ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(held)}" for key, held in sorted(self.keys.items())
        )
        parts = [
            f' "{name}": [\n' + ",\n".join(f"  {json.dumps(_shown(record))}" for record in records) + "\n ]"
            for name, records in (("before", self.before), ("after", self.after))
        ]
        path.write_text(f'{{\n "keys": {{\n{keys}\n }},\n' + ",\n".join(parts) + "\n}\n")


def _shown(record: Record) -> list[object]:
    assert isinstance(record.decoded, Engagement)
    usual = asdict(Engagement("", -1))
    told = {name: value for name, value in asdict(record.decoded).items() if usual[name] != value}
    return [record.topic, record.offset, record.timestamp, told]


def _log(seed: int) -> list[Record]:
    """Five hours and more of few creators: duplicates, late ones, removes, and events that ran ahead."""
    pick = random.Random(seed)
    offsets, now = dict.fromkeys(TOPICS, -1), START_MS
    records: list[Record] = []
    for number in range(RECORDS):
        topic: Topic = pick.choice(["views", "views", "likes", "likes", "shares", "comments"])
        now += pick.choice([0, SECOND, 10 * SECOND, 30 * SECOND])
        offsets[topic] += 1
        ago_ms = pick.choice([0, 0, SECOND, MINUTE, 20 * MINUTE, 59 * MINUTE, 61 * MINUTE, -MINUTE])
        event: Event | Rejection = Engagement(
            event_id=f"{topic}-{number}",
            occurred_at=now - ago_ms,
            creator_id=f"creator-{min(pick.randrange(12), pick.randrange(12))}",
            video_id=pick.choice(["v1", "v2", "ü:{v}"]),
            viewer_id=f"viewer-{pick.randrange(8)}",
            region=pick.choice(["US", "US", "GB", "DE"]),
            watch_ms=pick.randrange(20_000) if topic == "views" else 0,
            action="remove" if topic in ("likes", "comments") and pick.random() < 0.1 else "add",
        )
        same = [each.decoded for each in records if each.topic == topic]
        if same and pick.random() < 0.05:
            event = pick.choice(same[-20:])
        records.append(Record(topic, 0, offsets[topic], now, event))
    return records


async def record(url: str) -> State:
    """Count the first half of a log as a worker does, checkpoint after checkpoint, into an empty Redis."""
    limits, loaded = Limits(), load(PROGRAMS)
    rules = in_force(4, {}, loaded.documents, {}, limits)
    records = _log(1)
    before, after = records[: RECORDS // 2], records[RECORDS // 2 :]
    store = await StateStore.connect(url, APP, timeout_s=5, say=print)
    lease = await store.take(0)
    partition = Partition(0, rules.plan, limits)
    paid: list[Bonus] = []
    for start in range(0, len(before), CHECKPOINT_EVERY):
        for each in before[start : start + CHECKPOINT_EVERY]:
            paid += feed(partition, [each])
        partition.sweep(await lease.due(partition.horizon(), 1_000))
        changes = partition.cut()
        body = Body(
            positions=dict(changes.positions),
            arrivals=dict(changes.arrivals),
            place=len(paid),
            edition=rules.edition,
            since={},
            documents=rules.documents,
            late={},
            limits=asdict(limits),
            cluster="cluster",
            partitions=1,
            topics=dict.fromkeys((*TOPICS, "bonuses"), "0" * 32),
        )
        ids = [IdBatch(topic, runs) for topic, runs in changes.ids.items()]
        floors: dict[str, int] = dict(changes.ids_floor.items())
        await lease.write(Delta(changes.subjects, ids, floors, body.encode(), changes.due))
    await store.close()
    return State(_keys(url), before, after)


def _keys(url: str) -> dict[str, dict[str, str] | dict[str, float]]:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return {
            key: client.hgetall(key)
            if client.type(key) == "hash"
            else dict(client.zrange(key, 0, -1, withscores=True))
            for key in client.scan_iter()
        }


def put(state: State, url: str, app: str) -> None:
    """Have a Redis hold a recorded state, as that of an application of this name."""
    with redis.Redis.from_url(url) as client:
        for key, held in state.keys.items():
            name = key.replace(TAG, f"{{{app}:0}}", 1)
            if key.endswith(":due"):
                client.zadd(name, held)
            else:
                client.hset(name, mapping=held)


def main() -> None:
    """Write the file that is named, with a Redis of our own."""
    with TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            asyncio.run(record(server.url)).write(Path(sys.argv[1]))
        finally:
            server.kill()


if __name__ == "__main__":
    main()
