"""Which worker owns which partition: the four inputs' partition p go to one member together, or not at all."""

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class CoPartitionAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Ranges of partition numbers over the members in order, the same range for every topic.

    Partition p's state is one thing, so its four inputs must never be split. Only numbers that every subscribed
    topic has are given out; the worker has checked before that all topics have the same.
    """

    name = "bonus-copartition"
    version = 0

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Assign to ``members`` (member id -> subscription)."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        found = [cluster.partitions_for_topic(topic) or set() for topic in topics]
        shared = sorted(set.intersection(*found)) if found else []
        owned = spread(shared, sorted(members))
        return {
            member: ConsumerProtocolMemberAssignment(
                cls.version, [(topic, owned[member]) for topic in topics], b""
            )
            for member in members
        }

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What a member tells the group of itself."""
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is remembered between assignments."""


def spread(partitions: list[int], members: list[str]) -> dict[str, list[int]]:
    """Cut ``partitions`` into contiguous ranges, one a member, whose lengths differ by one at most."""
    size, longer = divmod(len(partitions), len(members))
    owned, at = {}, 0
    for place, member in enumerate(members):
        end = at + size + (place < longer)
        owned[member] = partitions[at:end]
        at = end
    return owned
