"""Peers run on the real servers, and are held to the same awards."""

from pathlib import Path

import pytest

from benchmarks import cores
from benchmarks.load import Load, fill
from benchmarks.peers import contest, expected
from benchmarks.peers.build import Builds
from benchmarks.peers.catalogue import ENGINE, PEERS, Peer, Told, Windows
from benchmarks.servers import Ground, Servers, ground

LOAD = Load(events=6_000, creators=15, videos_a_creator=3, viewers=500, span_ms=3_600_000, seed=3)
PARTITIONS = 2


def told(peer: Peer, place: Ground, folder: Path) -> Told:
    return Told(place, peer.group(place), peer.output(place), folder / peer.name, folder / "programs")


def named(name: str) -> Peer:
    return next(peer for peer in PEERS if peer.name == name)


def test_worker_and_plain_loop_award_the_same(
    kafka_bootstrap: str, redis_session: str, tmp_path: Path
) -> None:
    """The worker and a loop by hand, each over the same topics, make the awards that are due and no other."""
    expected.write_programs(tmp_path / "programs", Windows.ROLLING)
    due = expected.of_load(LOAD, tmp_path / "programs", PARTITIONS)
    core, _ = cores.split(pin=True)
    with ground(Servers(kafka_bootstrap, redis_session), PARTITIONS) as place:
        fill(kafka_bootstrap, place.prefix, LOAD)
        found = [
            contest.run(peer, Builds(tmp_path), told(peer, place, tmp_path), due, LOAD.events, core)
            for peer in (named(ENGINE), named("plain-aiokafka"))
        ]
    right = {"due": len(due), "missing": 0, "false": 0, "doubled": 0}
    assert [right, right] == [figures["verdict"] for figures in found]
    assert len(due) > 20
    assert all(figures["cpu_us_from_start"] > 0 for figures in found)


def test_a_peer_that_cannot_be_built_says_why(
    kafka_bootstrap: str, redis_session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no figures but a reason, and the others go on."""
    monkeypatch.setenv("PATH", "/nowhere")
    peer = named("flink")
    with ground(Servers(kafka_bootstrap, redis_session), PARTITIONS) as place:
        figures = contest.run(peer, Builds(tmp_path), told(peer, place, tmp_path), set(), 1, frozenset({0}))
    assert figures["failed"] == "there is no java"
    assert figures["steady"] is None
    assert figures["verdict"] is None
