"""What the compiled core costs an event in instructions, as valgrind counts them: the same however busy the machine.

    BONUS_COMPILE=1 python setup.py build_ext --inplace
    python -m benchmarks.instructions

Counted are applying and cutting, of the load of ``benchmarks.core``, from an empty partition on. It says nothing of
waiting for memory, which is much of what an event takes; but a change by one in a hundred shows, where microseconds
move by half with the neighbours. ``--profile`` keeps a file, of which ``callgrind_annotate --inclusive=yes`` tells
the functions.
"""

import gc
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks import command
from benchmarks.core import SITUATIONS, applied, chunks_of
from stream.core import partition

COUNTED = ("CPyPy_partition___Partition___apply", "CPyPy_partition___Partition___cut")
"""What mypyc calls the two from outside."""


def main(
    events: Annotated[int, typer.Option(min=10_000, help="Events.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Another seed is another load.")] = 1,
    profile: Annotated[Path | None, typer.Option(help="Keep callgrind's file here.")] = None,
    counted: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """What the compiled core costs an event in instructions."""
    if counted is not None:
        _apply(counted)
        return
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("This needs valgrind.")
    if partition.__file__.endswith(".py"):
        sys.exit("This needs a compiled core: BONUS_COMPILE=1 python setup.py build_ext --inplace")
    with TemporaryDirectory() as folder:
        load = Path(folder) / "load"
        load.write_bytes(pickle.dumps(list(chunks_of(SITUATIONS[0], events, seed))))
        told = subprocess.run(
            [
                *(valgrind, "--tool=callgrind", "--collect-atstart=no"),
                *(f"--toggle-collect={name}" for name in COUNTED),
                f"--callgrind-out-file={profile or Path(folder) / 'profile'}",
                *(sys.executable, "-m", "benchmarks.instructions", "--counted", str(load)),
            ],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        ).stderr
    found = re.search(r"Collected : ([0-9]+)", told)
    assert found is not None, told
    print(f"An event costs the core {int(found[1]) / events:,.0f} instructions.")


def _apply(load: Path) -> None:
    """What is counted; making the load is not, and would take most of the time under valgrind."""
    gc.disable()
    applied(SITUATIONS[0], pickle.loads(load.read_bytes()))


if __name__ == "__main__":
    command.run(main)
