"""``python -m tests.chaos.worker``: a `bonus worker` that is struck at a fault point, or breaks the protocol.

``BONUS_TEST_FAULT_POINT`` is a fault point's spec, ``BONUS_TEST_MUTANT`` the name of a mutant, ``BONUS_TEST_CLOCK``
the file of a clock to go by; each may be absent.
"""

import os
import sys
from pathlib import Path

from stream.cli.main import run_command
from tests.chaos import clock
from tests.chaos.mutants.mutants import MUTANTS
from tests.chaos.points import Point


def main() -> int:
    """Arm what the environment asks for, then be a worker."""
    path = os.environ.get("BONUS_TEST_CLOCK")
    if path:
        clock.follow(Path(path))
    mutant = os.environ.get("BONUS_TEST_MUTANT")
    if mutant:
        MUTANTS[mutant].apply()
    spec = os.environ.get("BONUS_TEST_FAULT_POINT")
    if spec:
        Point.parse(spec).arm()
    return run_command(["worker"])


if __name__ == "__main__":
    sys.exit(main())
