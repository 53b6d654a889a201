import pytest

from schemas.strict_json import NotJson, parse


def nested(levels: int) -> bytes:
    """``levels`` arrays in one another."""
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (
            b' \t\r\n{"a": [1, -0, 1.5, 1e3, true, null, "\\u00e9\\n"]} \n',
            {"a": [1, 0, 1.5, 1e3, True, None, "é\n"]},
        ),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\x7f"', "\x7f"),
        (b"1e999", float("inf")),
    ],
)
def test_json_is_read_as_rfc_8259_says(value: bytes, document: object) -> None:
    assert document == parse(value)


@pytest.mark.parametrize(
    "value",
    [
        b" ",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\xff"}',
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        b'"\xf4\x90\x80\x80"',
        b"NaN",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b"nan",
        b"{} {}",
        b"{}\x00",
        b"{}\x0c",
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1,}',
        b"[1,]",
        b'{"a" 1}',
        b'{"a":1',
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"-",
        b"1e",
        b"0x1",
        b"1_0",
        b'"\x1f"',
        b'"\n"',
        b'"\\x41"',
        b'"\\u12"',
        b"// no\n1",
        b"True",
    ],
)
def test_what_is_not_json_by_rfc_8259_is_refused(value: bytes) -> None:
    with pytest.raises(NotJson):
        parse(value)


@pytest.mark.parametrize(
    "value",
    [
        b'"\\ud800"',
        b'"\\uDFFF"',
        b'"\\ud800\\u0041"',
        b'"\\ud800x\\udc00"',
        b'"\\udc00\\ud800"',
        b'"\\\\\\ud800"',
        b'{"\\ud800":1}',
        b'{"a":{"b":["\\udabc"]}}',
        b'{"a":"\\ud800","a":"the last wins, and yet"}',
    ],
)
def test_a_surrogate_without_its_pair_is_refused_wherever_it_is(value: bytes) -> None:
    with pytest.raises(NotJson, match="has no pair"):
        parse(value)


def test_32_levels_within_the_event_are_accepted() -> None:
    parse(b'{"a":%s}' % nested(32))


@pytest.mark.parametrize("levels", [33, 1_000, 30_000])
def test_deeper_nesting_is_refused_cleanly(levels: int) -> None:
    with pytest.raises(NotJson, match="nested deeper"):
        parse(b'{"a":%s}' % nested(levels))


def test_brackets_in_strings_and_side_by_side_are_no_nesting() -> None:
    parse(b'{"a":"%s\\"[","b":[%s{}]}' % (b"[{" * 1_000, b"[],{}," * 1_000))


def test_an_integer_of_any_length_is_json() -> None:
    document = parse(b"9" * 60_000)
    assert isinstance(document, int)
    assert document > 10**30


@pytest.mark.parametrize("value", [b'"\\"' * 20_000, b'"' + b"\\" * 60_001, b"[" * 60_000 + b'"'])
def test_a_string_without_an_end_takes_linear_time(value: bytes) -> None:
    with pytest.raises(NotJson):
        parse(b"[" * 40 + b"]" * 40 + value)
