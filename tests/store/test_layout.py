"""Which key holds what, and what a delta does to which key."""

from itertools import chain

import pytest

from stream.errors import InputError
from stream.store.checkpoint import Delta, IdBatch
from stream.store.layout import (
    BUCKET_MS,
    EDIT_ARGUMENTS,
    Layout,
    decode_buckets,
    edits_of,
    encode_buckets,
)

LAYOUT = Layout("bonus", 7)
NOTHING: frozenset[tuple[str, int]] = frozenset()


def hash_tag(key: str) -> str:
    """What Redis Cluster hashes: what stands between the first brace and the next closing one."""
    start = key.index("{")
    return key[start + 1 : key.index("}", start)]


def delta(
    subjects: dict[str, dict[str, int | None]] | None = None,
    ids: list[IdBatch] | None = None,
    floors: dict[str, int] | None = None,
    due: dict[str, int | None] | None = None,
) -> Delta:
    return Delta(subjects or {}, ids or [], floors or {}, b"", due or {})


def test_keys_are_those_that_are_written_down() -> None:
    """The names that operators see with redis-cli."""
    assert LAYOUT.meta == "{bonus:7}:meta"
    assert LAYOUT.subject("c:alice") == "{bonus:7}:s:c:alice"
    assert LAYOUT.due == "{bonus:7}:due"
    assert LAYOUT.ids(("views", 2_833_333)) == "{bonus:7}:ids:views:2833333"


@pytest.mark.parametrize("subject", ["{other:1}", "}{", "{}", "a{b}c", "}", "{", ""])
def test_a_partition_lies_in_one_slot_whatever_subjects_are_called(subject: str) -> None:
    """Braces in a subject never make another hash tag."""
    assert hash_tag(LAYOUT.subject(subject)) == "bonus:7"


@pytest.mark.parametrize("app", ["", "a{b", "a}b", "a b", "a:b", "é", "x" * 129])
def test_a_name_that_would_break_the_hash_tag_is_refused(app: str) -> None:
    """One sentence that says what was expected."""
    with pytest.raises(InputError, match="expected 1 to 128 letters"):
        Layout(app, 0)


def test_what_grows_comes_before_what_shrinks() -> None:
    """A full Redis refuses a checkpoint before it has done any of it."""
    forgotten = ("views", 0)
    edits = edits_of(
        delta(
            {"a": {"x": None, "y": 1}, "b": {"z": 2}},
            [IdBatch("views", [(BUCKET_MS, ["e1"])])],
            {"views": BUCKET_MS},
            {"a": None, "b": 3_600_000},
        ),
        LAYOUT,
        12,
        frozenset({forgotten}),
    )
    assert list(zip(edits.keys, edits.commands, strict=True)) == [
        ("{bonus:7}:s:a", ["HSET", "y", "1"]),
        ("{bonus:7}:s:b", ["HSET", "z", "2"]),
        ("{bonus:7}:ids:views:1", ["HSET", "12", '[[600000,["e1"]]]']),
        ("{bonus:7}:due", ["ZADD", "3600000", "b"]),
        ("{bonus:7}:s:a", ["HDEL", "x"]),
        ("{bonus:7}:due", ["ZREM", "a"]),
        ("{bonus:7}:ids:views:0", ["UNLINK"]),
    ]
    assert edits.buckets == {("views", 1)}


def test_a_bucket_is_forgotten_once_all_of_it_lies_before_the_floor() -> None:
    """The floor itself is still remembered; another topic's floor changes nothing."""
    buckets = frozenset({("views", 0), ("likes", 0)})
    last_kept = edits_of(delta(floors={"views": BUCKET_MS - 1}), LAYOUT, 1, buckets)
    assert last_kept.buckets == buckets
    first_gone = edits_of(delta(floors={"views": BUCKET_MS}), LAYOUT, 1, buckets)
    assert first_gone.buckets == {("likes", 0)}
    assert first_gone.commands == [["UNLINK"]]


def test_ids_that_are_old_already_are_not_written() -> None:
    """A bucket that may be forgotten is not made."""
    edits = edits_of(
        delta(ids=[IdBatch("views", [(5, ["e"])])], floors={"views": BUCKET_MS}), LAYOUT, 1, NOTHING
    )
    assert (edits.keys, edits.buckets) == ([], frozenset())


def test_a_large_subject_is_cut_to_what_lua_takes_at_once() -> None:
    """No command has more arguments than Lua's stack, and no field is parted from its value."""
    fields: dict[str, int | None] = {f"f{number}": number for number in range(EDIT_ARGUMENTS)}
    gone: dict[str, int | None] = {f"g{number}": None for number in range(EDIT_ARGUMENTS + 1)}
    edits = edits_of(delta({"a": fields | gone}), LAYOUT, 1, NOTHING)
    sets = [command[1:] for command in edits.commands if command[0] == "HSET"]
    deletes = [command[1:] for command in edits.commands if command[0] == "HDEL"]
    assert [len(arguments) for arguments in sets] == [EDIT_ARGUMENTS, EDIT_ARGUMENTS]
    assert [len(arguments) for arguments in deletes] == [EDIT_ARGUMENTS, 1]
    assert list(chain(*sets)) == [text for name, value in fields.items() for text in (name, str(value))]
    assert list(chain(*deletes)) == list(gone)


def test_many_dues_are_cut_to_what_lua_takes_at_once() -> None:
    """No member is parted from its score."""
    due: dict[str, int | None] = {f"d{number}": number for number in range(EDIT_ARGUMENTS)}
    over: dict[str, int | None] = {f"o{number}": None for number in range(EDIT_ARGUMENTS + 1)}
    edits = edits_of(delta(due=due | over), LAYOUT, 1, NOTHING)
    assert set(edits.keys) == {LAYOUT.due}
    added = [command[1:] for command in edits.commands if command[0] == "ZADD"]
    ended = [command[1:] for command in edits.commands if command[0] == "ZREM"]
    assert [len(arguments) for arguments in added] == [EDIT_ARGUMENTS, EDIT_ARGUMENTS]
    assert [len(arguments) for arguments in ended] == [EDIT_ARGUMENTS, 1]
    assert list(chain(*added)) == [text for name, at in due.items() for text in (str(at), name)]
    assert list(chain(*ended)) == list(over)


def test_buckets_come_back_from_meta_as_they_went() -> None:
    """Also for arrivals before 1970, and for a topic with a prefix."""
    buckets = frozenset({("acme.views", 2_833_333), ("likes", -1)})
    assert decode_buckets(encode_buckets(buckets)) == buckets
