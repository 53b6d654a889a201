"""Workers that come and go under load: each partition is whole at one of them, and every bonus is there once."""

import asyncio
from collections.abc import Mapping

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from stream.core.rules import TOPICS
from tests.kafka.expected import assert_exact
from tests.kafka.traffic import load
from tests.kafka.workers import PATIENCE_S, Fleet

PARTITIONS = 5

Owned = Mapping[str, set[tuple[str, int]]]
"""Which topic-partitions each member of the group has."""


class Group:
    """The consumer group as the broker sees it."""

    def __init__(self, fleet: Fleet) -> None:
        self._admin = AdminClient({"bootstrap.servers": fleet.kafka.bootstrap})
        self._group = fleet.group
        self._topics = [fleet.kafka.prefix + topic for topic in TOPICS]

    async def of(self, members: int) -> Owned:
        """What each of so many members has, once the group is stable with them."""
        owned: Owned = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    stable, owned = await asyncio.to_thread(self._look)
                    if stable and len(owned) == members and all(owned.values()):
                        return owned
        except TimeoutError:
            raise AssertionError(f"the group has not come to {members} members: {owned}") from None

    def whole(self, owned: Owned) -> bool:
        """Whether every partition number is owned, with all its inputs, by one member."""
        shares = [{(topic, number) for topic in self._topics} for number in range(PARTITIONS)]
        return all(sum(share <= held for held in owned.values()) == 1 for share in shares)

    def _look(self) -> tuple[bool, Owned]:
        [described] = self._admin.describe_consumer_groups([self._group]).values()
        group = described.result(PATIENCE_S)
        owned = {
            member.member_id: {(tp.topic, tp.partition) for tp in member.assignment.topic_partitions}
            for member in group.members
        }
        return group.state == ConsumerGroupState.STABLE, owned


async def test_workers_share_the_partitions_as_they_come_and_go(fleet: Fleet, seed: int) -> None:
    """From one to three and back to one, by starts and SIGTERMs: a partition's four inputs are never split."""
    kafka, group = fleet.kafka, Group(fleet)
    await kafka.create_topics(partitions=PARTITIONS)
    running = [await fleet.start_serving()]
    async with load(kafka.bootstrap, kafka.prefix, seed) as going:
        for members in (1, 2, 3, 2, 1):
            if members > len(running):
                running.append(await fleet.start())
            elif members < len(running):
                leaver = running.pop(0)
                leaver.terminate()
                assert await leaver.ended() == 0
            owned = await group.of(members)
            assert group.whole(owned), owned
            await going.reached(1_500)
    await fleet.settled()
    await assert_exact(kafka.bootstrap, kafka.prefix, fleet.programs, at_least=100)
