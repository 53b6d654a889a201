"""When something of an entry is due, and what a sweep takes then: the edges, one by one."""

import pytest

from stream.core.expiry import GRAIN_MS, LATE_RULES_MS
from stream.core.outcome import Rejection
from stream.core.panes import FOREVER_MS
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import (
    AtMost,
    Calendar,
    Lifetime,
    Limits,
    Line,
    OncePer,
    OncePerWindow,
    Period,
    Program,
    Rolling,
    Topic,
    Tumbling,
    Window,
)
from tests.builders import DAY, HOUR, MINUTE, Log, program, tier, version
from tests.laws.engine import feed

NOON = 20_000 * DAY + 12 * HOUR
MIDNIGHT = 20_001 * DAY
LATENESS = Limits().allowed_lateness_ms


def counting(*programs: Program) -> Partition:
    """A new partition under these programmes."""
    return Partition(0, Plan(programs), Limits())


def viewed(partition: Partition, at: int) -> Changes:
    """What is cut after one view."""
    log = Log()
    feed(partition, [log.add("views", at, event_id=f"at {at}")])
    return partition.cut()


def arrive(partition: Partition, arrival: int, topic: Topic = "views") -> None:
    """A topic's arrival goes on, and nothing is counted."""
    partition.apply(topic, [partition.positions[topic]], [arrival], [Rejection("empty", "Empty.")])


def swept(partition: Partition, horizon: int, key: str = "ada") -> Changes:
    """What is cut after the entry was swept at this horizon."""
    arrive(partition, horizon + LATENESS)
    assert partition.horizon() == horizon
    partition.sweep([key])
    return partition.cut()


def windowed(window: Window, until: int | None = None) -> Program:
    return program(version(window, tier(views=1_000), until_ms=until))


@pytest.mark.parametrize(
    ("window", "until", "end"),
    [
        (Rolling(HOUR, MINUTE), None, NOON + HOUR),
        (Rolling(3 * MINUTE, MINUTE), None, NOON + 3 * MINUTE),
        (Tumbling(2 * HOUR), None, NOON + 2 * HOUR),
        (Calendar(Period("day")), None, MIDNIGHT),
        (Calendar(Period("day", "America/New_York")), None, MIDNIGHT + 4 * HOUR),
        (Lifetime(), MIDNIGHT, MIDNIGHT + LATE_RULES_MS),
    ],
    ids=str,
)
def test_a_count_goes_at_the_end_of_the_last_window_that_holds_it(
    window: Window, until: int | None, end: int
) -> None:
    # event at noon   |x--|              what occurs at `end` or later is in no window with x
    #                 ^noon        ^end
    partition = counting(windowed(window, until))
    due = viewed(partition, NOON).due["ada"]
    assert due is not None
    assert end <= due < end + GRAIN_MS
    early = swept(partition, end - 1)
    assert (set(early.subjects["ada"].values()), early.due) == (set(), {"ada": due})
    late = swept(partition, end)
    assert (set(late.subjects["ada"].values()), late.due) == ({None}, {"ada": None})


def test_a_lifetime_without_an_end_is_never_due() -> None:
    partition = counting(windowed(Lifetime()))
    assert viewed(partition, NOON).due == {}


def test_a_due_is_told_once_while_it_stays_the_same() -> None:
    """Rounded up to a sixteenth of the window, here of four days: to six hours."""
    partition = counting(windowed(Rolling(4 * DAY, HOUR)))
    told = [viewed(partition, NOON + hour * HOUR).due for hour in range(1, 9)]
    assert [bool(due) for due in told] == [True, False, False, False, False, False, True, False]


def test_an_entry_is_due_when_the_first_of_its_counts_can_go() -> None:
    """The others stay, and are due later."""
    short, long = windowed(Tumbling(HOUR)), program(version(Tumbling(DAY), tier(views=1_000)), name="long")
    partition = counting(short, long)
    assert viewed(partition, NOON).due == {"ada": NOON + HOUR}
    changes = swept(partition, NOON + HOUR)
    assert (list(changes.subjects["ada"].values()), changes.due) == ([None], {"ada": MIDNIGHT})


def test_the_horizon_is_that_of_the_slowest_topic_that_a_tier_reads() -> None:
    partition = counting(program(version(Tumbling(HOUR), tier(views=1_000, likes=1_000))))
    viewed(partition, NOON)
    arrive(partition, NOON + 10 * HOUR)
    assert partition.horizon() < 0
    arrive(partition, NOON + HOUR + LATENESS - 1, "likes")
    assert partition.horizon() == NOON + HOUR - 1
    partition.sweep(["ada"])
    assert not partition.cut().subjects["ada"]
    arrive(partition, NOON + HOUR + LATENESS, "likes")
    partition.sweep(["ada"])
    assert partition.cut().due == {"ada": None}


def test_places_go_with_their_period() -> None:
    """An event at the period's last instant may still ask for them when the horizon is there."""
    line = Line(at_most=AtMost(1, "video", Period("day")))
    at_most = program(version(Tumbling(30 * DAY), tier(views=1_000), lines={"views": line}))
    partition = counting(at_most)
    changes = viewed(partition, NOON)
    [key] = [key for key in changes.subjects if key != "ada"]
    assert changes.due[key] == MIDNIGHT
    kept = swept(partition, MIDNIGHT, key)
    assert (kept.subjects[key], kept.due) == ({}, {key: MIDNIGHT})
    gone = swept(partition, MIDNIGHT + 1, key)
    assert (set(gone.subjects[key].values()), gone.due) == ({None}, {key: None})


def test_a_latch_goes_once_no_pane_of_its_period_can_be_judged() -> None:
    """For a programme of days the longest calendar window decides, and the day itself; `once` stays."""
    paying = program(version(Rolling(HOUR, MINUTE), tier(views=1)), award=OncePer(Period("day")))
    for_good = program(version(Rolling(HOUR, MINUTE), tier(views=1)), name="for-good")
    partition = counting(paying, for_good)
    viewed(partition, NOON)
    swept(partition, NOON + HOUR)
    end = MIDNIGHT - DAY + LATE_RULES_MS + 2 * DAY
    early = swept(partition, end - 1)
    assert early.subjects["ada"] == {}
    assert early.due["ada"] == end
    late = swept(partition, end)
    assert late.subjects["ada"] == {f"!rewards/bronze/{MIDNIGHT - DAY}": None}
    assert late.due == {"ada": None}
    partition.memory.evict(10, partition.memory.cuts)
    assert "ada" in partition.memory


def test_a_latch_of_a_long_window_stays_as_long_as_the_window() -> None:
    start = NOON // (60 * DAY) * 60 * DAY
    paying = program(version(Tumbling(60 * DAY), tier(views=1)), award=OncePerWindow())
    partition = counting(paying)
    viewed(partition, NOON)
    assert not swept(partition, start + 60 * DAY - 1).subjects["ada"]
    assert len(swept(partition, start + 60 * DAY).subjects["ada"]) == 2


def test_a_latch_of_a_programme_that_is_gone_stays() -> None:
    """It may come back, and does not pay twice then."""
    partition = counting()
    partition.memory.admit("ada", {f"!rewards/bronze/{NOON}": 1})
    for topic in ("views", "likes", "shares", "comments"):
        arrive(partition, NOON + 1_000 * DAY, topic)
    partition.sweep(["ada"])
    assert partition.cut().subjects == {"ada": {}}
    assert partition.memory.entries["ada"].due_ms == FOREVER_MS


def test_an_entry_without_anything_left_leaves_memory_once_that_is_durable() -> None:
    """Memory is as complete as before: nothing has to be read back."""
    partition = counting(windowed(Tumbling(HOUR)))
    viewed(partition, NOON)
    swept(partition, NOON + HOUR)
    partition.memory.evict(10, partition.memory.cuts - 1)
    assert "ada" in partition.memory
    partition.memory.evict(10, partition.memory.cuts)
    assert "ada" not in partition.memory
    assert partition.memory.complete


def test_an_entry_that_is_needed_again_stays_in_memory() -> None:
    """The next chunk was told that it is there."""
    partition = Partition(0, Plan([windowed(Tumbling(HOUR))]), Limits(), complete=False)
    partition.memory.admit("ada", {})
    viewed(partition, NOON)
    swept(partition, NOON + HOUR)
    record = Log().add("views", NOON + 3 * HOUR)
    assert partition.missing("views", [record.decoded]) == []
    partition.memory.evict(10, partition.memory.cuts)
    assert feed(partition, [record]) == []


def test_places_that_were_all_freed_are_due_again_once_one_is_taken() -> None:
    line = Line(at_most=AtMost(1, "video", Period("day")))
    partition = counting(program(version(Tumbling(DAY), tier(likes=1_000), lines={"likes": line})))
    log = Log()
    dues = []
    for change in (log.add, log.remove, log.add):
        feed(partition, [change("likes", NOON)])
        dues.append([due for key, due in partition.cut().due.items() if key != "ada"])
    assert dues == [[MIDNIGHT], [None], [MIDNIGHT]]
