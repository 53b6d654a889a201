"""A contest's figures and the circumstances in which they were had, as JSON."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import psutil

from benchmarks.peers.figures import Figures
from tests.kafka.broker import kafka_version

_CPUINFO = Path("/proc/cpuinfo")


class Circumstances(TypedDict):
    """Where, when and on what. ``reference_us`` is CPU µs of one iteration of ``benchmarks.reference``."""

    date: str
    processor: str
    cores: int
    memory_gib: int
    system: str
    python: str
    kafka: str
    span: str
    seed: int
    pinned: bool
    reference_us: float


class Results(TypedDict):
    """What is kept of a contest."""

    circumstances: Circumstances
    peers: list[Figures]


def circumstances(span: str, seed: int, pinned: bool, reference_us: float) -> Circumstances:
    """The circumstances here and now."""
    return Circumstances(
        date=datetime.now(UTC).date().isoformat(),
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        kafka=kafka_version(),
        span=span,
        seed=seed,
        pinned=pinned,
        reference_us=reference_us,
    )


def write(path: Path, results: Results) -> None:
    """Write the results as JSON."""
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def read(path: Path) -> Results:
    """Results as they were written."""
    results: Results = json.loads(path.read_text())
    return results


def _processor() -> str:
    names = [
        line.partition(":")[2].strip() for line in _CPUINFO.read_text().splitlines() if "model name" in line
    ]
    return names[0] if names else platform.machine()
