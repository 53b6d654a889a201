"""The law for files: lines through the replay award what the brute-force model awards for their records."""

import json
import random
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from hypothesis import given

from stream.backtest.lines import read_lines
from stream.backtest.replay import Replay, TurnedAway
from stream.core.outcome import Bonus
from stream.core.plan import Plan
from tests.laws.engine import by_id
from tests.model import Engagement, Record, bonuses
from tests.strategies import Case, cases, interleaved, seeds


def as_line(record: Record) -> bytes:
    """A record as a line of a file; a rejection becomes a line that has only its place."""
    place = {"type": record.topic.removesuffix("s"), "partition": record.partition, "offset": record.offset}
    event = asdict(record.decoded) if isinstance(record.decoded, Engagement) else {}
    return json.dumps(event | place | {"timestamp": record.timestamp}).encode() + b"\n"


@given(cases(), seeds)
def test_a_replay_awards_what_the_model_awards(case: Case, seed: int) -> None:
    """In two partitions, the second with a part of the first one's records."""
    shuffler = random.Random(seed)
    records = []
    for record in interleaved(case.records, seed):
        records.append(record)
        if shuffler.random() < 0.5:
            records.append(record._replace(partition=1))
    replay = Replay([Plan(case.programs)], case.limits)
    results = list(replay.results(read_lines(Path("log"), BytesIO(b"".join(map(as_line, records))))))
    awarded = [result for result in results if isinstance(result, Bonus)]
    for partition in (0, 1):
        own = [record for record in records if record.partition == partition]
        found = [bonus for bonus in awarded if bonus.evidence.partition == partition]
        assert by_id(found) == bonuses(case.programs, own, case.limits)
    turned_away = sum(isinstance(result, TurnedAway) for result in results)
    summary = replay.summary
    assert summary.accepted + summary.duplicates + turned_away == summary.lines == len(records)
