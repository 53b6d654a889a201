"""Event ids are remembered whatever they look like, and spread over dicts that don't fill up together."""

from hypothesis import given
from hypothesis import strategies as st

from stream.core.intake import Intake
from stream.core.rules import Limits

ids = st.lists(st.text(alphabet="ab0é漢😀", min_size=1, max_size=5))


@given(ids)
def test_an_id_is_new_once(drawn: list[str]) -> None:
    intake, known = Intake(Limits()), set[str]()
    intake.arrival = 0
    for event_id in drawn:
        assert intake.is_new(event_id) == (event_id not in known)
        known.add(event_id)


def test_ids_that_count_up_fill_one_dict_at_a_time() -> None:
    intake = Intake(Limits())
    intake.arrival = 0
    for number in range(100_000):
        intake.is_new(f"e-{number:08}")
    sizes = [len(each) for each in {id(each): each for each in intake.seen}.values()]
    assert sum(sizes) == 100_000
    assert len(set(sizes)) > len(sizes) // 4  # as many sizes, so as many moments at which one moves
    assert max(sizes) < sum(sizes) // 16
