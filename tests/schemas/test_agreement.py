"""The fast path accepts nothing that the careful path does not, and both make the same of it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import decode as decoding
from schemas.decode import Decoder, decode, decode_carefully, decode_fast, decode_line
from schemas.events import Event
from schemas.rejections import CODES
from stream.core.outcome import Rejection
from stream.core.rules import TOPICS, Topic
from tests.schemas.records import WHOLE, dump, value, with_text

topics = st.sampled_from(TOPICS)
ids = st.text(min_size=1, max_size=130)
instants = (
    st.integers(0, 253_402_300_799_999)
    | st.datetimes().map(lambda at: at.isoformat() + "Z")
    | st.sampled_from(["2016-12-31T23:59:60Z", "1970-01-01t00:00:00.000999-00:00"])
)
good_fields: dict[str, st.SearchStrategy[object]] = {
    "event_id": ids,
    "creator_id": ids,
    "video_id": ids,
    "viewer_id": ids,
    "occurred_at": instants,
    "region": st.sampled_from(["US", "GB", "ZZ"]),
}
optional_fields: dict[str, st.SearchStrategy[object]] = {
    "campaign_id": st.none() | ids,
    "watch_ms": st.integers(0, 2**31 - 1),
    "source": st.text(min_size=1, max_size=66),
    "paid": st.booleans(),
    "action": st.sampled_from(["add", "remove"]),
    "added_at": st.none() | instants,
    "note": st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.lists(inner)),
}
events = st.fixed_dictionaries(good_fields, optional=optional_fields)
scalars = st.sampled_from(
    b"null true false 0 -0 -1 1.0 1e3 1E-2 1e999 01 2147483648 253402300800000 18446744073709551616 NaN -Infinity "
    b'[] {} "" "0" "US" "us" "add" "remove" "\\u0041" "\\ud800" "\\u0000" "\x7f" "\xc2\x85" "\xff" "\xed\xa0\x80" '
    b'"1970-01-01T00:00:00Z" "1970-01-01" "\xf0\x9f\x98\x80" [[1]] {"a":{"a":1}} nul + \xef\xbb\xbf'.split(
        b" "
    )
)
fields = st.sampled_from([*good_fields, *optional_fields, "type", ""])


def check(record: bytes, topic: Topic) -> None:
    """Both paths agree about the record, and the front door says what the careful path says."""
    careful = decode_carefully(record, topic)
    fast = decode_fast(record, topic) if record else None
    assert fast is None or fast == careful
    assert decode(record, topic, 0, 1) == careful
    usual, none = decode(value(), topic, 0, 1), decode(None, topic, 0, 1)
    assert Decoder(topic, 0, 1).decode([record, value(), record]) == [careful, usual, careful]
    assert Decoder(topic, 0, 1).decode([record, None, value()]) == [careful, none, usual]
    if isinstance(careful, Rejection):
        assert careful.code in CODES
        assert careful.detail
    else:
        assert all(type(ms) is int for ms in (careful.occurred_at, careful.watch_ms))


@given(events, topics)
def test_events_as_producers_write_them(event: dict[str, object], topic: Topic) -> None:
    check(dump(event), topic)


@given(events, fields, scalars, topics)
def test_one_field_written_as_anything(
    event: dict[str, object], field: str, text: bytes, topic: Topic
) -> None:
    whole = dump({name: item for name, item in event.items() if name != field})
    check(whole[:-1] + b',"%s":%s}' % (field.encode(), text), topic)


@given(events, fields, topics)
def test_one_field_left_out(event: dict[str, object], field: str, topic: Topic) -> None:
    check(dump({name: item for name, item in event.items() if name != field}), topic)


pieces = (
    scalars
    | st.binary(max_size=3)
    | st.sampled_from([bytes([byte]) for byte in b'"\\{}[]:,. \t\r\n\x00eE+-09'])
)


@given(events, st.data(), topics)
def test_bytes_changed_anywhere(event: dict[str, object], data: st.DataObject, topic: Topic) -> None:
    record = dump(event)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(record)))
        end = data.draw(st.integers(start, min(len(record), start + 4)))
        record = record[:start] + data.draw(pieces) + record[end:]
    check(record, topic)


@given(st.binary(max_size=300), topics)
@example(b"", "views")
@example(b"\xef\xbb\xbf{}", "views")
def test_any_bytes(record: bytes, topic: Topic) -> None:
    check(record, topic)


NASTY = [
    b"{" * 65_536,
    b"[" * 65_537,
    b'{"a":' * 10_000,
    b'{"a":' * 30 + b"1" + b"}" * 30,
    b'"' * 60_001,
    b'{"a":"' + b"\\" * 60_001,
    b"9" * 65_000,
    b'{"a":1e' + b"9" * 60_000 + b"}",
    value() * 2,
    value() + b"\n\t\r ",
    b"\n\t\r " + value(),
    b"\x00" + value(),
    value() + b"\x0b",
    value().decode().encode("utf-16"),
    value().decode().encode("utf-32-le"),
    with_text("more", b'"\xf4\x90\x80\x80"'),
    with_text("more", b'"\xc0\xaf"'),
    with_text("more", b'"\xe2\x82"'),
    with_text("more", b"[" * 32 + b"]" * 32),
    with_text("more", b"[" * 33 + b"]" * 33),
    with_text("more", b"[" * 5_000 + b"]" * 5_000),
    with_text("more", b'"' + b"[{" * 5_000 + b'"'),
    with_text("more", b"[],{}" * 50),
    with_text("more", b"[" + b"[]," * 50 + b"{}]"),
    with_text("more", b"[1,]"),
    with_text("more", b'{"a":1,}'),
    with_text("more", b'{"a":1,"a":2}'),
    with_text("more", b"{1:2}"),
    with_text("more", b"-"),
    with_text("more", b"1."),
    with_text("more", b"1e+"),
    with_text("more", b"00"),
    with_text("more", b"9" * 5_000),
    with_text("more", b"-" + b"9" * 5_000),
    with_text("more", b"1" + b"0" * 400 + b".0"),
    with_text("watch_ms", b"9" * 5_000),
    with_text("watch_ms", b"-" + b"9" * 5_000),
    with_text("watch_ms", b"1" + b"0" * 30),
    with_text("watch_ms", b"0.0"),
    with_text("occurred_at", b"9" * 19),
    with_text("occurred_at", b"18446744073709551615"),
    with_text("occurred_at", b"1767225600000.0"),
    with_text("occurred_at", b"17672256e5"),
    with_text("paid", b'"x","paid":true'),
    with_text("occurred_at", b'"bad","occurred_at":5'),
    with_text("event_id", b'"' + b"\xf0\x9f\x98\x80" * 128 + b'"'),
    with_text("event_id", b'"' + b"\xf0\x9f\x98\x80" * 129 + b'"'),
    with_text("event_id", b'"\x1f"'),
    with_text("event_id", b'"\x7f"'),
    with_text("event_id", b'"\xc2\x9f"'),
    with_text("event_id", b'"\xc2\xa0"'),
    with_text("source", b'"\x7f"'),
    with_text("source", b'"\xc2\x9f"'),
    with_text("region", b'"US\\u000a"'),
    with_text("region", b'"\xef\xbc\xb5\xef\xbc\xb3"'),
    value(action="remove", added_at=WHOLE["occurred_at"]),
    value(action="remove", added_at="2026-01-01T00:00:00.001Z"),
    with_text("__class__", b"1"),
    with_text("model_config", b"1"),
]


@pytest.mark.parametrize("topic", ["views", "likes"])
@pytest.mark.parametrize("record", NASTY, ids=range(len(NASTY)))
def test_nasty_records(record: bytes, topic: Topic) -> None:
    check(record, topic)


place_fields = st.sampled_from(
    ["type", "partition", "offset", "timestamp", "occurred_at", "added_at", "more"]
)
place_texts = scalars | st.sampled_from(
    [b'"view"', b'"like"', b'"views"', b"9223372036854775807", b"9223372036854775808"]
)


@settings(max_examples=300)
@given(st.lists(st.tuples(place_fields, place_texts), max_size=4), st.sampled_from([b'"view"', b'"like"']))
def test_lines_read_fast_are_what_they_are_read_carefully(
    changes: list[tuple[str, bytes]], kind: bytes
) -> None:
    line = (
        dump(WHOLE)[:-1]
        + b',"type":'
        + kind
        + b"".join(b',"%s":%s' % (f.encode(), t) for f, t in changes)
        + b"}"
    )
    fast = decoding._line_fast(line)
    careful = decoding._line_carefully(line)
    assert fast is None or fast == careful
    assert decode_line(line) == careful


def test_the_fast_path_takes_what_producers_usually_send() -> None:
    usual = [
        value(),
        value(watch_ms=15_000, source="for_you", paid=True, campaign_id="acme"),
        value(event_id="ünïcode-😀"),
        value(occurred_at="2026-01-01T00:00:00Z"),
        value(action="remove", added_at=WHOLE["occurred_at"]),
        value(device={"os": "a", "screens": [1, 2]}, type="like"),
        b" " + value() + b"\n",
    ]
    assert all(isinstance(decode_fast(record, "likes"), Event) for record in usual)


SOME = [
    *(value(creator_id=creator) for creator in ("ada", "bob", "eve", "Zo\u00eb")),
    value(action="remove"),
    value(occurred_at="2026-01-01T00:00:00Z"),
    value(device={"screen": {"a": 1}}),
    value(note="a { in a text"),
    value(note=[1]),
    with_text("more", b'{"a":' * 33 + b"1" + b"}" * 33),
    b"1",
    b"{}",
    None,
]


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(SOME), st.integers(1, 40)), max_size=6), st.integers(1, 5), st.data()
)
@example([(SOME[0], 70), (SOME[4], 1), (SOME[1], 70)], 1, None)
@example([(with_text("more", b'{"a":' * 33 + b"1" + b"}" * 33), 1), (b"1", 33)], 1, None)
def test_a_whole_chunk_is_decoded_like_each_of_its_records(
    runs: list[tuple[bytes | None, int]], partitions: int, data: st.DataObject | None
) -> None:
    """Whatever stands beside it: one that is not plain, one that lends others its braces, one of elsewhere."""
    partition = 0 if data is None else data.draw(st.integers(0, partitions - 1))
    records = [record for record, times in runs for _ in range(times)]
    decoder = Decoder("likes", partition, partitions)
    for _ in range(2):  # creators that were met before, and not
        assert decoder.decode(records) == [decode(each, "likes", partition, partitions) for each in records]


def test_an_oversized_record_in_a_chunk_is_too_large() -> None:
    records = [value(), value(note="x" * 65_536), value()]
    codes = [each.code for each in Decoder("likes", 0, 1).decode(records) if isinstance(each, Rejection)]
    assert codes == ["too_large"]
