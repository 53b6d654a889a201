"""The distribution of latencies as a drawing: how many bonuses took how long, a curve a rate."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_INCHES = (8.0, 4.2)
_BINS_A_DECADE = 24
_EDGES = [10 ** (number / _BINS_A_DECADE) for number in range(4 * _BINS_A_DECADE + 1)]  # 1 ms to 10 s
_ROW = 0.06


class Curve(NamedTuple):
    """The latencies of one rate, in ms."""

    label: str
    values_ms: Sequence[float]


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write the drawing as SVG: shares of bonuses over ms, in bins of equal ratio, with p50 and p99 marked."""
    # Text stays text, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "latency"}):
        figure = Figure(_INCHES, layout="constrained")
        axes = figure.subplots()
        for number, curve in enumerate(curves):
            _add(axes, curve, number)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axes.set_xlim(1, 1_000)
        axes.set_xlabel("ms from the record acknowledged to the bonus held (read_committed)")
        axes.set_ylabel("% of the bonuses")
        axes.legend(loc="center right", frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _add(axes: Axes, curve: Curve, number: int) -> None:
    ascending, colour = sorted(curve.values_ms), f"C{number}"
    weights = [100 / len(ascending)] * len(ascending)
    axes.hist(
        ascending, _EDGES, weights=weights, color=colour, alpha=0.35, label=curve.label, histtype="stepfilled"
    )
    for row, (share, style) in enumerate(((0.5, "--"), (0.99, ":"))):
        at_ms = ascending[min(len(ascending) - 1, int(share * len(ascending)))]
        axes.axvline(at_ms, color=colour, linestyle=style, linewidth=1)
        axes.annotate(
            f"p{share * 100:g} {at_ms:.1f} ms",
            (at_ms, 1 - _ROW * (2 * number + row)),
            xycoords=("data", "axes fraction"),
            xytext=(3, -9),
            textcoords="offset points",
            fontsize=8,
            color=colour,
        )
