"""How figures are made of what was measured."""

from benchmarks import histogram
from benchmarks.latency import percentiles
from benchmarks.profile import by_function


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
