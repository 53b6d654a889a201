"""Records of the topic `programs`: what they show, and that they are read as they were written."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import instant_ms
from schemas.rulebook import decode, editions_before, encode, shown
from stream.errors import InputError
from tests.rulebook.written import dated, document

FIRST = dated(1, None, "2026-02-01T00:00:00Z")
SECOND = dated(2, "2026-03-01T01:00:00+01:00")


@pytest.mark.parametrize(
    ("now", "version"),
    [
        ("1970-01-01T00:00:00Z", 1),
        ("2026-01-31T23:59:59.999Z", 1),
        ("2026-02-01T00:00:00Z", None),  # ended, and the next has not begun
        ("2026-02-28T23:59:59.999Z", None),
        ("2026-03-01T00:00:00Z", 2),
        ("2030-01-01T00:00:00Z", 2),
    ],
)
def test_the_version_in_force_is_the_one_whose_dates_hold_the_present(now: str, version: int | None) -> None:
    found = shown(encode("p", [FIRST, SECOND], at(now)))
    assert version == found.version
    assert version == (found.document and found.document.version)
    assert [1, 2] == [each.version for each in found.versions]


def test_an_open_end_ends_where_the_next_version_starts_whatever_the_numbers() -> None:
    later = [dated(1, "2026-03-01T00:00:00Z"), dated(2, "2026-01-01T00:00:00Z"), dated(3, None)]
    for now, version in [
        ("2025-01-01T00:00:00Z", 3),
        ("2026-02-01T00:00:00Z", 2),
        ("2026-03-01T00:00:00Z", 1),
    ]:
        assert version == json.loads(encode("p", later, at(now)))["version"]


def test_a_date_in_any_spelling_of_rfc_3339_is_understood() -> None:
    written = dated(7, "2016-12-31t23:59:60.1234567890z")
    assert None is json.loads(encode("p", [written], at("2016-12-31T23:59:59Z")))["version"]
    assert 7 == json.loads(encode("p", [written], at("2017-01-01T00:00:01Z")))["version"]


def test_documents_come_back_to_the_letter() -> None:
    """Also decimals that a float would not hold, and other scripts."""
    tier = {"name": "t", "when": {"watch_hours": Decimal("0.100000000000000001")}}
    reward = {"reward": {"amount": "0.10", "currency": "USD"}}
    documents = [document(version=1, tiers=[tier | reward], campaigns=["été-🎬"]), document(version=2)]
    assert documents == decode(b"p", encode("p", documents, 0))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True), st.integers(0, 2**41))
def test_documents_come_back_whatever_is_in_force(versions: list[int], now_ms: int) -> None:
    documents = [dated(version, f"20{version:02}-01-01T00:00:00Z") for version in sorted(versions)]
    assert documents == decode(b"p", encode("p", documents, now_ms))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"p", b""),
        (b"p", b"{}"),
        (b"p", b"\xff"),
        (b"p", b'{"program": "p", "versions": []}'),
        (b"p", b'{"program": "p", "versions": [{"program": "p"}]}'),
        (b"p", b'{"program": "p", "versions": ["p"]}'),
        (b"q", encode("p", [FIRST], 0)),
        (b"p", encode("p", [document("q")], 0)),
        (b"\xff", encode("p", [FIRST], 0)),
        (None, encode("p", [FIRST], 0)),
    ],
)
def test_a_foreign_record_is_refused_in_a_sentence(key: bytes | None, value: bytes) -> None:
    with pytest.raises(InputError, match=r"^The record is not one of programmes in force: .*\.$"):
        decode(key, value)


def test_the_header_names_former_editions() -> None:
    assert ("a", "b") == editions_before([("other", b"x"), ("editions", b"a,b")])
    assert None is editions_before([])
    assert None is editions_before([("editions", b"")])


def at(written: str) -> int:
    unix_ms = instant_ms(written)
    assert unix_ms is not None
    return unix_ms
