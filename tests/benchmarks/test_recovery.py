"""The measuring of take-overs runs on the real servers, and its parts add up."""

import asyncio
from pathlib import Path

from benchmarks.recovery.__main__ import measure
from benchmarks.recovery.planted import State
from benchmarks.recovery.timeline import PARTS, TAKE_STEPS
from benchmarks.recovery.traffic import PROGRAM
from benchmarks.servers import Servers


def test_recovery(kafka_bootstrap: str, redis_session: str, tmp_path: Path) -> None:
    """A planted state is taken at a start, after a SIGTERM and after a kill, which waits for the session's end."""
    (tmp_path / "recovery.yaml").write_text(PROGRAM)
    on = Servers(kafka_bootstrap, redis_session)
    found = {each.event: each for each in asyncio.run(measure(on, State(2_000, 2_000), tmp_path, "2s"))}
    assert ["start", "SIGTERM", "kill -9"] == list(found)
    for each in found.values():
        assert set(TAKE_STEPS) < set(each.parts) <= set(PARTS)
        assert all(seconds >= 0 for seconds in each.parts.values())
        assert each.total_s == sum(each.parts.values())
    assert found["kill -9"].parts["session time-out"] > 0.5
    assert "session time-out" not in found["SIGTERM"].parts
