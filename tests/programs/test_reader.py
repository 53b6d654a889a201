from decimal import Decimal

import pytest

from stream.programs.reader import MAX_BYTES, MAX_DEPTH, MAX_UNREADABLE, Value, read

NOT_HERE = "mapping values are not allowed here"
TWO_COLONS = "(a second colon in one line: put a mapping in braces, a text in quotes)"
GOES_ON = "(is a blank missing after the colon of the line before, or is this line indented too far?)"


def value_of(text: str) -> Value:
    (document,) = read("a.yaml", text.encode()).documents
    assert document.mistakes == {}
    return document.value


def lines_of(content: bytes) -> list[str]:
    reading = read("a.yaml", content)
    inside = [mistake for document in reading.documents for mistake in document.mistakes.values()]
    return [str(mistake) for mistake in [*inside, *reading.mistakes]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("1000", 1000),
        ("-3", -3),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.50", Decimal("1.50")),
        ("0.1", Decimal("0.1")),
        ("1e3", Decimal("1e3")),
        (".5", Decimal("0.5")),
        ("5.", Decimal("5")),
        (".", "."),
        (".inf", ".inf"),
        ("1e99999", "1e99999"),
        ("9" * 41, "9" * 41),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("'1000'", "1000"),
        ('"true"', "true"),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says_and_numbers_keep_their_digits(text: str, value: Value) -> None:
    found = value_of(f"key: {text}")

    assert found == {"key": value}
    assert repr(found) == repr({"key": value})


def test_a_file_holds_several_documents_and_empty_ones_are_passed_over() -> None:
    reading = read("a.yaml", b"---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n")

    assert [{"a": 1}, {"b": 2}] == [document.value for document in reading.documents]


def test_each_part_knows_its_line() -> None:
    (document,) = read("a.yaml", b"\na:\n  - b: 1\n    c:\n      2\n  - 3\n").documents

    lines = {path: place.line for path, place in document.places.items()}
    assert lines == {(): 2, ("a",): 2, ("a", 0): 3, ("a", 0, "b"): 3, ("a", 0, "c"): 4, ("a", 1): 6}


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert {"a": 1} == value_of("\ufeffa: 1")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a: 1\nb: 2\na: 3", ["a.yaml:3: a: the key is there twice, first in line 1"]),
        (b"a: &x 1", ["a.yaml:1: a: expected no anchor, found &x"]),
        (
            b"a: &x 1\nb: *x",
            [
                "a.yaml:1: a: expected no anchor, found &x",
                "a.yaml:2: b: expected the value itself, found an alias",
            ],
        ),
        (
            b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
            [
                "a.yaml:1: a: expected no anchor, found &a",
                "a.yaml:2: b: expected no anchor, found &b",
                *(f"a.yaml:2: b[{at}]: expected the value itself, found an alias" for at in (0, 1)),
                *(f"a.yaml:3: c[{at}]: expected the value itself, found an alias" for at in (0, 1)),
            ],
        ),
        (b"a: !!str 1", ['a.yaml:1: a: expected no tag, found "tag:yaml.org,2002:str"']),
        (
            b"a: !!python/object/apply:os.system [id]",
            ['a.yaml:1: a: expected no tag, found "tag:yaml.org,2002:python/object/apply:os.system"'],
        ),
        (b'a: "\\ud800"', ["a.yaml:1: a: expected the character itself, found half of a surrogate pair"]),
        (b"? [a]\n: 1", ["a.yaml:1: expected a plain word as a key"]),
        (
            b"a:\n\t- 1",
            [r"a.yaml:2: not YAML: found character '\t' that cannot start any token (indent with spaces)"],
        ),
        (b"a:b\nc: 1", [f"a.yaml:2: not YAML: {NOT_HERE} {GOES_ON}"]),
        (b"a: b\n  c: 1", [f"a.yaml:2: not YAML: {NOT_HERE} {GOES_ON}"]),
        (
            b"a: b: c",
            [f"a.yaml:1: not YAML: {NOT_HERE} {TWO_COLONS}"],
        ),
        (
            b"a: 1\nb:2\nc: 3",
            ["a.yaml:3: not YAML: could not find expected ':' (line 2 has no colon with a blank after it)"],
        ),
        (b"a: [1", ["a.yaml:1: not YAML: expected ',' or ']', but got '<stream end>'"]),
        (b"a: 1\nb: \xff", ["a.yaml:2: expected UTF-8 text"]),
        (b"a: 1\nb: \x00", ["a.yaml:2: not YAML: the character U+0000 is not allowed"]),
        (b'a: "\\UFFFFFFFF"', ["a.yaml:1: not YAML: a number in an escape or a directive is out of range"]),
        (b"#" * (MAX_BYTES + 1), [f"a.yaml:1: expected a file of at most {MAX_BYTES} bytes"]),
        (b"[" * (MAX_DEPTH + 2), [f"a.yaml:1: expected at most {MAX_DEPTH} levels of nesting"]),
        (b"- " * 100_000, [f"a.yaml:1: expected at most {MAX_DEPTH} levels of nesting"]),
    ],
)
def test_what_hides_something_or_is_no_yaml_is_told_with_its_line(content: bytes, lines: list[str]) -> None:
    assert lines == lines_of(content)


def test_documents_before_an_unreadable_one_are_still_read() -> None:
    reading = read("a.yaml", b"a: 1\n---\n[")

    assert [{"a": 1}] == [document.value for document in reading.documents]
    assert 1 == len(reading.mistakes)


@pytest.mark.parametrize(
    ("content", "lines", "values"),
    [
        (
            b"a: [1\n---\nb: 2",
            ["a.yaml:2: not YAML: expected ',' or ']', but got '<document start>'"],
            [{"b": 2}],
        ),
        (b"a: 'x\n---\nb: 2", ["a.yaml:2: not YAML: found unexpected document separator"], [{"b": 2}]),
        (
            b"--- a: b\n---\nb: 2",
            [f"a.yaml:1: not YAML: {NOT_HERE} (begin a mapping in the line below)"],
            [{"b": 2}],
        ),
        (
            b"a: 1\n---\n]\n---\nb: 2\n---\n- }\n",
            ["a.yaml:3: not YAML: expected the node content, but found ']'", "a.yaml:7: not YAML: "],
            [{"a": 1}, {"b": 2}],
        ),
    ],
)
def test_a_document_that_is_no_yaml_hides_none_of_the_others(
    content: bytes, lines: list[str], values: list[Value]
) -> None:
    reading = read("a.yaml", content)
    assert values == [document.value for document in reading.documents]
    assert len(lines) == len(reading.mistakes)
    for line, mistake in zip(lines, reading.mistakes, strict=True):
        assert str(mistake).startswith(line)


def test_a_file_that_is_no_yaml_anywhere_is_left_after_some_documents() -> None:
    assert MAX_UNREADABLE == len(read("a.yaml", b"]\n---\n" * 1_000).mistakes)
