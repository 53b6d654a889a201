"""Programme folders for tests, and one good document to vary."""

from pathlib import Path

from stream.core.rules import Program, Version
from stream.errors import InputError
from stream.programs import Loaded, load

GOOD = {
    "program": "creator-rewards",
    "version": "1",
    "regions": "[US]",
    "subject": "creator",
    "window": "{rolling: 24h}",
    "tiers": '[{name: bronze, when: {views: 1000}, reward: {amount: "5.00", currency: USD}}]',
}


def good(**lines: str | None) -> str:
    """A good document, a line a key, with keys written otherwise, added at the end, or left out (``None``)."""
    return "".join(f"{key}: {value}\n" for key, value in (GOOD | lines).items() if value is not None)


def folder(tmp_path: Path, *documents: str, **files: str | bytes) -> Path:
    """A folder with ``documents`` in ``creator.yaml``, and other files by their names without ``.yaml``."""
    place = tmp_path / "programmes"
    place.mkdir(parents=True, exist_ok=True)
    for name, content in {"creator": "---\n".join(documents), **files}.items():
        if content:
            (place / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def loaded(tmp_path: Path, *documents: str) -> Loaded:
    """What loading ``documents`` gives."""
    return load(folder(tmp_path, *documents))


def only_program(tmp_path: Path, *documents: str) -> Program:
    """The one programme that ``documents`` make."""
    (program,) = loaded(tmp_path, *documents).programs
    return program


def only_version(tmp_path: Path, **lines: str | None) -> Version:
    """The version that the good document becomes with these keys."""
    (version,) = only_program(tmp_path, good(**lines)).versions
    return version


def mistakes(place: Path) -> list[str]:
    """The lines that loading a folder is refused with; none where it loads."""
    try:
        load(place)
    except InputError as error:
        return str(error).split("\n")
    return []
