"""Records that could not be accepted, as they leave for `rejected` and `late`: codes and headers.

The record keeps its partition number, key, value and headers; the headers named here are put behind its own. A
consumer that finds one of them twice (a record that was produced again from `rejected`) reads the last.
"""

from collections.abc import Iterable
from typing import NamedTuple

from stream.core.outcome import Rejection

CODES: tuple[str, ...] = (
    "too_large",
    "empty",
    "not_json",
    "not_object",
    "missing_field",
    "wrong_type",
    "bad_value",
    "wrong_partition",
    "clock_error",
    "late",
)
"""Why a record was turned away: of several reasons, the first here is told."""

REJECTED = "rejected"
LATE = "late"

ERROR = "error"
ERROR_DETAIL = "error_detail"
ORIGIN = "origin"
TRUNCATED = "truncated"

Headers = list[tuple[str, bytes]]


class Origin(NamedTuple):
    """The record that was turned away: the same origin twice is the same record sent twice."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def destination(code: str) -> str:
    """The topic, without prefix, that a record turned away with ``code`` goes to."""
    return LATE if code == "late" else REJECTED


def headers(
    original: Iterable[tuple[str, bytes]], rejection: Rejection, origin: Origin, truncated: int | None = None
) -> Headers:
    """The headers of the outgoing record: the original ones in their order, then ours, in UTF-8.

    Args:
        original: the record's own headers.
        rejection: why it was turned away.
        origin: where it was read, with the full name of the topic.
        truncated: the length of the whole value in bytes, if only its beginning is sent on.
    """
    ours = [
        (ERROR, rejection.code.encode()),
        (ERROR_DETAIL, rejection.detail.encode()),
        (ORIGIN, str(origin).encode()),
    ]
    if truncated is not None:
        ours.append((TRUNCATED, str(truncated).encode()))
    return [*original, *ours]
