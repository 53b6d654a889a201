"""The inputs that fuzzing starts from: files by target, those that once broke something among them."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
EXAMPLES = Path(__file__).parents[2] / "examples"

# What is in the project anyway, and not worth a copy.
_BESIDES = {"programs": EXAMPLES / "programs"}


def folders(target: str) -> list[Path]:
    """Where the inputs of a target are; what is found goes into the first."""
    return [FOLDER / target, *([_BESIDES[target]] if target in _BESIDES else [])]


def inputs(target: str) -> dict[str, bytes]:
    """The inputs of a target by the names of their files."""
    return {path.name: path.read_bytes() for folder in folders(target) for path in sorted(folder.iterdir())}


def keep(target: str, found: bytes) -> Path:
    """Put an input that broke something beside the others, under a name made from its content."""
    path = FOLDER / target / f"found-{hashlib.sha256(found).hexdigest()[:12]}"
    path.write_bytes(found)
    return path
