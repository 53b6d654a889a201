"""What the logs don't decide alone is held to what is promised of it, neither less nor more."""

import json
from collections.abc import Mapping

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from schemas.placement import partition_of
from stream.core.rules import TOPICS
from tests.chaos.bounds import EITHER_ORDER, Between, Due, Places, of_either_order, of_late
from tests.chaos.setup import PARTITIONS, PREFIX
from tests.chaos.verdict import assert_between
from tests.kafka.logs_of import Logs
from tests.kafka.traffic import value_of

AT_MS = 1_767_225_600_000
ADA: Due = ("ada", None, AT_MS)
NUMBER = partition_of("ada", PARTITIONS)


def record(topic: str, number: int, offset: int, value: bytes) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(topic, number, offset, AT_MS, 1, b"ada", value, None, 3, len(value), ())


def logs(**topics: list[str]) -> Logs:
    """Logs in which ada's videos are viewed, liked, … at one instant: an ``action`` a record."""
    found: Logs = {
        TopicPartition(PREFIX + topic, number): [] for topic in TOPICS for number in range(PARTITIONS)
    }
    for topic, actions in topics.items():
        found[TopicPartition(PREFIX + topic, NUMBER)] = [
            record(PREFIX + topic, NUMBER, offset, _event(f"{topic}-{offset}", action))
            for offset, action in enumerate(actions)
        ]
    return found


def _event(event_id: str, action: str) -> bytes:
    own = {"event_id": event_id, "creator_id": "ada", "video_id": "v", "viewer_id": "bob", "region": "US"}
    return value_of({**own, "occurred_at": AT_MS, "action": action})


def test_what_every_order_reaches_must_be_paid() -> None:
    """Without removes nothing is left open."""
    bounds = of_either_order(logs(views=["add", "add"], likes=["add", "add"]))
    assert bounds == Between(frozenset([ADA]), frozenset([ADA]))


def test_what_some_order_reaches_may_be_paid() -> None:
    """The second like is there only until it is taken back."""
    bounds = of_either_order(logs(views=["add", "add"], likes=["add", "add", "remove"]))
    assert bounds == Between(frozenset(), frozenset([ADA]))


def test_what_no_order_reaches_must_not_be_paid() -> None:
    """There were never two likes at a time."""
    bounds = of_either_order(logs(views=["add", "add"], likes=["add", "remove", "add"]))
    assert bounds == Between(frozenset(), frozenset())


@pytest.mark.parametrize(("since", "must"), [(0, True), (1, True), (2, False)])
def test_what_is_read_after_a_late_version_was_loaded_must_be_paid(since: int, must: bool) -> None:
    """What lay before may count too."""
    due: Due = ("ada", "v", AT_MS)
    places: Places = {number: {"views": since} for number in range(PARTITIONS)}
    [bounds] = of_late(logs(views=["add"] * 3), {"late-001": places}).values()
    assert bounds == Between(frozenset([due] if must else []), frozenset([due]))


def bonus(creator: str, bonus_id: str) -> ConsumerRecord[bytes, bytes]:
    shown: Mapping[str, object] = {
        "bonus_id": bonus_id,
        "program": EITHER_ORDER,
        "subject": {"kind": "creator", "id": creator},
        "creator_id": creator,
        "period": {"start": AT_MS, "end": AT_MS + 60_000},
    }
    return record(PREFIX + "bonuses", 0, 0, json.dumps(shown).encode())


def test_between_the_bounds_is_right() -> None:
    """With what may be, and without it."""
    bounds = {EITHER_ORDER: Between(frozenset([ADA]), frozenset([ADA, ("eve", None, AT_MS)]))}
    assert_between(bounds, [bonus("ada", "1")])
    assert_between(bounds, [bonus("ada", "1"), bonus("eve", "2")])


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "1 missing"),
        ([bonus("ada", "1"), bonus("bob", "2")], "1 false"),
        ([bonus("ada", "1"), bonus("ada", "1")], "1 doubled"),
    ],
    ids=["missing", "false", "doubled"],
)
def test_outside_the_bounds_is_told(found: list[ConsumerRecord[bytes, bytes]], says: str) -> None:
    """As what it is, with an example."""
    bounds = {EITHER_ORDER: Between(frozenset([ADA]), frozenset([ADA]))}
    with pytest.raises(AssertionError, match=says):
        assert_between(bounds, found)
