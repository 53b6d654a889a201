"""A comparison as one HTML page that needs nothing else: to be mailed, kept, or printed. It is XML as well."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from html import escape
from importlib.resources import files
from string import Template

from stream.backtest.comparison import Change, CurrencyChange, TierChange
from stream.backtest.report.plots import Pair, columns, rows
from stream.backtest.report.words import amount, instant, percent, signed
from stream.backtest.summary import Summary
from stream.backtest.tally import total

MOST_COLUMNS = 60
_DIGEST = 12


def page(summary: Summary) -> str:
    """The whole page for the comparison of ``summary``."""
    comparison = summary.comparison
    assert comparison is not None, "two sets of programmes were run"
    before, after = summary.sets
    awards = [
        Pair(f"{tier.program} / {tier.tier}", Decimal(tier.awards_before), Decimal(tier.awards_after))
        for tier in comparison.tiers
    ]
    template = Template(files(__package__).joinpath("page.html").read_text())
    return template.substitute(
        title=escape(f"{before.folder} compared with {after.folder}"),
        facts=_facts(summary),
        cards="".join(map(_card, comparison.currencies)) or "<p>Neither set would have paid anything.</p>",
        tiers=_table(_TIER_HEADINGS, (row for tier in comparison.tiers for row in _tier_rows(tier)), names=2),
        awards=rows(awards, "Awards a tier, before and after", _count),
        currencies="".join(map(_currency, comparison.currencies)),
    )


_TIER_HEADINGS = (
    *("programme", "tier", "awards before", "after", "difference", "cost before", "after", "difference", ""),
    *("gained", "lost"),
)


def _facts(summary: Summary) -> str:
    before, after = summary.sets
    facts = [
        ("before", f"{before.folder} (digest {before.digest[:_DIGEST]})"),
        ("after", f"{after.folder} (digest {after.digest[:_DIGEST]})"),
        ("over", summary.source),
    ]
    if summary.first_ms is not None and summary.last_ms is not None:
        facts.append(("range", f"{instant(summary.first_ms)} to {instant(summary.last_ms)}, by timestamps"))
    turned_away = sum(summary.turned_away.values())
    facts.append(
        (
            "records",
            f"{summary.lines:,} read: {summary.accepted:,} accepted, {summary.duplicates:,} duplicates, "
            f"{turned_away:,} turned away as late or broken",
        )
    )
    return "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts)


def _card(currency: CurrencyChange) -> str:
    cost = currency.cost
    share = percent(cost.difference, cost.before)
    return (
        f'<div class="card">{currency.currency} <b>{signed(cost.difference)}</b>'
        f'<span class="soft">{amount(cost.before)} before, {amount(cost.after)} after'
        f"{f' ({share})' if share else ''}<br/>"
        f"creators: {currency.gaining:,} get more, {currency.losing:,} less, {currency.unchanged:,} the same"
        "</span></div>"
    )


def _tier_rows(tier: TierChange) -> Iterable[tuple[str, ...]]:
    awards = (
        _count(tier.awards_before),
        _count(tier.awards_after),
        signed(tier.awards_after - tier.awards_before),
    )
    for index, (currency, cost) in enumerate(tier.cost.items()):
        first = index == 0
        yield (
            tier.program,
            tier.tier,
            *(awards if first else ("", "", "")),
            *_changed(cost),
            currency,
            *((_count(tier.gained), _count(tier.lost)) if first else ("", "")),
        )


def _currency(currency: CurrencyChange) -> str:
    name = currency.currency
    per_column, days = _by_time(currency)
    span = "one UTC day" if per_column == 1 else f"{per_column} UTC days, named by the first"
    histogram = _histogram(currency.amounts_before, currency.amounts_after)
    return f"""
<h2>{name}</h2>
<h3>Cost over event time</h3>
<figure>{columns(days, f"Cost over event time in {name}", amount)}<figcaption>What the bonuses cost in {name}, by the
time at which the deciding event occurred. Each pair of bars is {span}.</figcaption></figure>
<h3>How much creators get</h3>
<figure>{columns(histogram, f"Creators by what they get in {name}", _count)}<figcaption>How many creators get how much
{name} in all, over the whole range; each label is the least amount of its bars. The best-paid tenth of the paid
creators gets {_top_tenth(currency.amounts_before)} of the cost before, {_top_tenth(currency.amounts_after)}
after.</figcaption></figure>
<h3>Most affected creators</h3>
{_most_affected(currency)}
"""


def _most_affected(currency: CurrencyChange) -> str:
    if not currency.most_affected:
        return f"<p>Every creator gets the same amount of {currency.currency} under both sets.</p>"
    told = ((creator, *_changed(change)) for creator, change in currency.most_affected)
    many = len(currency.most_affected)
    return (
        f"<p>{many} of the {currency.gaining + currency.losing:,} creators who get another amount, "
        "the largest differences first.</p>"
        f'<div class="wide">{_table(("creator", "before", "after", "difference"), told, names=1)}</div>'
    )


def _by_time(currency: CurrencyChange) -> tuple[int, list[Pair]]:
    """Days from the first to the last, as many to a column as it takes to have few enough columns."""
    first = currency.days[0][0]
    every = (currency.days[-1][0] - first).days + 1
    per_column = -(-every // MOST_COLUMNS)
    found: list[list[Change]] = [[] for _ in range(-(-every // per_column))]
    for day, change in currency.days:
        found[(day - first).days // per_column].append(change)
    return per_column, [
        Pair(
            (first + timedelta(index * per_column)).isoformat(),
            total(change.before for change in changes),
            total(change.after for change in changes),
        )
        for index, changes in enumerate(found)
    ]


def _histogram(before: Sequence[Decimal], after: Sequence[Decimal]) -> list[Pair]:
    """Creators by amount, in steps of 1, 2, 5, 10 and so on."""
    amounts = [*before, *after]
    if not amounts:
        return []
    powers = range(min(amounts).adjusted(), max(amounts).adjusted() + 1)
    edges = [Decimal(digit).scaleb(power) for power in powers for digit in (1, 2, 5)]
    edges = edges[bisect_right(edges, min(amounts)) - 1 : bisect_right(edges, max(amounts))]
    old, new = _counts(before, edges), _counts(after, edges)
    return [
        Pair(f"{edge.normalize():,f}", Decimal(was), Decimal(will_be))
        for edge, was, will_be in zip(edges, old, new, strict=True)
    ]


def _counts(amounts: Sequence[Decimal], edges: Sequence[Decimal]) -> list[int]:
    counts = [0] * len(edges)
    for each in amounts:
        counts[bisect_right(edges, each) - 1] += 1
    return counts


def _top_tenth(amounts: Sequence[Decimal]) -> str:
    if not amounts:
        return "nothing"
    tenth = -(-len(amounts) // 10)
    return f"{float(total(amounts[-tenth:]) / total(amounts)) * 100:.1f}%"


def _table(headings: Sequence[str], told: Iterable[Sequence[str]], names: int) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="name">{escape(cell)}</{tag}>'
            if index < names
            else f"<{tag}>{escape(cell)}</{tag}>"
            for index, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in told)
    return f"<table><thead><tr>{row(headings, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _changed(change: Change) -> tuple[str, str, str]:
    return amount(change.before), amount(change.after), signed(change.difference)


def _count(value: Decimal | int) -> str:
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
