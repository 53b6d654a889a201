"""Two sets of programmes over one log: who gains, who loses and what it costs, to the last digit."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from stream.backtest import Summary, run_over_files
from stream.backtest.comparison import Change, Comparison, compare
from stream.backtest.report import document
from stream.backtest.report.table import tables
from stream.backtest.tally import Tally, total
from stream.core.outcome import Bonus, Evidence
from stream.core.rules import Limits
from tests.backtest.test_files import line
from tests.builders import DAY

BEFORE = """
program: hearts
version: 1
regions: all
subject: creator
window: {calendar: day}
tiers:
  - {name: liked, when: {likes: 2}, reward: {amount: "5.00", currency: USD}}
  - {name: loved, when: {likes: 3}, reward: {amount: "0.10", currency: EUR}}
award: once_per_window
---
program: eyes
version: 1
regions: all
subject: video
window: {lifetime: true}
tiers: [{name: seen, when: {views: 1}, reward: {amount: "0.20", currency: EUR}}]
"""
AFTER = """
program: hearts
version: 2
regions: all
subject: creator
window: {calendar: day}
tiers:
  - {name: liked, when: {likes: 3}, reward: {amount: "7.00", currency: USD}}
  - {name: adored, when: {likes: 1}, reward: {amount: "1.05", currency: USD}}
award: once_per_window
---
program: eyes
version: 1
regions: all
subject: video
window: {lifetime: true}
tiers: [{name: seen, when: {views: 1}, reward: {amount: "0.20", currency: EUR}}]
"""
T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
# Likes a day: ada 3 and 2, bea 2 and 0. Views: one of each.
LOG = [
    *(line(f"ada-1-{n}", occurred_at=T + n) for n in range(3)),
    *(line(f"bea-1-{n}", occurred_at=T + 10 + n, creator_id="bea") for n in range(2)),
    line("ada-view", type="view", occurred_at=T + 20),
    line("bea-view", type="view", occurred_at=T + 21, creator_id="bea"),
    *(line(f"ada-2-{n}", occurred_at=T + DAY + n) for n in range(2)),
]


def run(folder: Path, before: str = BEFORE, after: str = AFTER, log: list[str] | None = None) -> Summary:
    """What the two sets come to over the log, which lies in ``folder`` with everything else."""
    for name, programs in (("before", before), ("after", after)):
        (folder / name).mkdir()
        (folder / name / "programs.yaml").write_text(programs)
    (folder / "log").write_text("\n".join(LOG if log is None else log))
    return run_over_files(
        folder / "before",
        [folder / "log"],
        folder / "out",
        None,
        Limits(),
        progress=False,
        compare=folder / "after",
    )


def compared(summary: Summary) -> Comparison:
    """The comparison, which has to be there."""
    assert summary.comparison is not None
    return summary.comparison


def change(before: str, after: str) -> Change:
    return Change(Decimal(before), Decimal(after))


def test_each_tier_has_its_awards_cost_and_subjects_before_and_after(tmp_path: Path) -> None:
    rows = [
        (row.program, row.tier, row.awards_before, row.awards_after, dict(row.cost), row.gained, row.lost)
        for row in compared(run(tmp_path)).tiers
    ]
    assert rows == [
        ("eyes", "seen", 2, 2, {"EUR": change("0.40", "0.40")}, 0, 0),
        ("hearts", "adored", 0, 3, {"USD": change("0", "3.15")}, 2, 0),
        ("hearts", "liked", 3, 1, {"USD": change("15.00", "7.00")}, 0, 1),
        ("hearts", "loved", 1, 0, {"EUR": change("0.10", "0")}, 0, 1),
    ]


def test_currencies_are_never_added_together(tmp_path: Path) -> None:
    eur, usd = compared(run(tmp_path)).currencies
    assert (eur.currency, eur.cost, eur.cost.difference) == ("EUR", change("0.50", "0.40"), Decimal("-0.10"))
    assert (usd.currency, usd.cost, usd.cost.difference) == (
        "USD",
        change("15.00", "10.15"),
        Decimal("-4.85"),
    )


def test_cost_lies_on_the_utc_day_on_which_the_deciding_event_occurred(tmp_path: Path) -> None:
    usd = compared(run(tmp_path)).currencies[1]
    assert usd.days == (
        (date(2026, 1, 1), change("10.00", "9.10")),
        (date(2026, 1, 2), change("5.00", "1.05")),
    )


def test_creators_who_gain_and_lose_are_counted_and_the_most_affected_named(tmp_path: Path) -> None:
    eur, usd = compared(run(tmp_path)).currencies
    assert (eur.gaining, eur.losing, eur.unchanged) == (0, 1, 1)
    assert eur.most_affected == (("ada", change("0.30", "0.20")),)
    assert (usd.gaining, usd.losing, usd.unchanged) == (0, 2, 0)
    assert usd.most_affected == (("bea", change("5.00", "1.05")), ("ada", change("10.00", "9.10")))
    assert (usd.amounts_before, usd.amounts_after) == (
        (Decimal("5.00"), Decimal("10.00")),
        (Decimal("1.05"), Decimal("9.10")),
    )


def test_the_output_holds_the_bonuses_of_the_first_set(tmp_path: Path) -> None:
    summary = run(tmp_path)
    tiers = [json.loads(each)["tier"] for each in (tmp_path / "out").read_text().splitlines()]
    assert (sorted(tiers), summary.bonuses) == (["liked"] * 3 + ["loved"] + ["seen"] * 2, 6)


def test_equal_sets_differ_in_nothing(tmp_path: Path) -> None:
    found = compared(run(tmp_path, after=BEFORE))
    for row in found.tiers:
        assert row.awards_before == row.awards_after > 0
        assert (row.gained, row.lost) == (0, 0)
        assert {cost.difference for cost in row.cost.values()} == {Decimal(0)}
    for currency in found.currencies:
        assert (currency.gaining, currency.losing, currency.most_affected) == (0, 0, ())
        assert {of_day.difference for _, of_day in currency.days} == {Decimal(0)}
        assert currency.amounts_before == currency.amounts_after


def test_a_log_that_pays_nothing_compares_to_nothing(tmp_path: Path) -> None:
    assert compared(run(tmp_path, log=[])) == Comparison((), ())


def bonus(number: int, amount: str, creator: str = "ada") -> Bonus:
    """A bonus of a programme ``p``."""
    evidence = Evidence(str(number), "likes", 0, number)
    reward = {"amount": amount, "currency": "USD"}
    spans = (None, None), (None, None)
    return Bonus(str(number), "p", 1, "t", "creator", creator, None, "US", *spans, {}, {}, reward, evidence)


def test_sums_are_exact_whatever_the_amounts() -> None:
    tally = Tally()
    for number, amount in enumerate(["999999999999999999.999999999", "0.000000001"] * 3):
        tally.add(bonus(number, amount), T)
    assert compare(tally, Tally()).currencies[0].cost.before == Decimal("3000000000000000000")


@pytest.mark.parametrize("split", [0, 1, 4, 6])
def test_tallies_of_parts_merge_to_that_of_the_whole(split: int) -> None:
    whole, first, second = Tally(), Tally(), Tally()
    for number in range(6):
        each = bonus(number, f"{number}.5", creator=f"c{number % 4}"), T + number * DAY // 2
        whole.add(*each)
        (first if number < split else second).add(*each)
    first.merge(second)
    assert first == whole


def test_the_twenty_most_affected_are_named_ties_by_name() -> None:
    before, after = Tally(), Tally()
    for number in range(50):
        before.add(bonus(number, "1.00", creator=f"c{number:02}"), T)
        after.add(bonus(number, "3.00" if number >= 40 else "1.50", creator=f"c{number:02}"), T)
    (usd,) = compare(before, after).currencies
    assert [who for who, _ in usd.most_affected] == [
        f"c{number:02}" for number in [*range(40, 50), *range(10)]
    ]
    assert total(by.difference for _, by in usd.most_affected) == Decimal("25.00")


def test_the_document_has_every_figure_as_a_decimal_string(tmp_path: Path) -> None:
    told = json.loads(document(run(tmp_path)))
    assert told["before"]["folder"] == str(tmp_path / "before")
    assert told["before"]["digest"] != told["after"]["digest"]
    assert told["timestamps"] == {"first": T, "last": T + DAY + 1}
    assert told["records"] == {"read": 9, "accepted": 9, "duplicates": 0, "turned_away": {}}
    assert told["tiers"][2] == {
        "program": "hearts",
        "tier": "liked",
        "awards": {"before": 3, "after": 1},
        "cost": [{"currency": "USD", "before": "15.00", "after": "7.00", "difference": "-8.00"}],
        "subjects": {"gained": 0, "lost": 1},
    }
    assert told["currencies"][0] == {
        "currency": "EUR",
        "cost": {"before": "0.50", "after": "0.40", "difference": "-0.10"},
        "creators": {"gaining": 0, "losing": 1, "unchanged": 1},
        "days": [{"day": "2026-01-01", "before": "0.50", "after": "0.40", "difference": "-0.10"}],
        "most_affected": [{"creator_id": "ada", "before": "0.30", "after": "0.20", "difference": "-0.10"}],
    }


def test_the_tables_have_a_row_a_tier_and_a_row_a_currency(tmp_path: Path) -> None:
    tiers, currencies = tables(compared(run(tmp_path)))
    assert (tiers.row_count, currencies.row_count) == (4, 2)
