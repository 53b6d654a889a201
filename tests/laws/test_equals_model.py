"""The engine awards exactly what the brute-force model awards, with every field of every bonus."""

from hypothesis import given
from hypothesis import strategies as st

from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Program
from tests.laws.engine import run
from tests.model import Record, bonuses, verdicts
from tests.strategies import LIMITS, anchors, interleaved, logs, program_sets


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Program], list[Record]]:
    """Programmes and a log around the same anchor."""
    anchor = draw(anchors)
    return draw(program_sets(anchor)), draw(logs(anchor))


@given(cases())
def test_the_engine_awards_what_the_model_awards(case: tuple[list[Program], list[Record]]) -> None:
    programs, records = case
    assert run(programs, records, LIMITS) == bonuses(programs, records, LIMITS)


@given(cases(), st.integers(0, 1_000))
def test_so_it_does_whatever_the_order_in_which_topics_are_read(
    case: tuple[list[Program], list[Record]], seed: int
) -> None:
    programs, appended = case
    records = interleaved(appended, seed)
    assert run(programs, records, LIMITS) == bonuses(programs, records, LIMITS)


@given(cases())
def test_each_record_is_accepted_or_turned_away_as_the_model_says(
    case: tuple[list[Program], list[Record]],
) -> None:
    programs, records = case
    partition = Partition(0, Plan(programs), LIMITS)
    codes = []
    for record in records:
        outcome = partition.apply(record.topic, [record.offset], [record.timestamp], [record.decoded])
        if outcome.turned_away:
            ((index, rejection),) = outcome.turned_away
            assert (index, outcome.accepted, outcome.duplicates) == (0, 0, 0)
            codes.append(rejection.code)
        else:
            assert outcome.accepted + outcome.duplicates == 1
            codes.append("accepted" if outcome.accepted else "duplicate")
    assert codes == [verdict.code for verdict in verdicts(records, LIMITS)]
