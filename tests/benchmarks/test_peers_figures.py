"""Figures of peers: how they come from looks at a process, and how they are shown."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.peers import plot, results, table
from benchmarks.peers.figures import Look, steady, verdict
from benchmarks.peers.job import Award
from benchmarks.peers.topics import award_of

ROOT = Path(__file__).parents[2]
STORED = ROOT / "benchmarks" / "peers" / "peers.json"
PAGE = ROOT / "docs" / "comparison.md"
PLOT = ROOT / "docs" / "comparison.svg"
BRONZE = Award("creator-views-0", "bronze", "ada", None, None)
LIKED = Award("creator-day-0", "liked", "ada", None, 1_767_225_600_000)
HOT = Award("video-views-0", "hot", "ada", "v-1", None)


def looks(*commits: tuple[float, int]) -> list[Look]:
    """Looks at which so many events were committed, with 2 s of CPU a second, half as much by the servers."""
    return [Look(at_s, 2 * at_s, at_s, events) for at_s, events in commits]


def test_steady_is_the_second_half() -> None:
    """What the first half cost does not count, nor the wait for the last commit."""
    found = steady(looks((1, 0), (10, 100), (11, 600), (12, 600), (14, 900), (20, 1_000)), 1_000)
    assert found == {
        "since": 600,
        "events_a_second": 100,
        "cpu_us": pytest.approx(6 / 300 * 1e6),
        "servers_cpu_us": pytest.approx(3 / 300 * 1e6),
    }


def test_steady_takes_the_last_commit_where_there_is_no_other() -> None:
    """With two commits in the second half, both count."""
    found = steady(looks((1, 0), (2, 500), (7, 1_000)), 1_000)
    assert found is not None
    assert found["events_a_second"] == 100


def test_too_short_a_run_has_no_figures() -> None:
    """One commit tells no rate, nor do two that came in the same moment."""
    assert steady(looks((1, 0), (2, 1_000)), 1_000) is None
    assert steady(looks((1, 0), (2, 600), (2.5, 1_000)), 1_000) is None


def test_who_commits_too_seldom_is_measured_from_the_start() -> None:
    """Commits that come all at once at the end say nothing of the second half."""
    found = steady(looks((1, 0), (10, 100), (20.5, 600), (21, 1_000)), 1_000)
    assert found is not None
    assert found["since"] == 0
    assert found["events_a_second"] == 50


def test_verdict() -> None:
    """Awards that are missing, that were not due, and that came twice are counted apart."""
    found = verdict({BRONZE, LIKED}, [BRONZE, BRONZE, HOT])
    assert found == {"due": 2, "missing": 1, "false": 1, "doubled": 1}
    assert table.judged(found) == "1 missing, 1 false, 1 doubled of 2"
    assert table.judged(verdict({BRONZE}, [BRONZE])) == "all 1 right"


def test_awards_are_read_as_each_writes_them() -> None:
    """A bonus of the engine and an award of a peer are the same award."""
    engine = (
        b'{"bonus_id": "0", "program": "video-views-0", "tier": "hot", "creator_id": "ada",'
        b' "subject": {"kind": "video", "id": "v-1"}, "period": {"start": null, "end": null}}'
    )
    peer = (
        b'{"program": "video-views-0", "tier": "hot", "creator_id": "ada", "video_id": "v-1",'
        b' "period_start": null, "views": 250}'
    )
    assert award_of(engine) == award_of(peer) == HOT


def test_page_shows_what_was_measured() -> None:
    """The table in the documentation is that of the stored run, to the letter."""
    assert table.markdown(results.read(STORED)) in PAGE.read_text()


def test_plot_shows_what_was_measured(tmp_path: Path) -> None:
    """The plot has a bar for every peer that was measured, and the one in the documentation the same."""
    stored = results.read(STORED)
    plot.write(tmp_path / "peers.svg", stored)
    rates = sorted(f"{1e6 / each['steady']['cpu_us']:,.0f}" for each in stored["peers"] if each["steady"])
    assert rates == drawn(tmp_path / "peers.svg") == drawn(PLOT)


def drawn(path: Path) -> list[str]:
    """The rates beside the bars."""
    texts = ["".join(text.itertext()).strip() for text in ElementTree.parse(path).iterfind(".//{*}text")]
    return sorted(text for text in texts if re.fullmatch(r"[\d,]+", text))
