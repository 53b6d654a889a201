"""The job that peers written in Python share is the engine's: the same load, the same awards."""

import random
from pathlib import Path

from benchmarks.load import Load
from benchmarks.peers import expected
from benchmarks.peers.catalogue import Windows
from benchmarks.peers.job import CREATOR, ID_WINDOW_MS, NAMING, WINDOW_PANES, Award, Seen, Subject
from benchmarks.peers.loops.counting import Counting
from schemas.placement import partition_of

PARTITIONS = 2
TWO_DAYS = Load(events=30_000, creators=40, videos_a_creator=3, viewers=500, span_ms=2 * 86_400_000, seed=11)


def test_plain_loop_awards_what_the_engine_awards(tmp_path: Path) -> None:
    """Two days of events, in which windows roll and days change, bring the same awards, each once."""
    programs = tmp_path / "programs"
    expected.write_programs(programs, Windows.ROLLING)
    due = expected.of_load(TWO_DAYS, programs, PARTITIONS)
    found = counted(TWO_DAYS)
    assert due == set(found)
    assert len(due) == len(found)
    assert len(due) > 100


def test_tumbling_windows_are_another_job(tmp_path: Path) -> None:
    """What is due of a peer that only has tumbling windows is not what is due with rolling ones."""
    due = {}
    for windows in Windows:
        programs = tmp_path / windows.value
        expected.write_programs(programs, windows)
        due[windows] = expected.of_load(TWO_DAYS, programs, PARTITIONS)
    assert due[Windows.TUMBLING] - due[Windows.ROLLING]
    assert due[Windows.ROLLING] - due[Windows.TUMBLING]


def test_subject_in_any_order(seed: int) -> None:
    """Whatever order the events of a video come in, the tiers are those that some window reaches."""
    draw = random.Random(seed)
    for _ in range(20):
        panes = [draw.randrange(2 * WINDOW_PANES) for _ in range(draw.randrange(40, 120))]
        arrival = sorted(panes, key=lambda pane: pane + draw.uniform(0, 60))
        subject = Subject(NAMING["video"])
        found = [tier.name for pane in arrival for tier, _ in subject.count(0, pane)]
        fullest = max(sum(pane - WINDOW_PANES < other <= pane for other in panes) for pane in panes)
        assert found == (["rising"] if fullest >= 50 else [])


def test_sums_are_those_of_the_newest_window(seed: int) -> None:
    """Counts leave the sums with the minute that they are in, also those that came late."""
    draw = random.Random(seed)
    subject, counted_at = Subject(NAMING[CREATOR]), list[int]()
    newest = 0
    for _ in range(500):
        newest += draw.choice((0, 0, 1, 30, 400))
        pane = newest - draw.choice((0, 0, 0, 1, 60))
        subject.count(1, pane)
        counted_at.append(pane)
        newest = max(counted_at)
        assert subject.sums[1] == sum(newest - WINDOW_PANES < each for each in counted_at)


def test_an_id_counts_again_after_its_window() -> None:
    """An event id is a duplicate for 65 minutes, however many turns of the memory lie between."""
    seen = Seen()
    assert [seen.is_new("e", at) for at in (0, 1, ID_WINDOW_MS, ID_WINDOW_MS + 1)] == [
        True,
        False,
        False,
        True,
    ]
    assert [seen.is_new("f", at) for at in (ID_WINDOW_MS + 5, 2 * ID_WINDOW_MS + 5)] == [True, False]


def counted(load: Load) -> list[Award]:
    """What the plain loops make of a load."""
    counting, awards = Counting(""), list[Award]()
    for record in load.records():
        partition = partition_of(record.key.decode(), PARTITIONS)
        awards += counting.count(record.topic, partition, [(record.timestamp, record.value)])
    return awards
