"""What an outsider hears of a group: a coordinator that still reads its log knows of nothing, and says so beside."""

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorLoadInProgressError
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata

from stream.closing import stop
from stream.core.rules import TOPICS
from stream.transport import groups
from stream.transport.kafka import KafkaTrouble
from stream.transport.log_ends import LogEnds
from tests.kafka.servers import Kafka

LOADING = CoordinatorLoadInProgressError.errno


def first_answer(
    monkeypatch: pytest.MonkeyPatch, kind: type[object], becomes: Callable[[Any], None]
) -> list[object]:
    """Change the first answer to a request of this kind; returns the requests, as they come."""
    honest, asked = AIOKafkaAdminClient._send_request, list[object]()

    async def send(self: AIOKafkaAdminClient, request: object, *to: object) -> object:
        answer = await honest(self, request, *to)
        if isinstance(request, kind):
            asked.append(request)
            if len(asked) == 1:
                becomes(answer)
        return answer

    monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", send)
    return asked


async def test_a_coordinator_that_is_loading_is_not_taken_for_a_group_without_offsets(
    kafka: Kafka, app_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A take would start where the logs begin, and would not see that state was lost."""

    def loading(answer: Any) -> None:
        answer.topics, answer.error_code = [], LOADING

    views, *others = [TopicPartition(await kafka.create_topics(partitions=1) + topic, 0) for topic in TOPICS]
    at = OffsetAndMetadata(7, "said")
    await groups.commit(kafka.options, app_name, {views: at})
    log_ends = await LogEnds.open(kafka.options, app_name)
    try:
        first_answer(monkeypatch, OffsetFetchRequest, loading)
        with pytest.raises(KafkaTrouble, match="can't tell its offsets yet"):
            await log_ends.committed([views, *others])
        assert await log_ends.committed([views, *others]) == {views: at}
    finally:
        await log_ends.close()


async def test_a_group_that_has_committed_nothing_has_no_offsets(kafka: Kafka, app_name: str) -> None:
    """Kafka tells that of each partition."""
    tps = [TopicPartition(await kafka.create_topics(partitions=2) + topic, 1) for topic in TOPICS]
    assert await groups.members(kafka.options, app_name) == 0  # there is a coordinator now
    log_ends = await LogEnds.open(kafka.options, app_name)
    try:
        assert await log_ends.committed(tps) == {}
    finally:
        await log_ends.close()


async def test_a_coordinator_that_is_loading_is_asked_again_for_members(
    kafka: Kafka, app_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move goes on only where nobody works any more."""

    def loading(answer: Any) -> None:
        answer.groups = [
            (LOADING, name, "", "", "", [], *rest) for _, name, _, _, _, _, *rest in answer.groups
        ]

    views = await kafka.create_topics(partitions=1) + "views"
    member = AIOKafkaConsumer(views, **kafka.options, group_id=app_name, enable_auto_commit=False)
    await member.start()
    try:
        asked = first_answer(monkeypatch, DescribeGroupsRequest, loading)
        assert await groups.members(kafka.options, app_name) == 1
        assert len(asked) == 2
    finally:
        await stop(member)
