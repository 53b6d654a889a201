"""How topics should be, and what is said where they are not."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer

from stream.core.rules import TOPICS as INPUTS
from stream.topics import TOPICS, TopicPlan, TopicState, _settings, differences, planned, verify

PLANS = {plan.name: plan for plan in planned("acme.", partitions=8, replication=3)}


def as_planned(plan: TopicPlan) -> TopicState:
    return TopicState(plan.partitions, plan.replication, plan.configs)


def test_every_topic_carries_the_prefix() -> None:
    """Environments that share a cluster differ by their prefix alone."""
    assert [f"acme.{topic}" for topic in TOPICS] == list(PLANS)


def test_three_replicas_need_two_in_sync() -> None:
    """An acknowledged record survives the loss of one broker; with fewer replicas nothing is asked."""
    assert {"2"} == {plan.configs["min.insync.replicas"] for plan in PLANS.values()}
    for plan in planned("", partitions=8, replication=2):
        assert "min.insync.replicas" not in plan.configs


def test_a_topic_as_planned_is_fine() -> None:
    """Nothing to say but that it is there."""
    for plan in PLANS.values():
        assert ["fine"] == [finding.kind for finding in differences(plan, as_planned(plan))]


def test_more_room_and_more_copies_are_fine() -> None:
    """Sizes, replicas and in-sync replicas are least values."""
    plan = PLANS["acme.rejected"]
    larger = dict(plan.configs) | {"max.message.bytes": "99999999", "min.insync.replicas": "3"}
    state = TopicState(partitions=8, replication=5, configs=larger)
    assert ["fine"] == [finding.kind for finding in differences(plan, state)]


def test_each_difference_has_its_sentence() -> None:
    """Partitions, copies and settings are told one by one, each with what is and what should be."""
    plan = PLANS["acme.bonuses"]
    week = dict(plan.configs) | {"retention.ms": "604800000"}
    found = differences(plan, TopicState(partitions=4, replication=1, configs=week))
    assert ["partitions differ", "differs", "differs"] == [finding.kind for finding in found]
    assert found[2].sentence == (
        "acme.bonuses has retention.ms=604800000 where -1 is safe: it is the ledger of what was paid."
    )


def test_the_topic_of_programmes_has_reasons_of_its_own() -> None:
    plan = PLANS["acme.programs"]
    found = differences(plan, TopicState(8, 3, dict(plan.configs) | {"cleanup.policy": "delete"}))
    assert ["differs", "differs"] == [finding.kind for finding in found]
    assert "8 partitions where one is enough" in found[0].sentence
    assert found[1].sentence.endswith("where compact is safe: programmes in force would expire.")


def test_retention_that_was_asked_for_is_the_least() -> None:
    """Of what is no ledger: that is kept for ever whatever is asked for."""
    plans = {plan.name: plan.configs for plan in planned("", 8, 3, retention_ms=86_400_000)}
    kept = {name: configs.get("retention.ms") for name, configs in plans.items()}
    assert kept == dict.fromkeys([*INPUTS, "rejected", "late"], "86400000") | {
        "bonuses": "-1",
        "programs": None,
    }
    [plan] = [plan for plan in planned("", 8, 3, retention_ms=86_400_000) if plan.name == "views"]
    for actual, said in {
        "86400000": "exists with",
        "86400001": "exists with",
        "-1": "exists with",
        "3600000": "has retention.ms=3600000 where 86400000 was asked for.",
    }.items():
        [found] = differences(plan, TopicState(8, 3, dict(plan.configs) | {"retention.ms": actual}))
        assert said in found.sentence


def test_a_hidden_setting_is_no_difference() -> None:
    """What a cluster doesn't show can't be judged."""
    plan = PLANS["acme.views"]
    state = replace(as_planned(plan), configs={})
    assert ["fine"] == [finding.kind for finding in differences(plan, state)]


async def test_a_cluster_that_tells_no_settings_serves() -> None:
    """With CreateTime allowed, verify needs the partition counts alone, as an embedded broker gives them."""
    embedded = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
    broker = next(iter(embedded.list_topics(timeout=10).brokers.values()))
    for topic in TOPICS:
        embedded.produce(topic, b"")
    assert embedded.flush(10) == 0
    options = {"bootstrap_servers": f"{broker.host}:{broker.port}"}
    assert await verify(options, allow_create_time=True) == 4


async def test_a_broker_that_has_not_heard_of_a_new_topic_is_asked_again() -> None:
    """Of several, one tells of the topic, and another is asked for its settings."""
    answers = [(3, "", 2, "views", []), (0, "", 2, "views", [("retention.ms", "1"), ("hidden", None)])]

    async def describe_configs(resources: object) -> object:
        return [SimpleNamespace(resources=[answers.pop(0)])]

    admin = cast(AIOKafkaAdminClient, SimpleNamespace(describe_configs=describe_configs))
    assert await _settings(admin, ["views"]) == {"views": {"retention.ms": "1"}}
    assert answers == []
