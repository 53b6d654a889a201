"""Following and publishing on a real broker: whole editions, and publishers that take turns."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, UnknownError

from schemas import rulebook as wire
from stream.errors import InputError, Unreachable
from stream.rulebook import publish as publishing
from stream.rulebook.edition import Edition
from stream.rulebook.follow import Follower
from stream.rulebook.publish import publish
from tests.kafka.headers import send_with_odd_headers
from tests.kafka.servers import Kafka
from tests.rulebook.written import document

APP = "app"


class Topic:
    """The topic `programs` of one test."""

    def __init__(self, kafka: Kafka) -> None:
        self.options = kafka.options
        self.name = kafka.prefix + wire.TOPIC
        self._followers: list[Follower] = []

    async def follower(self) -> Follower:
        """One more reader from the start."""
        self._followers.append(await Follower.open(self.options, self.name))
        return self._followers[-1]

    async def publish(self, *documents: str, by: Follower | None = None) -> None:
        """Put these in force."""
        await publish(self.options, APP, by or await self.follower(), lambda edition: documents)

    async def close(self) -> None:
        for follower in self._followers:
            await follower.close()


@pytest.fixture
async def topic(kafka: Kafka) -> AsyncIterator[Topic]:
    await kafka.create_topics(partitions=1)
    topic = Topic(kafka)
    yield topic
    await topic.close()


async def test_what_is_published_is_read_by_all(topic: Topic) -> None:
    """A programme that is left out has ended; the former edition is remembered."""
    first = await topic.follower()
    await topic.publish(document("a"), document("b"), by=first)
    before = first.edition
    await topic.publish(document("b"), document("c"))
    for reader in (first, await topic.follower()):
        edition = await reader.read_to_end()
        assert (document("b"), document("c")) == edition.documents
        assert edition.was_replaced(before.documents)


async def test_a_programme_that_ends_alone_is_remembered_by_a_record_that_stays(topic: Topic) -> None:
    """Compaction takes tombstones away: the last record is of a programme that is in force."""
    await topic.publish(document("a"), document("b"))
    await topic.publish(document("b"))
    edition = (await topic.follower()).edition
    assert ((document("b"),), True) == (
        edition.documents,
        edition.was_replaced((document("a"), document("b"))),
    )


async def test_the_same_documents_make_no_new_edition(topic: Topic) -> None:
    follower = await topic.follower()
    await topic.publish(document("a"), by=follower)
    number = follower.edition.number
    await topic.publish(document("a"), by=follower)
    assert number == (await follower.read_to_end()).number


async def test_publishers_at_the_same_moment_take_turns(topic: Topic) -> None:
    """Each decides by the edition that it replaces, however many there are: nothing is written over unseen."""
    followers = [await topic.follower() for _ in range(4)]

    async def add(number: int) -> None:
        def decide(edition: Edition) -> Sequence[str]:
            return (*edition.documents, document(f"p{number}"))

        await publish(topic.options, APP, followers[number], decide)

    await asyncio.gather(*(add(number) for number in range(4)))
    assert {f"p{number}" for number in range(4)} == set((await followers[0].read_to_end()).programs)


@pytest.fixture
def unsure(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has so many commits end as Kafka 4.3.1 ends one that meets another publisher: unknown, and nothing is done."""
    honest = AIOKafkaProducer.commit_transaction

    def fail(times: int) -> None:
        left = iter(range(times))

        async def commit(producer: AIOKafkaProducer) -> None:
            if next(left, None) is not None:
                raise KafkaError("Unexpected error during batch delivery") from UnknownError()
            await honest(producer)

        monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", commit)

    return fail


async def test_where_a_broker_does_not_say_how_it_ended_publishing_begins_again(
    topic: Topic, unsure: Callable[[int], None]
) -> None:
    unsure(2)
    await topic.publish(document("a"))
    assert {"a"} == set((await topic.follower()).edition.programs)


async def test_a_broker_that_never_says_how_it_ended_is_given_up(
    topic: Topic, unsure: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_FENCED_S", 0.0)
    unsure(1_000)
    with pytest.raises(Unreachable, match="the broker does not say how a transaction ends"):
        await topic.publish(document("a"))
    assert set() == set((await topic.follower()).edition.programs)


async def test_what_a_publisher_left_open_when_it_died_is_never_in_force(topic: Topic) -> None:
    """The next publisher ends it, and does not wait for its time-out."""
    await topic.publish(document("a"))
    dead = AIOKafkaProducer(**topic.options, transactional_id=f"{APP}-{topic.name}")
    await dead.start()
    await dead.begin_transaction()
    await dead.send_and_wait(topic.name, wire.encode("x", [document("x")], 0), key=b"x", partition=0)
    reader = await topic.follower()
    assert {"a"} == set(reader.edition.programs)
    await topic.publish(document("b"))
    assert {"b"} == set((await reader.read_to_end()).programs)
    await dead.client.close()


async def test_what_decide_raises_leaves_everything_as_it_was(topic: Topic) -> None:
    await topic.publish(document("a"))

    def refuse(edition: Edition) -> Sequence[str]:
        raise InputError("no")

    follower = await topic.follower()
    number = follower.edition.number
    with pytest.raises(InputError, match=r"^no$"):
        await publish(topic.options, APP, follower, refuse)
    assert number == (await follower.read_to_end()).number


async def test_a_large_edition_is_taken_over_whole(topic: Topic) -> None:
    """Larger than one fetch brings: no one sees a part of it."""
    many = [
        document(f"p{number}", campaigns=[f"{number}-{each:0100}" for each in range(2_000)])
        for number in range(8)
    ]
    assert sum(map(len, many)) > 1_500_000
    reader, seen, whole = await topic.follower(), set[int](), asyncio.Event()

    def look() -> None:
        seen.add(len(reader.edition.programs))
        if len(reader.edition.programs) == len(many):
            whole.set()

    following = asyncio.create_task(reader.follow(look, print))
    await topic.publish(*many)
    async with asyncio.timeout(30):
        await whole.wait()
    assert {len(many)} == seen
    following.cancel()


async def test_a_foreign_record_is_named_by_its_place(topic: Topic) -> None:
    producer = AIOKafkaProducer(**topic.options)
    await producer.start()
    await producer.send_and_wait(topic.name, json.dumps({"not": "ours"}).encode(), key=b"p", partition=0)
    await producer.stop()
    with pytest.raises(
        InputError, match=f"^{topic.name}/0/0: The record is not one of programmes in force: "
    ):
        await topic.follower()


async def test_a_foreign_record_that_no_client_reads_is_told_too(kafka: Kafka, topic: Topic) -> None:
    await topic.publish(document("a"))
    await send_with_odd_headers(kafka.bootstrap, topic.name, 0, [b"{}"], key=b"a", first=0)
    with pytest.raises(InputError, match=f"^{topic.name}/0 .* not one of programmes .* name is no text"):
        await topic.follower()


async def test_a_programme_that_the_topic_can_not_take_is_refused(topic: Topic) -> None:
    """As made by `bonus topics create` it takes 8 MiB, the size of a folder."""
    long = [document("p", version, campaigns=[f"{n:0>120}" for n in range(1_500)]) for version in range(1, 8)]
    await topic.publish(*long)
    with pytest.raises(InputError, match=f"too large for {topic.name}: raise max.message.bytes"):
        await topic.publish(*long * 10)
