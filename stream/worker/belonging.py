"""Whether a checkpoint belongs to these logs, and where in them it goes on.

```
another cluster, another number of partitions     refused: its offsets, or its creators, are elsewhere
a topic of another id                             refused: that log was made anew, and nothing of it was read
an offset that the log does not reach to          refused: records that follow it are gone
```
An operator's ``--accept-gap`` lets the last two pass: the new log from its start, the other from what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stream.errors import InputError
from stream.logs import logger
from stream.transport.kafka import TopicPartition
from stream.worker.body import Body

log = logger(__name__)


def refuse_foreign(body: Body, cluster: str, partitions: int, number: int) -> None:
    """Raise ``InputError`` where the checkpoint of partition ``number`` is of another cluster or partition count."""
    if body.cluster and cluster and body.cluster != cluster:
        raise InputError(
            f"The state of partition {number} belongs to Kafka cluster {body.cluster}, this is {cluster}: its "
            "offsets mean nothing here. Carry it over with `bonus migrate`, or use a new --group, which counts from "
            "the logs' start."
        )
    if body.partitions != partitions:
        raise InputError(
            f"The state was made with {body.partitions} partitions, the topics now have {partitions}: creators "
            "have moved. Carry it over with `bonus migrate`, or use a new --group, which counts from the logs' "
            "start, on topics that had this count always."
        )


@dataclass(frozen=True, slots=True)
class Extent:
    """The logs of one partition as a take finds them: where they start and end, and the topics' ids by name."""

    starts: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    ids: Mapping[str, str]
    accept_gap: bool

    def goes_on_at(self, name: str, tp: TopicPartition, offset: int, made_from: Mapping[str, str]) -> int:
        """Where to read on in the log ``tp`` of our topic ``name``, for a state that stands at ``offset`` in the
        topics of the ids ``made_from``.

        That is ``offset``; reading elsewhere would skip or repeat. Raises ``InputError`` where it can't be, unless
        the operator accepts that.
        """
        start, end = self.starts[tp], self.ends[tp]
        made_anew = name in made_from and name in self.ids and made_from[name] != self.ids[name]
        if start <= offset <= end and not made_anew:
            return offset
        gap = (
            f"{tp.topic}/{tp.partition}: the state goes on at offset {offset}, the log holds {start} to {end}"
        )
        if made_anew:
            gap += f", and it is another topic than the one that was read (its id is {self.ids[name]}, not "
            gap += f"{made_from[name]})"
        if not self.accept_gap:
            why = (
                "The topic was deleted and made anew, or the topic prefix is another"
                if made_anew
                else "Records between were deleted"
            )
            raise InputError(f"{gap}. {why}. To go on without what is gone, start once with --accept-gap.")
        log.warning("gap accepted", place=gap)
        return start if made_anew else min(max(offset, start), end)
