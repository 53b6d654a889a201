"""Editions: equal by their documents, remembered by their digests."""

from hypothesis import given
from hypothesis import strategies as st

from stream.rulebook.edition import (
    EMPTY,
    MOST_REMEMBERED,
    Difference,
    Edition,
    by_program,
    difference,
    digest,
)


def document(program: str, version: int = 1) -> str:
    """What editions look at of a document."""
    return f'{{"program":"{program}","version":{version}}}'


A, B = document("a"), document("b")
NEWER_A = document("a", 2)

sets_of_documents = st.lists(st.builds(document, st.sampled_from("abc"), st.integers(1, 3)), unique=True).map(
    sorted
)


@given(sets_of_documents, sets_of_documents)
def test_equal_documents_have_equal_digests_and_others_do_not(some: list[str], others: list[str]) -> None:
    assert (digest(some) == digest(others)) == (some == others)
    assert Edition(1, by_program(some)).digest == digest(some)


@given(sets_of_documents)
def test_documents_of_an_edition_stand_by_programme_and_version(documents: list[str]) -> None:
    assert tuple(documents) == Edition(1, by_program(documents)).documents


@given(st.lists(sets_of_documents, min_size=1, max_size=6))
def test_a_folder_is_out_of_date_where_it_was_in_force_and_is_not_now(history: list[list[str]]) -> None:
    edition = EMPTY
    for documents in history:
        edition = succeeded(edition, documents)
    for documents in history:
        assert edition.was_replaced(documents) == (documents != history[-1])
    assert not edition.was_replaced([document("d")])


def test_what_comes_back_is_remembered_once_and_as_the_latest() -> None:
    edition = EMPTY
    for documents in ([A], [B], [A], [B]):
        edition = succeeded(edition, documents)
    assert (EMPTY.digest, digest([A]), digest([B])) == edition.remembered()


def test_the_oldest_editions_are_forgotten() -> None:
    edition = EMPTY
    for version in range(1, MOST_REMEMBERED + 3):
        edition = succeeded(edition, [document("a", version)])
    assert MOST_REMEMBERED == len(edition.former)
    assert [False, True] == [edition.was_replaced([document("a", version)]) for version in (1, 2)]


def test_a_difference_tells_what_is_published_what_ends_and_what_stays() -> None:
    edition = Edition(1, by_program([A, B]))
    assert Difference(("a", "c"), ("b",), ()) == difference(edition, [A, NEWER_A, document("c")])
    assert Difference(("a",), (), ("b",)) == difference(edition, [NEWER_A, B])


@given(sets_of_documents)
def test_there_is_no_difference_to_the_same_documents(documents: list[str]) -> None:
    assert not difference(Edition(1, by_program(documents)), documents)


@given(sets_of_documents, sets_of_documents)
def test_every_programme_is_told_once(some: list[str], others: list[str]) -> None:
    found = difference(Edition(1, by_program(some)), others)
    told = [*found.published, *found.ended, *found.unchanged]
    assert sorted(told) == sorted(by_program(some).keys() | by_program(others).keys())
    assert bool(found) == (some != others)


def succeeded(edition: Edition, documents: list[str]) -> Edition:
    return Edition(edition.number + 1, by_program(documents), edition.remembered())
