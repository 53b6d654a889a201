"""Questions to brokers that outlast a connection which is gone without anybody's having been told.

A firewall that forgets, or a machine that dies, leaves a connection half-open: what is sent over it isn't answered.
aiokafka gives such a one up when a request over it has taken too long, and only then. Whoever stops waiting earlier,
and asks again, asks over the same connection for ever.
"""

from typing import Protocol, TypeVar


class Consumer(Protocol):
    """aiokafka's consumer, as far as it is changed here."""

    _request_timeout_ms: int


C = TypeVar("C", bound=Consumer)


def patient(consumer: C) -> C:
    """The consumer, whose questions for offsets may take longer than one request of theirs.

    aiokafka gives both the same time, and that of the question begins first.
    """
    consumer._request_timeout_ms *= 2
    return consumer
