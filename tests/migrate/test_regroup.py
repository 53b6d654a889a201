"""Which partitions' state goes where."""

from itertools import product

import pytest

from schemas.placement import partition_of
from stream.core.subject import subject_key
from stream.migrate.regroup import by_target, latest, pieces, sources
from stream.store.checkpoint import IdBatch

CREATORS = [f"creator-{number}" for number in range(2_000)]


@pytest.mark.parametrize(("before", "after"), [*product([1, 2, 3, 4, 6, 8], repeat=2)])
def test_every_creator_comes_from_one_of_the_sources(before: int, after: int) -> None:
    """And each source has some that it is needed for."""
    found: dict[int, set[int]] = {}
    for creator in CREATORS:
        found.setdefault(partition_of(creator, after), set()).add(partition_of(creator, before))
    assert {target: sorted(numbers) for target, numbers in found.items()} == {
        target: sources(target, before, after) for target in range(after)
    }


def test_as_many_partitions_as_before_stay_what_they_are() -> None:
    """Nothing comes together that was apart."""
    assert [[number] for number in range(5)] == [sources(number, 5, 5) for number in range(5)]


def test_videos_and_places_go_with_their_creator() -> None:
    """Whatever follows the creator in a key, and whatever the ids look like."""
    for creator in (*CREATORS[:50], "ü", "a:b", "{x}", "!", " "):
        video = subject_key(creator, "v:1")
        keys = [creator, video, *(f"{key}\x1e7f.US:19:ff" for key in (creator, video))]
        assert by_target(keys, 7) == {partition_of(creator, 7): keys}


def test_the_latest_arrival_counts() -> None:
    """By topic; one that nothing has arrived in stays so."""
    assert {"views": 9, "likes": 5, "shares": -1, "comments": -1} == latest(
        [{"views": 3, "likes": 5, "shares": -1}, {"views": 9, "likes": -1}]
    )


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_ids_in_pieces_are_the_same_ids(most: int) -> None:
    """In the same order; a piece is over once it holds so many."""
    batches = [
        IdBatch("views", [(1, ["a", "b"]), (2, ["c"]), (5, ["d", "e", "f"])]),
        IdBatch("likes", [(1, ["a"])]),
    ]
    found = list(pieces(batches, most))
    joined: dict[str, list[tuple[int, list[str]]]] = {}
    for piece in found:
        for batch in piece:
            joined.setdefault(batch.topic, []).extend(batch.arrivals)
    assert joined == {batch.topic: batch.arrivals for batch in batches}
    sizes = [sum(len(ids) for batch in piece for _, ids in batch.arrivals) for piece in found]
    assert all(size >= most for size in sizes[:-1])
    assert sum(sizes) == 7
