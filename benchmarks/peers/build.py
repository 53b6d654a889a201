"""What peers need before they can run: the JVM's are built with Maven, Quix Streams gets an environment of its own.

All of it goes to a scratch folder and is made when it is first asked for: what can't be had stops no other peer.
"""

import shutil
import subprocess
import sys
import tomllib
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

from tests.kafka.broker import CannotRun

HERE = Path(__file__).parent
POM = HERE / "java" / "pom.xml"
PYPROJECT = HERE.parents[1] / "pyproject.toml"
QUIX_REQUIREMENTS = HERE / "quix-requirements.txt"
BUILD_S = 600.0


class Builds:
    """What was built into ``scratch``; each part raises ``CannotRun`` where it can't be had."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def java(self, module: str) -> Path:
        """The folder with the jars of a module."""
        return self._java / module / "lib"

    @cached_property
    def _java(self) -> Path:
        for tool in ("java", "javac", "mvn"):
            if shutil.which(tool) is None:
                raise CannotRun(f"there is no {tool}")
        target = self._scratch / "java"
        _call(["mvn", "-B", "-q", "-f", str(POM), f"-Dscratch={target}", "package"])
        return target

    def quix(self) -> Path:
        """The Python that has Quix Streams."""
        return self._quix

    @cached_property
    def _quix(self) -> Path:
        folder = self._scratch / "quix"
        _call([sys.executable, "-m", "venv", str(folder)])
        python = folder / "bin" / "python"
        _call([str(python), "-m", "pip", "install", "--quiet", "-r", str(QUIX_REQUIREMENTS)])
        return python

    def own(self) -> str:
        """The version of this project, installed or not."""
        project = tomllib.loads(PYPROJECT.read_text())["project"]
        return str(project["version"])

    def installed(self, distribution: str) -> str:
        """The version of a distribution in this environment."""
        return version(distribution)

    def required(self, distribution: str) -> str:
        """The version of a distribution that Quix Streams' environment is given."""
        for line in QUIX_REQUIREMENTS.read_text().splitlines():
            name, _, pinned = line.partition("==")
            if name == distribution:
                return pinned
        raise CannotRun(f"{QUIX_REQUIREMENTS.name} does not name {distribution}")

    def pinned(self, name: str) -> str:
        """A version that the POM names."""
        found = ElementTree.parse(POM).findtext(f".//{{*}}{name}")
        if found is None:
            raise CannotRun(f"{POM.name} does not name {name}")
        return found


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{Path(command[0]).name} did not finish within {BUILD_S:g} s") from None
    if done.returncode != 0:
        raise CannotRun(f"{Path(command[0]).name} failed: {(done.stdout + done.stderr).strip()[-300:]}")
