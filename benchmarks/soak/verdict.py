"""What a soak must have shown: each check with what was found, in a sentence.

```
RSS          under the formula at every sample, and level once the bound on entries is reached
checkpoints  as quick at the end of the span as in its middle, for what each of them writes
Redis        under the formula at every sample, and back to what is left when the crowd has gone
bonuses      those of a backtest over the same logs, each once
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.bounds import IN_REDIS, IN_REDIS_LARGE, MIB, MOST_UNSAVED, Held, worker_bytes
from benchmarks.soak.crowd import VIEWERS, VIRAL_VIDEOS, Crowd
from benchmarks.soak.watch import Sample

LEVEL = 1.1
"""Resident memory of the last quarter of the span, at most, in relation to the quarter before."""

AS_QUICK = 1.5
"""Time of a checkpoint for each entry that it writes, likewise; a shared machine's pace varies by a third."""

SUNK = 0.2
"""By how much Redis has grown at the end, at most, in relation to its most."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_DEDUPE_MS = 65 * 60_000
"""The worker's default: ``allowed_lateness`` and ``allowed_skew``."""

_SERIES_AN_ENTRY, _CELLS_AN_ENTRY = 1.5, 2.0
"""Of the crowd's creators and videos, at most: two in five events are a second or third of theirs."""

_KEPT_MS = _DAY_MS + 3 * _HOUR_MS
"""How long a creator without further events stays in Redis: the longest window, lateness, and the grain of dues."""

_PANES = 1_800
"""Of a window of 24 h by the minute: it is pruned a quarter late."""

_VIRAL_SERIES = 4
"""A counter for each topic: a viral video is seen in every minute by each of them."""

_VIRAL_VIEWS = 0.35
"""Of the span's events."""

_PLACE_BUCKETS = 256
_BUCKETED = 1.25  # ids leave Redis by buckets of ten minutes
_REDIS_BASE = 64 * MIB  # Redis itself, and its tables while they grow


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the formula says of a crowd: the most that one worker's memory, and Redis, may take."""

    rss_bytes: int
    redis_bytes: int

    @classmethod
    def of(cls, crowd: Crowd, max_subjects: int) -> "Expected":
        """For one partition with this bound on entries."""
        viral = _viral(crowd)
        ids = round(crowd.span_events * min(1, _DEDUPE_MS / crowd.span_ms))
        in_memory = min(max_subjects, crowd.subjects) + MOST_UNSAVED
        worker = _of_crowd(in_memory, ids)
        alive = round(crowd.subjects * min(1, _KEPT_MS / crowd.span_ms))
        redis = _of_crowd(alive, round(ids * _BUCKETED))
        return cls(
            rss_bytes=worker_bytes(worker + viral),
            redis_bytes=redis.bytes(IN_REDIS) + viral.bytes(IN_REDIS_LARGE) + _REDIS_BASE,
        )


def _of_crowd(entries: int, ids: int) -> Held:
    series, cells = round(entries * _SERIES_AN_ENTRY), round(entries * _CELLS_AN_ENTRY)
    return Held(entries, series, cells, places=0, ids=ids)


def _viral(crowd: Crowd) -> Held:
    """The viral creator, its videos, and two days of its places."""
    views_a_day = crowd.span_events * _VIRAL_VIEWS * _DAY_MS / crowd.span_ms
    subjects = VIRAL_VIDEOS + 1
    return Held(
        entries=subjects + 2 * _PLACE_BUCKETS,
        series=subjects * _VIRAL_SERIES,
        cells=subjects * _VIRAL_SERIES * _PANES,
        places=round(2 * min(VIEWERS, views_a_day)),
        ids=0,
    )


def checks(
    samples: Sequence[Sample], crowd: Crowd, max_subjects: int, paid: Sequence[str], due: set[str]
) -> list[Check]:
    """All of them. ``paid`` are the bonus ids that the worker wrote, ``due`` those of the backtest."""
    expected = Expected.of(crowd, max_subjects)
    span = [sample for sample in samples if sample.phase == "span"]
    return [
        _bound_was_met(span, max_subjects),
        _under("resident memory", [sample.rss_bytes for sample in samples], expected.rss_bytes),
        _level(span),
        _as_quick(span),
        _under("Redis", [sample.redis_bytes for sample in samples], expected.redis_bytes),
        _sunk(samples),
        _paid(paid, due),
    ]


def _bound_was_met(span: Sequence[Sample], max_subjects: int) -> Check:
    most, read_back = max(sample.entries for sample in span), span[-1].read_back
    found = f"{most:,} entries in memory after a checkpoint at most, {read_back:,} read back"
    return Check("the bound on entries was met", most >= max_subjects and read_back > 0, found)


def _under(what: str, taken: Sequence[int], bound: int) -> Check:
    most = max(taken)
    found = f"{most / MIB:,.0f} MiB at most, {most / bound:.0%} of the formula's {bound / MIB:,.0f}"
    return Check(f"{what} is under the formula", most <= bound, found)


def _level(span: Sequence[Sample]) -> Check:
    before, last = (fmean(sample.rss_bytes for sample in quarter) for quarter in _last_quarters(span))
    return Check(
        "resident memory stays level",
        last <= LEVEL * before,
        f"{before / MIB:,.0f} MiB in the third quarter of the span, {last / MIB:,.0f} in the last",
    )


def _as_quick(span: Sequence[Sample]) -> Check:
    before, last = (_us_an_entry(quarter) for quarter in _last_quarters(span))
    return Check(
        "checkpoints stay as quick",
        last <= AS_QUICK * before,
        f"{before:.1f} µs an entry written in the third quarter of the span, {last:.1f} in the last",
    )


def _us_an_entry(samples: Sequence[Sample]) -> float:
    """Of the checkpoints between the first and the last of them."""
    first, last = samples[0], samples[-1]
    return (last.checkpoint_s - first.checkpoint_s) * 1e6 / max(1, last.changes - first.changes)


def _last_quarters(span: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    half, rest = len(span) // 2, len(span) * 3 // 4
    return span[half:rest], span[rest:]


def _sunk(samples: Sequence[Sample]) -> Check:
    grown = [sample.redis_bytes - samples[0].redis_bytes for sample in samples]
    most, last = max(grown), grown[-1]
    found = (
        f"{most / MIB:,.1f} MiB more at most, {last / MIB:,.1f} ({last / most:.0%}) once the crowd has gone"
    )
    return Check("Redis lets go of what no window holds", last <= SUNK * most, found)


def _paid(paid: Sequence[str], due: set[str]) -> Check:
    missing, false, doubled = len(due - set(paid)), len(set(paid) - due), len(paid) - len(set(paid))
    found = f"{len(paid):,} bonuses: {missing} missing, {false} false, {doubled} doubled"
    return Check("bonuses are those of the backtest", bool(due) and not (missing or false or doubled), found)
