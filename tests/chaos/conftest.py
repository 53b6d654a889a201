"""The tests of the mutants take long: they run where they are asked for, with ``--run-mutants``."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-mutants", action="store_true", help="run the tests of tests/chaos/mutants too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mutants: takes minutes, runs with --run-mutants only")
    config.addinivalue_line("markers", "under_fire: comes last")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the mutants out, and have the run under fire come last."""
    if not config.getoption("--run-mutants", default=False):
        mutants = [item for item in items if item.get_closest_marker("mutants")]
        config.hook.pytest_deselected(items=mutants)
        items[:] = [item for item in items if item not in mutants]
    items.sort(key=lambda item: item.get_closest_marker("under_fire") is not None)
