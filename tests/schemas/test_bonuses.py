import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bonuses import BonusEvent, decode, encode
from stream.core.outcome import Bonus, Evidence
from stream.errors import InputError

BONUS = Bonus(
    bonus_id="0123456789abcdef" * 2,
    program="creator-rewards",
    program_version=3,
    tier="silver",
    subject="creator",
    creator_id="c-1",
    video_id=None,
    region="US",
    period=(None, None),
    window=(1_767_139_200_000, 1_767_225_600_000),
    metrics={"views": 10_000, "watch_hours": 5_400_000},
    thresholds={"all": [{"views": 10_000}, {"watch_hours": Decimal("1.50")}]},
    reward={"amount": "50.00", "currency": "USD"},
    evidence=Evidence("e-1", "views", 5, 123),
)


def test_a_bonus_is_the_object_of_docs_bonuses_in_its_order() -> None:
    expected = (
        '{"bonus_id":"0123456789abcdef0123456789abcdef","type":"threshold_reached",'
        '"program":"creator-rewards","program_version":3,"tier":"silver",'
        '"subject":{"kind":"creator","id":"c-1"},"creator_id":"c-1","region":"US",'
        '"period":{"start":null,"end":null},"window":{"start":1767139200000,"end":1767225600000},'
        '"metrics":{"views":10000,"watch_hours":1.5},'
        '"thresholds":{"all":[{"views":10000},{"watch_hours":1.50}]},'
        '"reward":{"amount":"50.00","currency":"USD"},'
        '"evidence":{"event_id":"e-1","topic":"views","partition":5,"offset":123}}'
    )
    assert expected == encode(BONUS).decode()


def test_the_fields_are_written_in_the_models_order() -> None:
    assert list(BonusEvent.model_fields) == list(json.loads(encode(BONUS)))


def test_a_videos_bonus_names_the_video_and_its_creator() -> None:
    written = json.loads(encode(replace(BONUS, subject="video", video_id="v-1")))
    assert written["subject"] == {"kind": "video", "id": "v-1"}
    assert written["creator_id"] == "c-1"


def test_ids_are_written_in_utf8() -> None:
    assert "créateur-😀".encode() in encode(replace(BONUS, creator_id="créateur-😀"))


def test_read_only_mappings_are_written_as_objects() -> None:
    frozen: Mapping[str, object] = MappingProxyType({"amount": "5.00"})
    assert json.loads(encode(replace(BONUS, reward=frozen)))["reward"] == {"amount": "5.00"}


millis = st.none() | st.integers(0, 2**62)
metrics = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("views", "likes", "shares", "comments", "watch_hours"), st.integers(0, 2**62))
)
bonuses = st.builds(
    replace,
    st.just(BONUS),
    tier=st.text(min_size=1),
    program_version=st.integers(1, 2**62),
    creator_id=st.text(min_size=1),
    video_id=st.none() | st.text(min_size=1),
    period=st.tuples(millis, millis),
    window=st.tuples(millis, millis),
    metrics=metrics,
)


@given(bonuses)
def test_what_is_written_is_read_back_as_it_was(bonus: Bonus) -> None:
    read = decode(encode(bonus))
    assert (bonus.bonus_id, bonus.program, bonus.tier) == (read.bonus_id, read.program, read.tier)
    assert bonus.period == (read.period.start, read.period.end)
    assert bonus.window == (read.window.start, read.window.end)
    assert bonus.creator_id == read.creator_id
    assert read.subject.id == (bonus.creator_id if bonus.video_id is None else bonus.video_id)
    assert set(bonus.metrics) == set(read.metrics)
    assert bonus.evidence._asdict() == read.evidence.model_dump()


def test_deeply_nested_conditions_are_read_back() -> None:
    condition: dict[str, object] = {"views": 1}
    for _ in range(30):
        condition = (
            {"all": [condition, {"any": [condition]}]}
            if len(str(condition)) < 9_000
            else {"all": [condition]}
        )
    assert decode(encode(replace(BONUS, thresholds=condition))).thresholds == condition


def test_thresholds_keep_all_their_digits() -> None:
    """Also those that a float has no room for."""
    long = Decimal("0.123456789012345678")
    encoded = encode(
        replace(BONUS, thresholds={"any": [{"watch_hours": long}, {"watch_hours": Decimal("2.50")}]})
    )
    assert b'"thresholds":{"any":[{"watch_hours":0.123456789012345678},{"watch_hours":2.50}]}' in encoded


def test_a_field_of_a_later_release_is_ignored() -> None:
    assert decode(encode(BONUS)) == decode(encode(BONUS)[:-1] + b',"note":"new"}')


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "its value is wrong"),
        (b"", "its value is wrong"),
        (b"\xff", "its value is wrong"),
        (b"[]", "its value is wrong"),
        (b"{}", "its bonus_id is wrong"),
        (encode(BONUS).replace(b'"offset":123', b'"offset":"123"'), "its evidence.offset is wrong"),
        (encode(BONUS).replace(b"threshold_reached", b"something_else"), "its type is wrong"),
    ],
)
def test_a_record_that_is_no_bonus_is_refused_in_a_sentence(value: bytes | None, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        decode(value)
