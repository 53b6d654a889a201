from schemas.rejections import Origin, destination, headers
from stream.core.outcome import Rejection

REJECTION = Rejection("bad_value", "region must be ß.")
ORIGIN = Origin("acme.views", 3, 42)


def test_the_original_headers_come_first_and_as_they_were() -> None:
    original = [("trace", b"\x00\xff"), ("error", b"an older one"), ("trace", b"again")]
    assert original == headers(original, REJECTION, ORIGIN)[:3]


def test_the_headers_tell_code_sentence_and_origin_in_utf8() -> None:
    expected = [
        ("error", b"bad_value"),
        ("error_detail", "region must be ß.".encode()),
        ("origin", b"acme.views/3/42"),
    ]
    assert expected == headers([], REJECTION, ORIGIN)


def test_a_value_that_was_cut_tells_its_length() -> None:
    assert ("truncated", b"1048577") == headers([], REJECTION, ORIGIN, truncated=1_048_577)[-1]


def test_only_late_records_go_to_late() -> None:
    assert destination("late") == "late"
    assert destination("clock_error") == "rejected"
