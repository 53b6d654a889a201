"""The names of Kafka that other rooms use, and its failures in our words: no other room knows aiokafka.

```
KafkaTrouble          a request failed; asking again, or taking the partition anew, makes it right
 └── GroupMovedOn     the group has another generation than ours: our partitions may be somebody else's
```
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from stream.access import forbidden
from stream.errors import Unreachable


class KafkaTrouble(Unreachable):
    """A request to Kafka failed."""


class GroupMovedOn(KafkaTrouble):
    """A commit was refused: this member, or its generation, is no longer the group's."""


@contextmanager
def trouble(doing: str) -> Iterator[None]:
    """Tell Kafka's failures in our words; ``doing`` begins the sentence.

    Raises ``InputError`` where a right is missing, which no new take mends.
    """
    try:
        yield
    except CommitFailedError as error:
        raise GroupMovedOn(f"{doing} was refused, the group has moved on") from error
    except (KafkaError, OSError, TimeoutError) as error:
        # aiokafka's errors name their kind themselves.
        reason = str(error) if isinstance(error, KafkaError) else f"{type(error).__name__}: {error}"
        raise forbidden(error, "Read") or KafkaTrouble(f"{doing} failed: {reason}") from error


__all__ = ["GroupMovedOn", "KafkaTrouble", "OffsetAndMetadata", "TopicPartition", "trouble"]
