"""The laws of a partition that goes over to another plan: cut, written, read back as it is met.

What changes in one programme never shows in another, and what is loaded in time is as if it had always been known.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from stream.core.outcome import Bonus
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Lifetime, Limits, Once, Program, Rolling, Tumbling, Window
from stream.core.starts import Late, begun, shortened
from tests.builders import HOUR, SECOND, Log, program, tier, version
from tests.laws.engine import by_id
from tests.laws.store import Store
from tests.model import bonuses
from tests.strategies import Case, cases

Stage = tuple[int, Sequence[Program]]
"""After so many records, these programmes."""

WINDOW = Rolling(HOUR, SECOND)
places, seconds = st.integers(0, 14), st.integers(1, 90)


def run(case: Case, first: Sequence[Program], *stages: Stage) -> dict[str, Bonus]:
    """What is awarded where programmes change between records, each stage an edition of its own."""
    partition, store, found = Partition(0, Plan(first), case.limits, complete=False), Store(), list[Bonus]()
    due, late, ended, held = list(stages), dict[tuple[str, int], int](), dict[tuple[str, int], int](), first
    for place, record in enumerate(case.records):
        while due and due[0][0] <= place:
            programs = due.pop(0)[1]
            store.write(partition.cut(), 0)
            late = loaded(held, programs, late, partition, edition=len(stages) - len(due))
            ended |= {
                (program.name, version.number): len(stages) - len(due)
                for program in programs
                for version in shortened(
                    program, partition.plan.versions(program.name), counted_ms(partition)
                )
            }
            partition.judge_by(Plan(programs, late, ended))
            held = programs
        found += store.feed(partition, [record])
    return by_id(found)


def loaded(
    before: Sequence[Program], after: Sequence[Program], late: Late, partition: Partition, edition: int
) -> dict[tuple[str, int], int]:
    """The versions that were loaded late by now."""
    names = {program.name for program in after}
    known = {program.name: [version.number for version in program.versions] for program in before}
    return {at: since for at, since in late.items() if at[0] in names} | {
        (program.name, version.number): edition
        for program in after
        for version in begun(program, known.get(program.name, []), counted_ms(partition))
    }


def counted_ms(partition: Partition) -> int:
    """The last instant of which an event may have been read."""
    return partition.furthest() + partition.limits.allowed_skew_ms if partition.furthest() >= 0 else -2


def of(found: Mapping[str, Bonus], *programs: Program) -> dict[str, Bonus]:
    """The bonuses of these programmes."""
    names = {program.name for program in programs}
    return {bonus_id: bonus for bonus_id, bonus in found.items() if bonus.program in names}


@given(cases(), places, places)
def test_going_over_to_the_same_plan_changes_nothing(case: Case, first: int, second: int) -> None:
    stages = [(place, case.programs) for place in sorted((first, second))]
    assert bonuses(case.programs, case.records, case.limits) == run(case, case.programs, *stages)


@given(cases(), places)
def test_adding_programmes_changes_no_bonus_of_the_others(case: Case, place: int) -> None:
    assume(len(case.programs) > 1)
    for others in (case.programs[:1], case.programs[1:]):
        found = run(case, others, (place, case.programs))
        assert bonuses(others, case.records, case.limits) == of(found, *others)


@given(cases(), places)
def test_ending_programmes_changes_no_bonus_of_the_others(case: Case, place: int) -> None:
    """Nor does it take back what the ended ones have awarded."""
    assume(len(case.programs) > 1)
    for others, ended in ((case.programs[:1], case.programs[1:]), (case.programs[1:], case.programs[:1])):
        found = run(case, case.programs, (place, others))
        assert bonuses(others, case.records, case.limits) == of(found, *others)
        assert bonuses(ended, case.records[:place], case.limits) == of(found, *ended)


@given(cases(), places)
def test_what_is_added_late_counts_what_is_read_since(case: Case, place: int) -> None:
    """As if it alone were judged, and nothing had counted before; what was read before is a duplicate still."""
    assume(len(case.programs) > 1)
    *others, added = case.programs
    alone = run(case, [], (place, [added]))
    assert alone == of(run(case, others, (place, case.programs)), added)


@given(cases(), places)
def test_a_programme_loaded_before_its_start_is_as_if_it_had_always_been_known(
    case: Case, place: int
) -> None:
    """It starts at the first instant of which nothing can have been read when it is loaded."""
    assume(case.records[:place])
    reached = max(record.timestamp for record in case.records[:place])
    start = max(0, reached) + case.limits.allowed_skew_ms + 1
    *others, last = case.programs
    added = replace(last.versions[-1], from_ms=start, count_from_ms=None, until_ms=None)
    programs = [*others, replace(last, versions=(added,))]
    assert bonuses(programs, case.records, case.limits) == run(case, others, (place, programs))


@given(
    st.sampled_from([WINDOW, Rolling(20 * SECOND, 10 * SECOND), Tumbling(30 * SECOND)]),
    st.lists(seconds, min_size=1, max_size=12).map(sorted),
    st.tuples(seconds, seconds).map(sorted),
    st.integers(1, 4),
    places,
)
def test_a_version_loaded_before_its_start_carries_on_also_across_a_gap(
    window: Window, at: Sequence[int], gap: Sequence[int], views: int, place: int
) -> None:
    """What the version before counts, it counts on after its end: nobody knows what follows."""
    until, start = gap
    ended = version(window, tier("before", views=views), from_ms=0, until_ms=until * SECOND)
    added = version(window, tier("after", views=views), number=2, from_ms=start * SECOND)
    log = Log()
    for second in at:
        log.add("views", second * SECOND)
    case = Case([program(ended, added)], log.records, Limits(0, 0, 0, 0))
    found = run(case, [program(ended)], (min(place, bisect_left(at, start)), case.programs))
    assert bonuses(case.programs, case.records, case.limits) == found


@given(cases(), places, st.data())
def test_a_lifetime_that_is_ended_late_pays_nothing_that_its_end_rules_out(
    case: Case, place: int, data: st.DataObject
) -> None:
    """What it paid before stays paid."""
    *others, last = case.programs
    version = replace(last.versions[-1], window=Lifetime())
    until = data.draw(st.integers((version.from_ms or 0) + 1, (version.from_ms or 0) + HOUR), "until")
    before, after = (
        [*others, replace(last, award=Once(), versions=(replace(version, until_ms=until_ms),))]
        for until_ms in (None, until)
    )
    allowed = bonuses(before, case.records[:place], case.limits).keys() | bonuses(
        after, case.records, case.limits
    )
    assert run(case, before, (place, after)).keys() <= allowed


def test_a_lifetime_that_is_ended_late_counts_nothing_beyond_its_end() -> None:
    endless = version(Lifetime(), tier("t", views=3), from_ms=0)
    before, after = [program(endless)], [program(replace(endless, until_ms=30 * SECOND))]
    log = Log()
    for second in (10, 50):
        log.add("views", second * SECOND)
    for second in (20, 21, 22):
        log.add("views", second * SECOND, arrives=60 * SECOND)
    case = Case(after, log.records, Limits(HOUR, 0, HOUR, HOUR))
    [paid] = run(case, before, (2, after)).values()
    assert ({"views": 3}, 4) == (paid.metrics, paid.evidence.offset)


def test_a_longer_window_reads_no_panes_that_may_have_gone() -> None:
    """Which old panes are left depends on what was in memory: a restart must not show in what is paid."""
    long = version(Rolling(80 * SECOND, SECOND), tier("long", views=4), number=2, from_ms=47 * SECOND)
    short = version(Rolling(40 * SECOND, SECOND), tier("short", views=100), from_ms=0)
    before, after = [program(short)], [program(replace(short, until_ms=long.from_ms), long)]
    log = Log()
    for second in (0, 0, 38, 45, 46, 50, 51, 52):
        log.add("views", second * SECOND)
    case = Case(after, log.records, Limits(0, 0, 0, 0))
    assert {} == run(case, before, (5, after))
    assert {} == run(case, before, (3, before), (5, after))
    log.add("views", 53 * SECOND)
    [paid] = run(Case(after, log.records, case.limits), before, (3, before), (5, after)).values()
    assert ("long", {"views": 4}) == (paid.tier, paid.metrics)


def test_a_metric_that_nobody_counted_until_now_counts_from_here_on_also_ahead_of_the_start() -> None:
    """However the line reads: what some other programme left of such a count is not its own."""
    first = version(WINDOW, tier("seen", views=100), from_ms=0)
    both = version(WINDOW, tier("liked", likes=2), number=2, from_ms=50 * SECOND)
    before, after = [program(first)], [program(replace(first, until_ms=both.from_ms), both)]
    other = program(version(WINDOW, tier("t", likes=100), from_ms=0), name="other")
    log = Log()
    for second in (10, 20, 60, 61):
        log.add("likes", second * SECOND)
    case = Case(after, log.records, Limits(0, 0, 0, 0))
    for stages in [[(2, after)], [(1, before), (2, after)]]:
        for held in (before, [*before, other]):
            [paid] = run(case, held, *stages).values()
            assert ("liked", {"likes": 2}, 3) == (paid.tier, paid.metrics, paid.evidence.offset)


@given(cases(), places, places)
def test_what_ends_and_comes_back_pays_nobody_twice(case: Case, ends: int, comes_back: int) -> None:
    """By id each once, which ``by_id`` looks at; and only what the programme could have paid all along, or less."""
    *others, ended = case.programs
    ends, comes_back = sorted((ends, comes_back))
    found = run(case, case.programs, (ends, others), (comes_back, case.programs))
    assert bonuses([ended], case.records[:ends], case.limits).items() <= found.items()
    assert bonuses(others, case.records, case.limits) == of(found, *others)
