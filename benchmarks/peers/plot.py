"""Figures as a plot: a bar a peer, as long as the events a second that one core does of it."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.peers.catalogue import ENGINE
from benchmarks.peers.results import Results

_BAR_INCHES, _MARGIN_INCHES, _WIDTH_INCHES = 0.42, 1.4, 10
_OURS, _OTHERS = "#d1495b", "#30638e"


def write(path: Path, results: Results) -> None:
    """Draw the results; peers without figures are left out. With none left, nothing is drawn."""
    measured = [(peer, peer["steady"]["cpu_us"]) for peer in results["peers"] if peer["steady"] is not None]
    if not measured:
        return
    measured.sort(key=lambda each: -each[1])
    labels = [f"{peer['tool']}: {peer['form'].replace('`', '')}" for peer, _ in measured]
    rates = [1e6 / cpu_us for _, cpu_us in measured]
    colours = [_OURS if peer["name"] == ENGINE else _OTHERS for peer, _ in measured]
    # Text stays text, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "peers"}):
        figure = Figure((_WIDTH_INCHES, _MARGIN_INCHES + _BAR_INCHES * len(measured)), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(labels, rates, color=colours)
        axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=4)
        axes.set_xscale("log")
        axes.margins(x=0.2)
        axes.set_xlabel("events a second a core, logarithmic")
        run = results["circumstances"]
        figure.suptitle(
            f"The same job, one run, {run['date']}, {run['processor']}", x=0.01, ha="left", fontsize=10
        )
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
