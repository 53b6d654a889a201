"""The law: bonuses are a function of the logs, however they are batched, interleaved and repeated."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import TOPICS, Limits, Rolling, Topic
from tests.builders import SECOND, Log, program, tier, version
from tests.laws.engine import by_id, feed, outcomes, run
from tests.model import Record, bonuses, verdicts
from tests.strategies import Case, cases, interleaved, seeds


@given(cases(), seeds)
def test_batches_do_not_show(case: Case, seed: int) -> None:
    records = interleaved(case.records, seed)
    assert run(case, records, seed) == run(case, records)


@given(cases(one_topic=True), seeds)
def test_for_tiers_over_one_topic_the_order_of_topics_does_not_show(case: Case, seed: int) -> None:
    other = interleaved(case.records, seed)
    assert run(case, other, seed) == run(case, case.records)


@given(cases(removes=False), seeds)
def test_without_removes_the_order_of_topics_changes_no_set_of_bonuses(case: Case, seed: int) -> None:
    other = interleaved(case.records, seed)
    assert run(case, other, seed).keys() == run(case, case.records).keys()


@given(cases(), seeds)
def test_what_is_forgotten_once_topics_were_read_to_their_end_does_not_show(case: Case, seed: int) -> None:
    shuffler = random.Random(seed)
    partition = Partition(0, Plan(case.programs), case.limits)
    looked_up: dict[Topic, tuple[int, int]] = {}
    found, read = [], []
    for chunk, ends in reading(case.records, shuffler):
        found += feed(partition, chunk)
        read += chunk
        for topic, (furthest, end) in list(looked_up.items()):
            if partition.positions[topic] >= end:
                partition.caught_up(topic, furthest)
                del looked_up[topic]
        for topic in shuffler.sample(TOPICS, 2):
            looked_up.setdefault(topic, (partition.furthest(), ends[topic]))
    assert by_id(found) == bonuses(case.programs, read, case.limits)


def test_a_topic_at_its_end_may_still_bring_what_topic_lag_and_lateness_allow() -> None:
    # panes of 1 s     60  61  62  63 … 78  79      topic_lag 5 s, lateness 10 s, a window is four panes
    # likes             a               b   c       b and c move likes on, while views are read to their end
    # views                         v               v occurs at the end of 63 and arrives 10 s later, 5 s behind b
    log, at = Log(), 60 * SECOND
    log.add("likes", at)
    log.add("likes", at + 19 * SECOND - 1)
    log.add("likes", at + 19 * SECOND)
    log.add("views", at + 4 * SECOND - 1, arrives=at + 14 * SECOND - 1)
    both = program(version(Rolling(4 * SECOND, SECOND), tier(likes=1, views=1)))
    partition = Partition(0, Plan([both]), Limits(10 * SECOND, 3 * SECOND, 13 * SECOND, 5 * SECOND))
    found = []
    for record in log.records:
        found += feed(partition, [record])
        if record.offset == 1:
            partition.caught_up("views", partition.furthest())
    assert [bonus.evidence.topic for bonus in found] == ["views"]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=9), st.lists(st.booleans(), min_size=9, max_size=9))
def test_how_many_events_come_out_of_step_does_not_depend_on_batches(
    seconds: Sequence[int], cuts: Sequence[bool]
) -> None:
    """The likes were passed 6 s before the views: what arrives before that is out of step."""
    limits = Limits(20 * SECOND, 20 * SECOND, 40 * SECOND, 4 * SECOND)
    log = Log()
    log.add("views", 10 * SECOND)
    for second in seconds:
        log.add("likes", second * SECOND)
    chunk, *rest = (log.records[:1], *([record] for record in log.records[1:]))
    joined: list[list[Record]] = []
    for cut, piece in zip(cuts, rest, strict=False):
        joined[-1:] = [piece] if not joined else [joined[-1], piece] if cut else [joined[-1] + piece]
    partition = Partition(0, Plan([]), limits)
    feed(partition, chunk)
    partition.caught_up("likes", partition.furthest())
    found = sum(outcome.out_of_step for piece in joined for outcome in outcomes(partition, piece))
    arrivals = accumulate(seconds, max)
    assert found == sum(arrival < 6 for arrival in arrivals)


@given(cases(removes=False, at_most=False), seeds)
def test_the_order_within_a_topic_changes_no_set_of_bonuses(case: Case, seed: int) -> None:
    records = shuffled_within_topics(case, random.Random(seed))
    assert run(case, records).keys() == run(case, case.records).keys()


@given(cases(), seeds)
def test_repeats_of_accepted_records_change_nothing(case: Case, seed: int) -> None:
    spaced = [record._replace(offset=record.offset * 100) for record in case.records]
    repeated = with_repeats(spaced, case.limits, random.Random(seed))
    assert run(case, repeated) == run(case, spaced)


def reading(
    appended: Sequence[Record], shuffler: random.Random
) -> Iterator[tuple[list[Record], dict[Topic, int]]]:
    """A consumer at the heels of the producers: chunks of one topic, and the topics' end offsets by then."""
    waiting: dict[Topic, list[Record]] = {topic: [] for topic in TOPICS}
    ends: dict[Topic, int] = dict.fromkeys(TOPICS, 0)
    for index, record in enumerate(appended):
        waiting[record.topic].append(record)
        ends[record.topic] = record.offset + 1
        while any(waiting.values()) and (shuffler.random() < 0.5 or index == len(appended) - 1):
            topic = shuffler.choice([topic for topic in TOPICS if waiting[topic]])
            count = shuffler.randint(1, len(waiting[topic]))
            chunk, waiting[topic] = waiting[topic][:count], waiting[topic][count:]
            yield chunk, dict(ends)


def shuffled_within_topics(case: Case, shuffler: random.Random) -> list[Record]:
    """Events change places with others of their topic wherever the same ones are accepted afterwards."""
    result = list(case.records)
    accepted = accepted_events(result, case.limits)
    for _ in range(3 * len(result)):
        one, two = shuffler.randrange(len(result)), shuffler.randrange(len(result))
        if result[one].topic != result[two].topic:
            continue
        tried = list(result)
        tried[one] = result[one]._replace(decoded=result[two].decoded)
        tried[two] = result[two]._replace(decoded=result[one].decoded)
        if accepted_events(tried, case.limits) == accepted:
            result = tried
    return result


def accepted_events(records: Sequence[Record], limits: Limits) -> Counter[int]:
    """The identities of the events that are accepted."""
    found = zip(records, verdicts(records, limits), strict=True)
    return Counter(id(record.decoded) for record, verdict in found if verdict.code == "accepted")


def with_repeats(records: Sequence[Record], limits: Limits, shuffler: random.Random) -> list[Record]:
    """Copies of accepted records, at the offsets between those of later records of their topic."""
    result = []
    accepted: list[Record] = []
    for record, verdict in zip(records, verdicts(records, limits), strict=True):
        result.append(record)
        if verdict.code == "accepted":
            accepted.append(record)
        own = [each for each in accepted if each.topic == record.topic]
        for number, copy in enumerate(shuffler.sample(own, min(len(own), shuffler.randint(0, 2))), start=1):
            result.append(copy._replace(offset=record.offset + number, timestamp=-1))
    return result
