"""The tests of the mutants take long: they run where they are asked for, with ``--run-mutants``. The run under fire
wants the machine for itself: it is left out where tests run side by side (``-n``)."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-mutants", action="store_true", help="run the tests of tests/chaos/mutants too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mutants: takes minutes, runs with --run-mutants only")
    config.addinivalue_line("markers", "under_fire: comes last, and alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not wanted now, and have the run under fire come last."""
    left_out = set()
    if not config.getoption("--run-mutants", default=False):
        left_out.add("mutants")
    if "PYTEST_XDIST_WORKER" in os.environ:
        left_out.add("under_fire")
    others = [item for item in items if any(item.get_closest_marker(mark) for mark in left_out)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: item.get_closest_marker("under_fire") is not None)
