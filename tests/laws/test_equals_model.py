"""The engine awards exactly what the brute-force model awards, with every field of every bonus."""

from itertools import product

from hypothesis import given

from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS
from stream.core.starts import count_starts
from tests.laws.engine import run
from tests.model import bonuses, count_start, verdicts
from tests.strategies import Case, cases, interleaved, seeds


@given(cases())
def test_the_engine_awards_what_the_model_awards(case: Case) -> None:
    assert run(case, case.records) == bonuses(case.programs, case.records, case.limits)


@given(cases(), seeds)
def test_so_it_does_in_whatever_order_the_topics_are_read(case: Case, seed: int) -> None:
    records = interleaved(case.records, seed)
    assert run(case, records) == bonuses(case.programs, records, case.limits)


@given(cases())
def test_each_record_is_accepted_or_turned_away_as_the_model_says(case: Case) -> None:
    partition = Partition(0, Plan(case.programs), case.limits)
    codes = []
    for record in case.records:
        outcome = partition.apply(record.topic, [record.offset], [record.timestamp], [record.decoded])
        if outcome.turned_away:
            ((index, rejection),) = outcome.turned_away
            assert (index, outcome.accepted, outcome.duplicates) == (0, 0, 0)
            codes.append(rejection.code)
        else:
            assert outcome.accepted + outcome.duplicates == 1
            codes.append("accepted" if outcome.accepted else "duplicate")
    assert codes == [verdict.code for verdict in verdicts(case.records, case.limits)]


@given(cases())
def test_each_count_starts_when_the_model_says(case: Case) -> None:
    for program in case.programs:
        starts = count_starts(program)
        for index in range(len(program.versions)):
            for topic, region in product(TOPICS, ("US", "GB", "DE")):
                assert starts[index, topic, region].at_ms == count_start(program, index, topic, region)
