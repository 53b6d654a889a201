"""Builds the core as C extensions, with mypyc: an event costs the worker half as much. See docs/performance.md.

A wheel is compiled where there is a C compiler, and falls back to the same code as Python where there is none. An
editable install is not: what is edited there must be what runs. ``BONUS_COMPILE=0`` keeps a wheel pure;
``BONUS_COMPILE=1`` makes a missing compiler an error, and compiles also what ``build_ext --inplace`` is asked for.
"""

import os
import sys

from setuptools import setup

HOT = (
    *("awards", "cells", "conditions", "entry", "expiry", "filters", "intake", "judging", "memory"),
    *("panes", "partition", "places", "plan", "series", "subject"),
)
"""Modules of ``stream.core`` that every event comes through, and what they are made of."""


def extensions() -> list[object]:
    """What to compile in this run of setuptools: most of its commands only ask for names."""
    wanted = os.environ.get("BONUS_COMPILE", "")
    if wanted == "0" or not {"bdist_wheel", "build_ext"} & set(sys.argv):
        return []
    from mypyc.build import mypycify

    found: list[object] = mypycify([f"stream/core/{name}.py" for name in HOT], opt_level="3", debug_level="0")
    for extension in found:
        extension.optional = wanted != "1"  # type: ignore[attr-defined]
    return found


setup(ext_modules=extensions())
