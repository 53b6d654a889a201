"""What a partition makes of a new edition: which versions it loads late, and what it says of them."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from schemas.program_terms import instant_ms
from stream.core.partition import Partition
from stream.core.rules import Limits
from stream.rulebook.edition import Edition, by_program
from stream.worker.rules import InForce, adopt, in_force
from tests.rulebook.written import dated, document

NOW = "2026-02-01T00:00:00Z"
FIRST = dated(1, "2026-01-01T00:00:00Z")
NEXT = {"from": "2026-03-01T00:00:00Z", "until": None}
LIKED = [{"name": "t", "when": {"likes": 10}, "reward": {"amount": "5.00", "currency": "USD"}}]
NOT_KEPT = "version names counts that were not kept until now: they begin here"


def gone_over(documents: Sequence[str], *, reached_ms: int) -> tuple[InForce, list[str]]:
    """The rules of a partition that goes over to ``documents``, and its warnings."""
    before = in_force(2, {}, (FIRST,), {}, Limits())
    partition = Partition(0, before.plan, Limits())
    partition.restore({"views": 17}, {"views": reached_ms}, {})
    with capture_logs() as lines:
        rules = adopt(before, Edition(5, by_program(documents)), partition)
    return rules, [line["event"] for line in lines if line["log_level"] == "warning"]


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("2026-02-01T00:05:00.001Z", []),
        ("2026-02-01T00:05:00Z", ["version loaded just before its start"]),
        ("2026-02-01T00:00:00Z", ["version loaded just before its start"]),
        ("2026-01-31T23:59:59.999Z", ["version loaded after its start"]),
        (None, ["version loaded after its start"]),
    ],
)
def test_a_programme_is_late_once_an_event_of_its_time_may_have_been_read(
    start: str | None, says: list[str]
) -> None:
    """An event may run ahead of the clock by the allowed skew, five minutes."""
    rules, warnings = gone_over([FIRST, dated(1, start, program="q")], reached_ms=instant_ms(NOW))
    assert ({"q/1": 5} if says else {}) == rules.late
    assert says == [warning.partition(":")[0] for warning in warnings]
    assert 17 == rules.since["views"]


def test_nothing_is_late_before_the_first_record() -> None:
    rules, warnings = gone_over([FIRST, document("q")], reached_ms=-1)
    assert ({}, []) == (rules.late, warnings)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        ({"window": {"rolling": "2h", "step": "10m"}}, []),
        ({"window": {"rolling": "48h", "step": "10m"}}, [NOT_KEPT]),
        ({"window": {"rolling": "24h", "step": "1m"}}, [NOT_KEPT]),
        ({"window": {"lifetime": True}}, [NOT_KEPT]),
        ({"tiers": LIKED}, [NOT_KEPT]),
        ({"tiers": LIKED, "count": {"likes": {"paid": False}}}, []),  # counts from its start
    ],
)
def test_a_version_loaded_ahead_says_where_it_names_counts_that_nobody_kept(
    changes: dict[str, object], says: list[str]
) -> None:
    ahead = document("p", 2, effective=NEXT, **changes)
    assert says == gone_over([FIRST, ahead], reached_ms=instant_ms(NOW))[1]


@pytest.mark.parametrize(
    ("until", "says"),
    [("2026-02-01T00:05:00.001Z", []), ("2026-02-01T00:05:00Z", ["lifetime ended before what was read"])],
)
def test_a_lifetime_that_is_ended_where_events_were_read_already_counts_anew(
    until: str, says: list[str]
) -> None:
    """Its sum can't be divided. What the rules say of it outlives a restart."""
    whole = document("p", window={"lifetime": True})
    before = in_force(2, {}, (whole,), {}, Limits())
    partition = Partition(0, before.plan, Limits())
    partition.restore({"views": 17}, {"views": instant_ms(NOW)}, {})
    ended = document("p", window={"lifetime": True}, effective={"from": None, "until": until})
    with capture_logs() as lines:
        rules = adopt(before, Edition(5, by_program([ended])), partition)
    warnings = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert says == [warning.partition(":")[0] for warning in warnings]
    assert ({"p/1": 5} if says else {}) == rules.shortened
    assert ({}, bool(says)) == (rules.late, counters(rules) != counters(before))
    again = in_force(5, rules.since, rules.documents, {}, Limits(), rules.shortened)
    assert counters(again) == counters(rules)


def counters(rules: InForce) -> set[str]:
    """The names of the counters that events of a region feed."""
    return set(rules.plan.region("US").counters)
