"""Measuring in a process of its own: nobody else's memory, caches or garbage show in the figures."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``work`` returns, done in a fresh process. Arguments and result are pickled."""
    return side_by_side(1, work, *args, **kwargs)[0]


def side_by_side(copies: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> list[R]:
    """What ``work`` returns in each of so many fresh processes that do it at once."""
    with ProcessPoolExecutor(copies, get_context("spawn")) as processes:
        return [done.result() for done in [processes.submit(work, *args, **kwargs) for _ in range(copies)]]
