"""A worker that Kafka will never let join its group ends with a sentence; it does not wait in silence."""

from aiokafka import AIOKafkaConsumer

from tests.kafka.workers import Fleet


async def test_a_session_time_out_that_kafka_does_not_accept(fleet: Fleet) -> None:
    """It is the brokers' to say which they do."""
    await fleet.kafka.create_topics(partitions=1)
    worker = await fleet.start(session_timeout="100ms")
    assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert "does not accept a --session-timeout of 100 ms" in sentence


async def test_a_group_whose_members_are_others(fleet: Fleet) -> None:
    """They assign partitions otherwise, and know nothing of what a partition is here."""
    await fleet.kafka.create_topics(partitions=1)
    async with AIOKafkaConsumer(
        fleet.kafka.prefix + "views", bootstrap_servers=fleet.kafka.bootstrap, group_id=fleet.group
    ):
        worker = await fleet.start()
        assert await worker.ended() == 1
    [sentence] = worker.sentences
    assert f"Group {fleet.group} has members that are no such workers" in sentence
