"""What holds for any text, and for any good document."""

import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import InputError
from stream.programs import changed, compile_documents, load
from stream.programs.reader import MAX_BYTES

EXAMPLES = Path(__file__).parents[2] / "examples" / "programs"
VOCABULARY = (
    "program version effective from until count_from regions campaigns subject window rolling step tumbling calendar "
    "lifetime count views at_most tiers name when all any watch_hours reward amount currency award once_per timezone "
    "24h 1m US creator once true null 1 0.5 1e3 2026-01-01T00:00:00Z <rolling> <word> !!str &a *a << ? | > %YAML"
)
MARKS = [
    "\n",
    "\n  ",
    "\n- ",
    "---\n",
    ": ",
    " ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    '"',
    "'",
    "#",
    "\t",
    "\\U",
    "\ufeff",
]

units = st.sampled_from("smhd")
instants = st.integers(0, 99).map(lambda year: f"20{year:02}-06-01T00:00:00Z")
natural = st.integers(1, 2**63 - 1)
hours = st.one_of(
    st.integers(1, 10**12),
    st.decimals(min_value="0.000001", max_value=10**6, places=6),
    st.decimals(min_value="0.000001", max_value=10**6, places=6).map(lambda value: f"{value:f}"),
)
metrics = st.fixed_dictionaries(
    {},
    optional={
        "views": natural,
        "likes": natural,
        "shares": natural,
        "comments": natural,
        "watch_hours": hours,
    },
).filter(bool)
conditions = st.recursive(
    metrics,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={"views": natural, "all": st.lists(inner, min_size=1), "any": st.lists(inner, min_size=1)},
    ).filter(bool),
    max_leaves=8,
)
periods = st.sampled_from(["day", "week", "month"])
zones = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
windows_and_awards = st.one_of(
    st.tuples(
        st.fixed_dictionaries(
            {"rolling": st.sampled_from(["100s", "24h", "28d"])}, optional={"step": st.just("10s")}
        ).filter(lambda window: window != {"rolling": "28d", "step": "10s"}),
        st.one_of(
            st.just("once"), st.fixed_dictionaries({"once_per": periods}, optional={"timezone": zones})
        ),
    ),
    st.tuples(
        st.one_of(
            st.builds(lambda number, unit: {"tumbling": f"{number}{unit}"}, st.integers(1, 400), units),
            st.fixed_dictionaries({"calendar": periods}, optional={"timezone": zones}),
        ),
        st.sampled_from(["once", "once_per_window"]),
    ),
    st.just(({"lifetime": True}, "once")),
)
line = {
    "sources": st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64), min_size=1
    ),
    "paid": st.booleans(),
    "exclude_self": st.booleans(),
    "at_most": st.fixed_dictionaries(
        {"per_viewer": st.integers(1, 9)},
        optional={"of": st.sampled_from(["creator", "video"]), "per": periods, "timezone": zones},
    ),
}
counts = st.fixed_dictionaries(
    {},
    optional={
        "views": st.fixed_dictionaries(
            {}, optional={**line, "min_watch": st.sampled_from(["0s", "60s", "1m"])}
        ),
        "likes": st.fixed_dictionaries({}, optional=line),
    },
)
rewards = st.fixed_dictionaries(
    {"amount": st.sampled_from(["0", "5.00", "0.125"]), "currency": st.just("USD")}
)


@st.composite
def programmes(draw: st.DrawFn) -> list[dict[str, object]]:
    """The documents of one programme, its versions in force one after another."""
    subject = draw(st.sampled_from(["creator", "video"]))
    window, award = draw(windows_and_awards)
    starts = sorted(draw(st.lists(instants, min_size=1, max_size=3, unique=True)))
    return [
        {
            "program": "drawn",
            "version": len(starts) - index,
            "effective": {"from": start} if index else {},
            "regions": draw(
                st.one_of(st.just("all"), st.lists(st.sampled_from(["US", "NO", "GB"]), min_size=1))
            ),
            "subject": subject,
            "window": window,
            "award": award,
            "count": draw(counts),
            "tiers": [{"name": f"t{n}", "when": draw(conditions), "reward": draw(rewards)} for n in range(2)],
        }
        for index, start in enumerate(starts)
    ]


def load_bytes(content: bytes) -> list[str]:
    """The canonical documents of a folder with this one file; none where it is refused, in printable lines."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "a.yaml").write_bytes(content)
        try:
            return list(load(Path(name)).documents)
        except InputError as error:
            lines = str(error).split("\n")
    assert all(line.isprintable() and line for line in lines)
    return []


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_any_bytes_whatever_are_loaded_or_refused_in_plain_lines(content: bytes) -> None:
    load_bytes(content)


@given(st.lists(st.sampled_from([*VOCABULARY.split(), *MARKS]), max_size=60).map("".join))
def test_any_jumble_of_the_languages_own_words_is_loaded_or_refused_in_plain_lines(text: str) -> None:
    load_bytes(text.encode())


@given(
    st.sampled_from([path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))]),
    st.integers(0, 1500),
    st.integers(0, 30),
    st.one_of(st.text(max_size=5), st.sampled_from([*VOCABULARY.split(), *MARKS])),
)
def test_a_good_file_with_a_slip_is_loaded_or_refused_in_plain_lines(
    text: str, at: int, cut: int, slip: str
) -> None:
    load_bytes((text[:at] + slip + text[at + cut :]).encode("utf-8", "surrogatepass"))


@given(programmes())
def test_a_good_document_loads_from_yaml_and_from_its_canonical_json_alike(
    documents: list[dict[str, object]],
) -> None:
    encoder = msgspec.json.Encoder(decimal_format="number")
    # JSON is YAML but for its line separators, which YAML folds
    text = b"\n---\n".join(map(encoder.encode, documents)).decode()
    first = load_bytes(
        text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085").encode()
    )

    assert len(documents) == len(first)
    again = load_bytes("\n---\n".join(first).encode())
    assert first == again
    assert compile_documents(first) == compile_documents(list(reversed(first)))
    assert [] == changed(first, again)


@pytest.mark.parametrize(
    "part",
    [
        "- ",
        "[",
        "{a: ",
        "? ",
        "a: ",
        "&a [*a, ",
        "!!str ",
        '"',
        "|\n ",
        "x: 1\n",
        "x: [1, 2]\n",
        "tiers: [{}]\n---\n",
    ],
)
def test_no_file_within_the_size_limit_takes_long(part: str) -> None:
    content = (part * MAX_BYTES)[:MAX_BYTES].encode()
    started = time.process_time()
    load_bytes(content)

    assert time.process_time() - started < 30
