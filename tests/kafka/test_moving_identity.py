"""Which logs these are, as real brokers tell it."""

import pytest

from stream.errors import InputError
from stream.transport.identity import Identity, Logs, TopicMark
from stream.transport.kafka import KafkaTrouble
from tests.kafka.logs_of import admin_of
from tests.kafka.moves import add_partitions
from tests.kafka.servers import Kafka

HERE = Identity("one", {"views": TopicMark("a", 4), "likes": TopicMark("b", 4)})


def test_the_same_logs_are_not_refused() -> None:
    """Also where a cluster has no ids, or has them only since: what is not known says nothing."""
    HERE.refuse_other(HERE)
    unknown = Identity("", {"views": TopicMark("", 4), "likes": TopicMark("", 4)})
    HERE.refuse_other(unknown)
    unknown.refuse_other(HERE)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (Identity("two", HERE.topics), "belong to Kafka cluster two now, not to one"),
        (Identity("one", {**HERE.topics, "likes": TopicMark("c", 4)}), "likes was deleted and made anew"),
        (
            Identity("one", {**HERE.topics, "views": TopicMark("a", 5)}),
            "views has 5 partitions now, it had 4",
        ),
    ],
)
def test_other_logs_are_refused(now: Identity, words: str) -> None:
    """With what is other."""
    with pytest.raises(InputError, match=words):
        HERE.refuse_other(now)


def test_a_topic_that_is_not_to_be_seen_may_come_back() -> None:
    """A broker that has just started may not know it yet."""
    with pytest.raises(KafkaTrouble, match="does not show the topic likes"):
        HERE.refuse_other(Identity("one", {"views": HERE.topics["views"]}))


async def test_topics_have_ids_of_their_own(kafka: Kafka) -> None:
    """And a cluster has one; a topic that does not exist is not made by asking for it."""
    await kafka.create_topics(partitions=2)
    names = [kafka.prefix + name for name in ("views", "likes", "nothing")]
    logs = await Logs.open(kafka.options, names)
    assert logs.identity.cluster
    assert set(names[:2]) == logs.identity.topics.keys()
    assert {2} == {mark.partitions for mark in logs.identity.topics.values()}
    assert 2 == len({mark.id for mark in logs.identity.topics.values()})
    await logs.confirm()
    async with admin_of(kafka.bootstrap) as admin:
        assert names[2] not in await admin.list_topics()
    await add_partitions(kafka, ["likes"], 3)
    with pytest.raises(InputError, match="likes has 3 partitions now, it had 2"):
        await logs.confirm()
    await logs.close()
