"""The harness finds every break of the protocol that we could think of; without a break its scripts do no harm.

Each test takes most of a minute, so they run on demand: ``python -m pytest tests/chaos/mutants --run-mutants``.
"""

from pathlib import Path

import pytest

from tests.chaos.mutants.mutants import MUTANTS
from tests.chaos.mutants.scripts import SCRIPTS
from tests.chaos.run import run

WRONG = ("missing", "false", "doubled", "AssertionError", "nothing more was read")
"""What the verdict on wrong results says; a worker that only ended by itself, or stood still, is told otherwise."""


def test_every_mutant_has_its_script() -> None:
    """And no script is without a mutant."""
    assert MUTANTS.keys() == SCRIPTS.keys()


@pytest.mark.mutants
@pytest.mark.parametrize("name", MUTANTS)
async def test_a_mutant_is_found(name: str, tmp_path: Path, seed: int) -> None:
    """Bonuses or records turned away are missing, doubled or wrong, and the harness says so."""
    report = await run(SCRIPTS[name].order(seed, name), tmp_path, print)
    assert report.failure is not None, f"{name} survived: {MUTANTS[name].says}"
    assert any(word in report.failure for word in WRONG), report.failure


@pytest.mark.mutants
@pytest.mark.parametrize("name", {id(script): name for name, script in SCRIPTS.items()}.values())
async def test_without_a_mutant_nothing_is_lost(name: str, tmp_path: Path, seed: int) -> None:
    """What a script's faults do is made good: it is the mutant that the harness finds."""
    report = await run(SCRIPTS[name].order(seed, None), tmp_path, print)
    assert report.failure is None, report.failure
