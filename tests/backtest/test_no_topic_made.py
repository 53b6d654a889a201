"""A broker that makes every topic it is asked for by name is not asked for one that is missing."""

import pytest
from confluent_kafka.admin import AdminClient

from stream.backtest.history import Range, survey
from stream.demo.broker import embedded_broker
from stream.errors import InputError
from stream.settings import KafkaSettings


async def test_a_missing_topic_is_not_made_by_looking_for_it() -> None:
    with embedded_broker(["views", "likes"]) as broker:
        with pytest.raises(InputError, match=r"These topics don't exist at .*: shares, comments\."):
            await survey(KafkaSettings(kafka=broker), Range())
        assert sorted(AdminClient({"bootstrap.servers": broker}).list_topics(timeout=10).topics) == [
            "likes",
            "views",
        ]
