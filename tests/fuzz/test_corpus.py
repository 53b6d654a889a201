"""Every input that is kept keeps its promise, and so do inputs made from them by small changes."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import inputs, keep
from tests.fuzz.properties import TARGETS

MOST_CHANGES = 6
LONGEST_CUT = 24
PIECE = re.compile(rb"[\w.+-]+|\s+|[^\w\s]")
KEPT = [(target, name) for target in TARGETS for name in inputs(target)]
SPECIAL = [
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc2\x85",
    b"\\ud800",
    b"\\U0010ffff",
    b"9" * 50,
    b"\n",
]


@pytest.mark.parametrize(("target", "name"), KEPT)
def test_what_is_kept(target: str, name: str) -> None:
    TARGETS[target](inputs(target)[name])


@st.composite
def changed(draw: st.DrawFn, seeds: Sequence[bytes], pieces: Sequence[bytes]) -> bytes:
    """One of the ``seeds`` with a few cuts, in whose places ``pieces`` are put."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, MOST_CHANGES))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + LONGEST_CUT)))
        put = draw(st.sampled_from(pieces) | st.sampled_from(SPECIAL) | st.binary(max_size=3))
        text = text[:start] + put + text[end:]
    return text


def nearly_right(target: str) -> st.SearchStrategy[bytes]:
    """Kept inputs of a target, changed by pieces of each other."""
    seeds = list(inputs(target).values())
    return changed(seeds, sorted({piece for seed in seeds for piece in PIECE.findall(seed)}))


@given(nearly_right("records"))
def test_records_that_are_nearly_right(value: bytes) -> None:
    TARGETS["records"](value)


@given(nearly_right("lines"))
def test_lines_that_are_nearly_right(value: bytes) -> None:
    TARGETS["lines"](value)


@settings(max_examples=100)
@given(nearly_right("programs"))
def test_programmes_that_are_nearly_right(content: bytes) -> None:
    TARGETS["programs"](content)


def test_what_is_found_is_kept_under_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found twice, it is there once."""
    monkeypatch.setattr("tests.fuzz.corpus.FOLDER", tmp_path)
    (tmp_path / "records").mkdir()
    first, other = keep("records", b"x"), keep("records", b"y")
    assert keep("records", b"x") == first
    assert sorted(tmp_path.rglob("found-*")) == sorted([first, other])
