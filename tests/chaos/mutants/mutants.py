"""Small breaks of our own protocol, applied inside a worker process: the harness must find each of them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """``apply`` breaks the protocol in this process; ``says`` how."""

    says: str
    apply: Callable[[], None]


MUTANTS: dict[str, Mutant] = {}
