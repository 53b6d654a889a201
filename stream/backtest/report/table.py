"""What one set of programmes pays, and a comparison of two, as tables for the terminal."""

from collections.abc import Iterator

from rich.table import Table

from stream.backtest.comparison import Comparison
from stream.backtest.report.words import amount, percent, signed
from stream.backtest.summary import Summary
from stream.backtest.tally import Paid


def paid(summary: Summary) -> Table:
    """A row for each tier of the first set, also where nobody got it, and what all of them cost.

    A tier that changed its currency has a row a currency.
    """
    table, total = _table("programme", "tier", "awards", "cost", ""), Paid()
    tiers = summary.sets[0].tiers
    for program, tier in tiers:
        found = summary.paid.get(program, {}).get(tier, Paid())
        total.merge(found)
        _add_rows(table, program, tier, found)
    if len(tiers) > 1:
        _add_rows(table, "in all", "", total)
    return table


def _add_rows(table: Table, program: str, tier: str, found: Paid) -> None:
    costs = [(amount(found.cost[currency]), currency) for currency in sorted(found.cost)] or [("0", "")]
    for number, cost in enumerate(costs):
        first = program, tier, f"{found.awards:,}"
        table.add_row(*(first if number == 0 else ("", "", "")), *cost)


def tables(comparison: Comparison) -> Iterator[Table]:
    """A row a tier (a tier that changed its currency has one a currency), then a row a currency."""
    tiers = _table(
        "programme",
        "tier",
        "awards before",
        "after",
        "",
        "cost before",
        "after",
        "",
        "",
        "subjects gained",
        "lost",
    )
    for tier in comparison.tiers:
        awards = [
            f"{tier.awards_before:,}",
            f"{tier.awards_after:,}",
            signed(tier.awards_after - tier.awards_before),
        ]
        subjects = [signed(tier.gained), signed(-tier.lost)]
        first = True
        for currency, cost in tier.cost.items():
            costs = [amount(cost.before), amount(cost.after), signed(cost.difference), currency]
            if first:
                tiers.add_row(tier.program, tier.tier, *awards, *costs, *subjects)
            else:
                tiers.add_row("", "", "", "", "", *costs)
            first = False
    yield tiers
    totals = _table("currency", "cost before", "after", "", "", "creators gaining", "losing", "unchanged")
    for each in comparison.currencies:
        cost = each.cost
        share = percent(cost.difference, cost.before)
        costs = [amount(cost.before), amount(cost.after), signed(cost.difference), share]
        totals.add_row(each.currency, *costs, f"{each.gaining:,}", f"{each.losing:,}", f"{each.unchanged:,}")
    yield totals


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    texts = {"programme", "tier", "currency"}
    for heading in headings:
        table.add_column(heading, justify="left" if heading in texts else "right", no_wrap=True)
    return table
