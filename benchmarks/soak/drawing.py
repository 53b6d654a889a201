"""What a soak sampled, drawn over event time: memory, checkpoints, Redis."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.bounds import MIB
from benchmarks.load import SPAN_START_MS
from benchmarks.soak.verdict import Expected
from benchmarks.soak.watch import Sample

_HOUR_MS = 3_600_000
_SIZE_INCHES = (8, 3)
_BLUE, _RED, _GREY = "#2563ab", "#b3372f", "#8a8a8a"
_SMOOTHED = 10


def draw(folder: Path, samples: Sequence[Sample], formula: Expected) -> None:
    """Write soak-memory.svg, soak-checkpoints.svg and soak-redis.svg into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "soak-memory.svg", samples, lambda axes: _memory(axes, samples, formula))
    _write(folder / "soak-checkpoints.svg", samples, lambda axes: _checkpoints(axes, samples))
    _write(folder / "soak-redis.svg", samples, lambda axes: _redis(axes, samples, formula))


def _write(path: Path, samples: Sequence[Sample], fill: Callable[[Axes], None]) -> None:
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    fill(axes)
    gone = [_hour(sample) for sample in samples if sample.phase != "span"]
    if gone:
        axes.axvspan(gone[0], gone[-1], color=_GREY, alpha=0.12, label="only the viral creator is left")
    axes.set_xlabel("hours of event time")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", fontsize="small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def _memory(axes: Axes, samples: Sequence[Sample], formula: Expected) -> None:
    hours = [_hour(sample) for sample in samples]
    axes.plot(hours, [sample.rss_bytes / MIB for sample in samples], color=_BLUE, label="worker, resident")
    axes.axhline(formula.rss_bytes / MIB, color=_RED, linestyle="--", label="formula")
    axes.set_ylabel("MiB")


def _redis(axes: Axes, samples: Sequence[Sample], formula: Expected) -> None:
    hours = [_hour(sample) for sample in samples]
    axes.plot(hours, [sample.redis_bytes / MIB for sample in samples], color=_BLUE, label="Redis, used")
    axes.axhline(formula.redis_bytes / MIB, color=_RED, linestyle="--", label="formula")
    axes.set_ylabel("MiB")


def _checkpoints(axes: Axes, samples: Sequence[Sample]) -> None:
    pairs = [
        (before, after)
        for before, after in zip(samples, samples[_SMOOTHED:], strict=False)
        if after.checkpoints > before.checkpoints
    ]
    hours = [_hour(after) for _, after in pairs]
    axes.plot(
        hours, [_each(pair, "checkpoint_s") * 1e3 for pair in pairs], color=_BLUE, label="ms a checkpoint"
    )
    axes.plot(
        hours, [_each(pair, "changes") / 1e3 for pair in pairs], color=_RED, label="1,000 entries written"
    )
    axes.set_ylabel("mean of 10 s")


def _each(pair: tuple[Sample, Sample], name: str) -> float:
    """A sum's growth for each checkpoint between two samples."""
    before, after = pair
    grown: float = getattr(after, name) - getattr(before, name)
    return grown / (after.checkpoints - before.checkpoints)


def _hour(sample: Sample) -> float:
    return (sample.event_time_ms - SPAN_START_MS) / _HOUR_MS
