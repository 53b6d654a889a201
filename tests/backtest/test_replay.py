"""The law for files: lines through the replay award what the brute-force model awards for their records."""

import json
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stream.backtest.lines import read_lines
from stream.backtest.replay import Replay, TurnedAway
from stream.core.outcome import Bonus
from stream.core.plan import Plan
from stream.core.rules import Program
from tests.model import Engagement, Record, bonuses
from tests.strategies import LIMITS, anchors, interleaved, logs, program_sets


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Program], list[Record]]:
    """Programmes and a log around the same anchor, two partitions of it, topics in any order."""
    anchor = draw(anchors)
    programs, appended = draw(program_sets(anchor)), draw(logs(anchor))
    records = interleaved(appended, draw(st.integers(0, 1_000)))
    return programs, [
        each._replace(partition=partition)
        for each in records
        for partition in draw(st.sampled_from([[0], [0, 1]]))
    ]


def as_line(record: Record) -> bytes:
    """A record as a line of a file; a rejection becomes a line that has only its place."""
    place = {"type": record.topic.removesuffix("s"), "partition": record.partition, "offset": record.offset}
    event = asdict(record.decoded) if isinstance(record.decoded, Engagement) else {}
    return json.dumps(event | place | {"timestamp": record.timestamp}).encode() + b"\n"


@given(cases())
def test_a_replay_awards_what_the_model_awards(case: tuple[list[Program], list[Record]]) -> None:
    programs, records = case
    file = BytesIO(b"".join(map(as_line, records)))
    replay = Replay(Plan(programs), LIMITS)
    results = list(replay.results(read_lines(Path("log"), file)))
    awarded = [result for result in results if isinstance(result, Bonus)]
    for partition in (0, 1):
        expected = bonuses(programs, [each for each in records if each.partition == partition], LIMITS)
        found = [bonus for bonus in awarded if bonus.evidence.partition == partition]
        assert {bonus.bonus_id: bonus for bonus in found} == expected
        assert len(found) == len(expected)
    turned_away = sum(isinstance(result, TurnedAway) for result in results)
    summary = replay.summary
    assert summary.accepted + summary.duplicates + turned_away == summary.lines == len(records)
