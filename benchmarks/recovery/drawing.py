"""Take-overs drawn as bars, a part after the other."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.recovery.timeline import PARTS, Recovery

_WIDTH_INCHES, _BAR_INCHES = 8, 0.5
_LEAST_SHOWN_S = 0.005


def draw(folder: Path, found: Sequence[Recovery]) -> None:
    """Write recovery.svg into ``folder``: a bar a take-over, the first one on top."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(_WIDTH_INCHES, 1.5 + _BAR_INCHES * len(found)), layout="constrained")
    axes = figure.subplots()
    labels = [f"{each.event}: {each.state}" for each in found]
    ends = [0.0] * len(found)
    for name in PARTS:
        lengths = [each.parts.get(name, 0.0) for each in found]
        if max(lengths) >= _LEAST_SHOWN_S:
            axes.barh(labels, lengths, left=ends, label=name)
        ends = [end + length for end, length in zip(ends, lengths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("seconds until the first bonus")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4, fontsize="small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "recovery.svg", metadata={"Date": None}, bbox_inches="tight")
