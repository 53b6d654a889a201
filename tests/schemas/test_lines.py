import pytest

from schemas.decode import NO_TIMESTAMP, Line, decode_line
from schemas.events import Event
from stream.core.outcome import Rejection
from tests.schemas.records import WHOLE, dump, value, with_text, without

OCCURRED_AT = 1_767_225_600_000


def placed(line: bytes) -> Line:
    read = decode_line(line)
    assert isinstance(read, Line), read
    return read


def code(line: bytes) -> str:
    read = decode_line(line)
    assert isinstance(read, Rejection), read
    return read.code


@pytest.mark.parametrize(
    ("kind", "topic"), [("view", "views"), ("like", "likes"), ("share", "shares"), ("comment", "comments")]
)
def test_the_type_decides_the_topic(kind: str, topic: str) -> None:
    assert placed(value(type=kind)).topic == topic


@pytest.mark.parametrize("unusual", ["", "\\"])
def test_the_place_has_defaults(unusual: str) -> None:
    line = placed(value(type="view", note=unusual))
    assert line == ("views", 0, None, OCCURRED_AT, Event(**WHOLE))  # type: ignore[arg-type]


@pytest.mark.parametrize("unusual", ["", "\\"])
def test_the_place_is_what_the_line_says(unusual: str) -> None:
    line = placed(value(type="like", note=unusual, partition=7, offset=2**63 - 1, timestamp=5))
    assert (line.partition, line.offset, line.timestamp) == (7, 2**63 - 1, 5)
    assert placed(value(type="like", note=unusual, timestamp=-1)).timestamp == -1


def test_the_default_timestamp_is_the_time_in_ms_of_a_string_too() -> None:
    assert placed(value(type="view", occurred_at="2026-01-01T00:00:00.0001Z")).timestamp == OCCURRED_AT


def test_the_partition_is_not_checked_against_the_creator() -> None:
    assert all(isinstance(placed(value(type="view", partition=p)).event, Event) for p in range(20))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_lines_end_is_no_part_of_it(end: bytes) -> None:
    assert placed(value(type="view") + end) == placed(value(type="view"))
    room = 65_536 - len(value(type="view", note=""))
    placed(value(type="view", note="x" * room) + end)
    assert code(value(type="view", note="x" * (room + 1)) + end) == "too_large"
    assert code(end) == "empty"


def test_a_line_whose_event_is_wrong_keeps_its_place_and_time() -> None:
    line = placed(value(type="view", event_id="", partition=3, offset=9))
    assert line[:4] == ("views", 3, 9, OCCURRED_AT)
    assert isinstance(line.event, Rejection)
    assert line.event.code == "bad_value"


def test_a_line_without_any_valid_time_moves_no_clock() -> None:
    assert placed(without("occurred_at", type="view")).timestamp == NO_TIMESTAMP
    assert placed(value(type="view", occurred_at="soon")).timestamp == NO_TIMESTAMP
    assert placed(value(type="view", occurred_at="soon", timestamp=8)).timestamp == 8


def test_a_remove_of_a_view_is_a_bad_value() -> None:
    event = placed(value(type="view", action="remove")).event
    assert isinstance(event, Rejection)
    assert event.code == "bad_value"
    assert isinstance(placed(value(type="like", action="remove")).event, Event)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (value(), "missing_field"),
        (without("event_id", type=5), "missing_field"),
        (value(type=None), "wrong_type"),
        (value(type="views"), "bad_value"),
        (value(type="view", partition=-1), "bad_value"),
        (value(type="view", partition=2**31), "bad_value"),
        (value(type="view", offset=2**63), "bad_value"),
        (value(type="view", offset=-1), "bad_value"),
        (value(type="view", timestamp=-2), "bad_value"),
        (value(type="view", partition=None), "wrong_type"),
        (value(type="view", offset=None), "wrong_type"),
        (value(type="view", timestamp=None), "wrong_type"),
        (value(type="view", offset="1"), "wrong_type"),
        (value(type="view", timestamp="2026-01-01T00:00:00Z"), "wrong_type"),
        (with_text("partition", b"1.0"), "missing_field"),
        (dump(WHOLE | {"type": "view", "partition": True, "event_id": ""}), "wrong_type"),
        (b"[1]", "not_object"),
        (b"# a comment", "not_json"),
    ],
)
def test_a_line_whose_place_cannot_be_told_is_rejected_as_a_whole(line: bytes, expected: str) -> None:
    assert code(line) == expected
