"""One target under libFuzzer: ``python -m tests.fuzz.target records <libFuzzer's arguments>``."""

import sys

import atheris

# Coverage is counted in what is imported here, so nothing of it may be imported before.
with atheris.instrument_imports(include=["schemas", "stream", "yaml", "json"]):
    from tests.fuzz.properties import TARGETS

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
