from itertools import pairwise

import pytest

from schemas.decode import decode
from schemas.events import Event
from schemas.instants import LAST_MS
from schemas.placement import partition_of
from schemas.rejections import CODES
from stream.core.outcome import Rejection
from stream.core.rules import Topic
from tests.schemas.records import WHOLE, dump, value, with_text, without

NOW = WHOLE["occurred_at"]
IDS = ["event_id", "creator_id", "video_id", "viewer_id", "campaign_id"]


def read(record: bytes | None, topic: Topic = "likes") -> Event | Rejection:
    """Decode a record of a topic with one partition, where it can't be misplaced."""
    return decode(record, topic, 0, 1)


def accepted(record: bytes, topic: Topic = "likes") -> Event:
    event = read(record, topic)
    assert isinstance(event, Event), event
    return event


def code(record: bytes | None, topic: Topic = "likes") -> str:
    rejection = read(record, topic)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.code in CODES
    assert rejection.detail.endswith(".")
    return rejection.code


def test_the_needed_fields_suffice_and_the_others_have_defaults() -> None:
    event = accepted(value())
    assert event == Event(
        event_id="e-1",
        creator_id="c-1",
        video_id="v-1",
        viewer_id="u-1",
        occurred_at=1_767_225_600_000,
        region="US",
        campaign_id=None,
        watch_ms=0,
        source="other",
        paid=False,
        action="add",
        added_at=None,
    )


def test_every_field_is_read() -> None:
    record = value(campaign_id="acme", watch_ms=5, source="search", paid=True, action="remove", added_at=7)
    event = accepted(record)
    assert (event.campaign_id, event.watch_ms, event.source) == ("acme", 5, "search")
    assert (event.paid, event.action, event.added_at) == (True, "remove", 7)


@pytest.mark.parametrize(
    "record",
    [
        value(type="view", likes=[1.5, None, {"a": "é"}], NaN="NaN"),
        with_text("more", b"1e999"),
        with_text("more", b"9" * 5_000),
        with_text("more", b'"\\u0000\\ud83d\\ude00"'),
        with_text("more", b'"\x7f\xc2\x80"'),
        with_text("type", b"17"),
        with_text("", b"[" * 32 + b"]" * 32),
    ],
)
def test_unknown_fields_are_ignored_whatever_they_hold(record: bytes) -> None:
    assert accepted(record) == accepted(value())


def test_the_last_of_two_equal_keys_wins() -> None:
    assert accepted(with_text("paid", b'1,"paid":true')).paid is True
    assert code(with_text("paid", b'true,"paid":1')) == "wrong_type"


def test_keys_and_strings_may_be_escaped() -> None:
    assert accepted(with_text("\\u0073ource", b'"f\\u006fr_you"')).source == "for_you"


# Values as a whole


@pytest.mark.parametrize(("record", "expected"), [(None, "empty"), (b"", "empty"), (b" ", "not_json")])
def test_no_value_is_empty_and_blanks_are_no_json(record: bytes | None, expected: str) -> None:
    assert code(record) == expected


def test_64_kib_are_accepted_and_a_byte_more_is_too_large() -> None:
    room = 65_536 - len(value(note=""))
    assert len(value(note="x" * room)) == 65_536
    accepted(value(note="x" * room))
    assert code(value(note="x" * (room + 1))) == "too_large"
    assert code(b"x" * 65_537) == "too_large"


@pytest.mark.parametrize(
    "record",
    [
        b"\xef\xbb\xbf" + value(),
        value() + b"{}",
        value() + b"\x00",
        value()[:-1],
        with_text("more", b"NaN"),
        with_text("watch_ms", b"Infinity"),
        with_text("more", b'"\\ud800"'),
        with_text("\\udc00", b"1"),
        with_text("event_id", b'"\\ud800"'),
        with_text("more", b'"\xff"'),
        with_text("\xff", b"1").replace(b"\xc3\xbf", b"\xff"),
        with_text("more", b"[" * 33 + b"]" * 33),
        with_text("more", b"[" * 30_000 + b"]" * 30_000),
        with_text("event_id", b'"a\nb"'),
        with_text("watch_ms", b"01"),
    ],
)
def test_what_is_not_strict_json_is_not_json(record: bytes) -> None:
    assert code(record) == "not_json"


@pytest.mark.parametrize("record", [b"[]", b"null", b'"{}"', b"1", b"1.5", b"true"])
def test_other_json_is_not_object(record: bytes) -> None:
    assert code(record) == "not_object"


# Fields


@pytest.mark.parametrize("field", list(WHOLE))
def test_each_needed_field_is_needed(field: str) -> None:
    rejection = read(without(field))
    assert isinstance(rejection, Rejection)
    assert rejection.code == "missing_field"
    assert rejection.detail.startswith(f"{field} is missing")


@pytest.mark.parametrize("field", [*WHOLE, "watch_ms", "source", "paid", "action"])
def test_null_is_a_wrong_type_but_for_two_fields(field: str) -> None:
    assert code(with_text(field, b"null")) == "wrong_type"


@pytest.mark.parametrize("field", ["campaign_id", "added_at"])
def test_null_is_as_good_as_absent_for_campaign_id_and_added_at(field: str) -> None:
    assert accepted(with_text(field, b"null")) == accepted(value())


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *[
            (field, text)
            for field in [*IDS, "region", "source", "action"]
            for text in (b"1", b"true", b"[]", b"{}")
        ],
        *[("occurred_at", text) for text in (b"1.0", b"1e3", b"1.5", b"-0.0", b"true", b"[]", b"1e999")],
        *[("added_at", text) for text in (b"1.0", b"1E3", b"false", b"{}")],
        *[("watch_ms", text) for text in (b"1.0", b"1e3", b"0e0", b"true", b'"1"', b"[]")],
        *[("paid", text) for text in (b"0", b"1", b'"true"', b"[]")],
    ],
)
def test_nothing_is_converted(field: str, text: bytes) -> None:
    assert code(with_text(field, text)) == "wrong_type"


@pytest.mark.parametrize("field", IDS)
def test_ids_have_1_to_128_code_points_of_any_script(field: str) -> None:
    for good in ("x", "x" * 128, "😀" * 128, " ", " padded ", "a\u200bb", "\u00a0", "\u2028"):
        assert getattr(accepted(value(**{field: good})), field) == good
    for bad in ("", "x" * 129, "😀" * 129):
        assert code(value(**{field: bad})) == "bad_value"


@pytest.mark.parametrize("field", IDS)
@pytest.mark.parametrize(
    "control", ["\\u0000", "\\n", "\\u001f", "\x7f", "\\u007f", "\x80", "\x9f", "\\u0085"]
)
def test_ids_have_no_control_characters(field: str, control: str) -> None:
    assert code(with_text(field, f'"a{control}b"'.encode())) == "bad_value"


def test_a_source_has_1_to_64_code_points() -> None:
    for good in ("x", "ü" * 64, "tab\\there", "\x7f"):
        accepted(with_text("source", f'"{good}"'.encode()))
    for bad in ("", "ü" * 65):
        assert code(value(source=bad)) == "bad_value"


@pytest.mark.parametrize("region", ["", "U", "us", "Us", "USA", "U1", "U ", "US ", "ÜS", "ＵＳ", "US\\n"])
def test_a_region_is_two_letters_a_to_z(region: str) -> None:
    assert code(with_text("region", f'"{region}"'.encode())) == "bad_value"


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [("occurred_at", 0, LAST_MS), ("watch_ms", 0, 2**31 - 1), ("added_at", 0, LAST_MS)],
)
def test_integers_have_a_range(field: str, least: int, most: int) -> None:
    for good in (least, most):
        accepted(value(**{field: good}))
    for bad in (least - 1, most + 1, 2**64, -(2**64), 10**4_000):
        assert code(value(**{field: bad})) == "bad_value"
    assert code(with_text(field, b"9" * 6_000)) == "bad_value"


def test_minus_zero_is_the_integer_zero() -> None:
    assert accepted(with_text("occurred_at", b"-0")).occurred_at == 0


def test_times_may_be_strings_of_rfc_3339_and_are_handed_on_in_ms() -> None:
    event = accepted(
        value(occurred_at="2026-01-01T01:00:00.0019+01:00", action="remove", added_at="2026-01-01T00:00:00z")
    )
    assert (event.occurred_at, event.added_at) == (1_767_225_600_001, 1_767_225_600_000)


@pytest.mark.parametrize("field", ["occurred_at", "added_at"])
@pytest.mark.parametrize("text", ["", "0", "1767225600000", "2026-01-01", "2026-02-30T00:00:00Z"])
def test_a_string_that_is_no_instant_is_a_bad_value(field: str, text: str) -> None:
    assert code(value(**{field: text})) == "bad_value"


@pytest.mark.parametrize("action", ["", "Add", "undo", "remove "])
def test_another_action_is_a_bad_value(action: str) -> None:
    assert code(value(action=action)) == "bad_value"


@pytest.mark.parametrize("topic", ["likes", "shares", "comments"])
def test_a_remove_takes_back_all_but_views(topic: Topic) -> None:
    assert accepted(value(action="remove"), topic).action == "remove"
    assert code(value(action="remove"), "views") == "bad_value"
    assert accepted(value(action="add"), "views").action == "add"


def test_what_is_taken_back_was_not_added_later() -> None:
    at = 1_767_225_600_000
    assert accepted(value(action="remove", added_at=at)).added_at == at
    assert code(value(action="remove", added_at=at + 1)) == "bad_value"
    assert code(value(action="remove", added_at="2026-01-01T00:00:00.001Z")) == "bad_value"


def test_on_an_add_added_at_is_an_instant_that_is_not_handed_on() -> None:
    assert accepted(value(added_at=LAST_MS)) == accepted(value())
    assert accepted(value(note="\\", added_at=LAST_MS)) == accepted(value())
    assert code(value(added_at=-1)) == "bad_value"


def test_a_field_is_checked_on_every_topic() -> None:
    assert code(value(watch_ms=-1), "likes") == "bad_value"
    assert accepted(value(watch_ms=5), "likes").watch_ms == 5


# Which code, and what it says

FAULTS = [
    ("missing_field", without("region", event_id=5, video_id="")),
    ("wrong_type", value(viewer_id=5, event_id="")),
    ("bad_value", value(event_id="")),
]


@pytest.mark.parametrize(("expected", "record"), FAULTS)
def test_of_several_faults_the_code_that_comes_first_is_told(expected: str, record: bytes) -> None:
    assert code(record) == expected
    assert decode(record, "likes", 5, 1) == read(record), "wrong_partition comes after them"


def test_the_codes_come_in_the_order_of_docs_events() -> None:
    order = [CODES.index(expected) for expected, _ in FAULTS]
    assert all(earlier < later for earlier, later in pairwise(order))


@pytest.mark.parametrize("partitions", [1, 2, 7, 64])
def test_a_record_belongs_in_its_creators_partition(partitions: int) -> None:
    home = partition_of("c-1", partitions)
    for partition in range(partitions):
        event = decode(value(), "likes", partition, partitions)
        if partition == home:
            assert isinstance(event, Event)
        else:
            assert isinstance(event, Rejection)
            assert event.code == "wrong_partition"
            assert f"belongs in partition {home} of {partitions}" in event.detail
            assert "murmur2_random" in event.detail


def test_an_unusual_record_is_held_to_its_partition_too() -> None:
    record = value(note="\\")
    homes = [isinstance(decode(record, "likes", partition, 8), Event) for partition in range(8)]
    assert homes == [partition == partition_of("c-1", 8) for partition in range(8)]


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (value(paid="yes"), "paid must be true or false, not a string."),
        (value(watch_ms=-5), "watch_ms must be an integer from 0 to 2147483647, not -5."),
        (value(action="undo"), 'action must be "add" or "remove", not "undo".'),
        (value(region="ü"), 'region must be a string of two letters A to Z, not "\\u00fc".'),
        (b"[]", "The value is an array; a JSON object was expected."),
        (b'{"a":\xff}', "The value is not UTF-8: byte 5 is 0xff."),
        (b'{"a":nope}', "The value is not JSON: Expecting value at character 5."),
    ],
)
def test_the_detail_names_the_field_and_what_was_expected(record: bytes, detail: str) -> None:
    rejection = read(record)
    assert isinstance(rejection, Rejection)
    assert rejection.detail == detail


@pytest.mark.parametrize("field", ["event_id", "region", "action", "occurred_at"])
@pytest.mark.parametrize("content", ["x" * 60_000, "\x00" * 9_000, "\u200b" * 9_000])
def test_a_detail_echoes_little_and_only_printable_ascii(field: str, content: str) -> None:
    rejection = read(dump(WHOLE | {field: content}).replace(b"\x00", b"\\u0000"))
    assert isinstance(rejection, Rejection)
    assert len(rejection.detail) < 220
    assert rejection.detail.replace("…", "").isascii()
    assert rejection.detail.isprintable()
