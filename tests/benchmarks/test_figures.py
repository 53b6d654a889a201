"""How figures are made of what was measured."""

from collections import Counter
from pathlib import Path

from benchmarks import histogram
from benchmarks.latency import percentiles
from benchmarks.latency_plot import Curve, draw
from benchmarks.latency_sender import Traffic
from benchmarks.profile import by_function
from schemas.decode import decode
from stream.core.outcome import Rejection


def test_percentiles() -> None:
    """A percentile is a value that was measured, the last one the largest."""
    found = percentiles([float(value) for value in range(1, 1_001)])
    assert {"p50": 501.0, "p90": 901.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0} == found


def test_histogram_holds_every_value_once() -> None:
    """Every value is in one bin; what lies far out is in the last."""
    values = sorted([float(value) for value in range(1_000)] + [1e6])
    bins = histogram.bins(values)
    assert sum(count for _, count in bins) == len(values)
    assert bins[0][0] == 0
    assert bins[-1][0] < 1_000
    assert histogram.text(values).count("\n") == len(bins) - 1


def test_profile_by_function() -> None:
    """A function's own time is where it is innermost; with callees it counts once a stack, also when it recurses."""
    text = by_function("main;f;f;g 30\nmain;f 10\nmain 60\n", us_an_event=10.0)
    rows = {line.split()[-1]: line.split()[:-1] for line in text.splitlines()[3:]}
    assert {
        "main": ["6.00", "60.0%", "10.00"],
        "g": ["3.00", "30.0%", "3.00"],
        "f": ["1.00", "10.0%", "4.00"],
    } == rows


def test_latencies_are_drawn(tmp_path: Path) -> None:
    """A curve a rate, with its percentiles; the same values give the same file."""
    curves = [
        Curve("2,000 events a second", [float(value) for value in range(1, 101)]),
        Curve("80,000", [50.0, 90.0]),
    ]
    draw(curves, tmp_path / "one.svg")
    draw(curves, tmp_path / "two.svg")
    drawing = (tmp_path / "one.svg").read_text()
    assert drawing == (tmp_path / "two.svg").read_text()
    assert [text in drawing for text in ("2,000 events a second", "p50 51.0 ms", "p99 90.0 ms")] == [True] * 3


def test_traffic_reaches_a_tier_once_in_so_many() -> None:
    """Once it runs, one event in ten is the tenth of its video; the others are not awaited."""
    traffic = Traffic("localhost:9092", "", rate=400, events_a_bonus=10)
    events = list(traffic.events(4_000))
    seen: Counter[str] = Counter()
    for sending in events:
        event = decode(sending.value, sending.topic, 0, 1)
        assert not isinstance(event, Rejection)
        seen[event.video_id] += 1
        assert (seen[event.video_id] == 10) == (sending.event_id is not None)
    assert sum(sending.event_id is not None for sending in events[2_000:]) == 200
