"""Fuzzing for as long as you like: ``python -m tests.fuzz --minutes 30``, with atheris (libFuzzer for Python).

Each target has a process of its own, one after another, and an equal part of the time. It starts from the kept
inputs and follows the coverage of our code. What breaks something is made smaller, put into tests/fuzz/corpus, where
every later test run tries it again, and told at the end with exit code 1.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.corpus import folders, keep
from tests.fuzz.properties import TARGETS

LONGEST_INPUT = 8_192
LONGEST_S = 30
MOST_MB = 2_048
SHRINK_S = 30


def main() -> int:
    """Fuzz every target, or those that are asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3, help="altogether; default: 3")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31), help="of an earlier run")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS), metavar="TARGET")
    asked = parser.parse_args()
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("Fuzzing needs atheris: pip install 'bonus-stream[fuzz]', on Linux or macOS.", file=sys.stderr)
        return 1
    print(f"seed {asked.seed}", flush=True)
    found = [
        kept
        for target in asked.targets
        for kept in fuzz(target, asked.minutes * 60 / len(asked.targets), asked.seed)
    ]
    for kept in found:
        print(f"found: {kept}")
    return 1 if found else 0


def fuzz(target: str, seconds: float, seed: int) -> list[Path]:
    """Fuzz one target for so long, or until it breaks; what was found is kept."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh, broken = Path(scratch, "fresh"), Path(scratch, "broken")
        fresh.mkdir()
        broken.mkdir()
        limits = [f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MB}", f"-artifact_prefix={broken}/"]
        time_limit = f"-max_total_time={max(1, round(seconds))}"
        sizes = [f"-max_len={LONGEST_INPUT}", f"-seed={seed}", "-print_final_stats=1", time_limit]
        _target(target, *limits, *sizes, str(fresh), *map(str, folders(target)))
        for path in list(broken.iterdir()):
            _target(target, *limits, "-minimize_crash=1", f"-max_total_time={SHRINK_S}", str(path))
        smallest = min(broken.iterdir(), key=lambda path: path.stat().st_size, default=None)
        return [] if smallest is None else [keep(target, smallest.read_bytes())]


def _target(target: str, *arguments: str) -> None:
    """Run libFuzzer on one target in a process of its own: it ends the process when it is done."""
    subprocess.run([sys.executable, "-m", "tests.fuzz.target", target, *arguments], check=False)


if __name__ == "__main__":
    sys.exit(main())
