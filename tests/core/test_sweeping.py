"""What a sweep, and what is written meanwhile, come to in the cuts that follow."""

import pytest

from stream.core import memory
from stream.core.partition import Changes, Partition
from stream.core.plan import Plan
from stream.core.rules import AtMost, Limits, Line, OncePer, Period, Program, Rolling, Tumbling
from tests.builders import DAY, HOUR, MINUTE, Log, program, tier, version
from tests.laws.engine import feed
from tests.laws.store import Store

NOON = 20_000 * DAY + 12 * HOUR
LATER = NOON + 100 * DAY
AT_MOST = Line(at_most=AtMost(1, "video", Period("day")))
LIKED = program(version(Tumbling(DAY), tier(likes=1_000), lines={"likes": AT_MOST}))
PAID_DAILY = program(version(Rolling(80 * DAY, DAY), tier(views=2)), award=OncePer(Period("day")))


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut deletes three fields."""
    monkeypatch.setattr(memory, "MOST_DELETED", 3)


class Run:
    """One subject's likes or views, cut when told."""

    def __init__(self, rules: Program) -> None:
        self.partition = Partition(0, Plan([rules]), Limits())
        self.log = Log()

    def like(self) -> Changes:
        """One more like, and a cut."""
        feed(self.partition, [self.log.add("likes", NOON)])
        return self.partition.cut()

    def unlike(self) -> Changes:
        """The like is taken back, and a cut."""
        feed(self.partition, [self.log.remove("likes", NOON)])
        return self.partition.cut()

    @property
    def places(self) -> str:
        """The key of the places."""
        [key] = [key for key in self.partition.memory.entries if key != "ada"]
        return key


def test_an_award_brings_its_own_due() -> None:
    """The pane's count is needed for another 80 days, the latch of the day for 37."""
    run = Run(PAID_DAILY)
    dues = []
    for _ in range(2):
        feed(run.partition, [run.log.add("views", NOON)])
        dues.append(run.partition.cut().due["ada"])
    assert dues == [NOON - 12 * HOUR + 80 * DAY, NOON - 12 * HOUR + 37 * DAY]


def test_a_latch_that_came_and_went_between_two_cuts_is_not_written() -> None:
    run = Run(PAID_DAILY)
    bonuses = [bonus for _ in range(2) for bonus in feed(run.partition, [run.log.add("views", NOON)])]
    assert len(bonuses) == 1
    feed(run.partition, [run.log.add("views", LATER, creator_id="eve")])
    run.partition.sweep(["ada"])
    changes = run.partition.cut()
    assert set(changes.subjects["ada"].values()) == {None}
    assert changes.due["ada"] is None


def test_what_is_written_after_it_was_forgotten_is_there() -> None:
    """Values are absolute: the last word counts."""
    run = Run(PAID_DAILY)
    feed(run.partition, [run.log.add("views", NOON)])
    [(field, value)] = run.partition.cut().subjects["ada"].items()
    run.partition.memory.forget("ada", [field])
    feed(run.partition, [run.log.add("views", NOON)])
    assert value == 1
    assert run.partition.cut().subjects["ada"][field] == 2


@pytest.mark.usefixtures("slowly")
def test_a_due_ends_with_the_last_field_that_is_deleted() -> None:
    """A crash in between finds the rest by it."""
    run = Run(LIKED)
    run.like()
    run.partition.memory.forget(run.places, map(str, range(5)))
    first, second = run.unlike(), run.partition.cut()
    assert (run.places in first.due, second.due) == (False, {run.places: None})


@pytest.mark.usefixtures("slowly")
def test_a_due_that_came_back_while_fields_were_deleted_stays() -> None:
    run = Run(LIKED)
    run.like()
    run.partition.memory.forget(run.places, map(str, range(7)))
    key, changes = run.places, [run.unlike(), run.like(), run.partition.cut()]
    assert [each.due.get(key, "unchanged") for each in changes] == [
        "unchanged",
        NOON + 12 * HOUR,
        "unchanged",
    ]


@pytest.mark.usefixtures("slowly")
def test_the_due_of_what_has_left_memory_meanwhile_stays() -> None:
    """Nobody knows what came of it: it is swept again."""
    run = Run(LIKED)
    run.like()
    key = run.places
    run.partition.memory.forget(key, map(str, range(7)))
    run.unlike()
    assert run.partition.memory.evict(0, run.partition.memory.cuts) == 2
    assert [run.partition.cut().due for _ in range(3)] == [{}, {}, {}]
    run.partition.memory.admit(key, {})
    run.partition.sweep([key])
    assert [run.partition.cut().due for _ in range(2)] == [{key: None}, {}]


@pytest.mark.usefixtures("slowly")
def test_a_sweep_stops_where_the_next_cut_has_enough_to_delete() -> None:
    """The others are due as before, and come with a later sweep."""
    run = Run(program(version(Tumbling(HOUR), tier(views=1_000))))
    creators = [f"c{number}" for number in range(5)]
    for creator in creators:
        feed(run.partition, [run.log.add("views", NOON, creator_id=creator)])
    run.partition.cut()
    feed(run.partition, [run.log.add("views", LATER)])
    assert not run.partition.sweep(creators)
    changes = run.partition.cut()
    assert {key for key, fields in changes.subjects.items() if None in fields.values()} == {"c0", "c1", "c2"}


@pytest.mark.usefixtures("slowly")
def test_what_leaves_the_windows_does_not_pile_up() -> None:
    """A cut deletes as many fields as it writes, however many that are: as many leave the windows in the long run."""
    run = Run(program(version(Rolling(HOUR, MINUTE), tier(views=1_000))))
    store = Store()
    for minute in range(400):
        at_ms = NOON + minute * MINUTE
        feed(run.partition, [run.log.add("views", at_ms, creator_id=f"c{number}") for number in range(10)])
        store.write(run.partition.cut(), 0)
    held_minutes = 60 + Limits().allowed_lateness_ms // MINUTE
    looked_at_every = 60 // 4  # minutes: a quarter of the window
    assert sum(map(len, store.subjects.values())) <= 10 * (held_minutes + looked_at_every + 2)
