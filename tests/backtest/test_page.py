"""The page of a comparison: whole in itself, well-formed, and with the right bars in its plots."""

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from stream.backtest.comparison import compare
from stream.backtest.report import page
from stream.backtest.report.plots import Pair, columns, rows
from stream.backtest.summary import ProgramSet, Summary
from stream.backtest.tally import Tally
from tests.backtest.test_comparison import T, bonus, run
from tests.builders import DAY

SVG = "{http://www.w3.org/2000/svg}"


def parsed(html: str) -> Element:
    """The page as XML: it is well-formed."""
    return ElementTree.fromstring(html)


def words(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def summary_of(before: Tally, after: Tally) -> Summary:
    sets = ProgramSet("programs", "a" * 64), ProgramSet("next", "b" * 64)
    return Summary(source="a log", sets=sets, comparison=compare(before, after))


def test_the_page_says_what_was_compared_and_what_comes_of_it(tmp_path: Path) -> None:
    told = words(parsed(page(run(tmp_path))))
    for fact in (
        f"{tmp_path}/before compared with {tmp_path}/after",
        "2026-01-01 00:00 UTC to 2026-01-02 00:00 UTC",
        "9 read: 9 accepted, 0 duplicates, 0 turned away",
        "USD -4.85 15.00 before, 10.15 after (-32.3%)",
        "creators: 0 get more, 2 less, 0 the same",
        "hearts liked 3 1 -2 15.00 7.00 -8.00 USD 0 1",
        "bea 5.00 1.05 -3.95",
    ):
        assert fact in told


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    html = page(run(tmp_path))
    for element in parsed(html).iter():
        assert {"src", "href", "onload", "srcset"}.isdisjoint(element.keys())
        assert element.tag not in {"script", "link", "img", "iframe"}
    assert "url(" not in html
    assert "@import" not in html


def test_names_can_hold_whatever_ids_can(tmp_path: Path) -> None:
    before, after = Tally(), Tally()
    before.add(bonus(0, "1.00", creator='<script>&"é😀$title'), T)
    told = words(parsed(page(summary_of(before, after))))
    assert '<script>&"é😀$title 1.00 0 -1.00' in told


def test_sets_that_pay_nothing_make_a_page_too() -> None:
    assert "Neither set would have paid anything." in words(parsed(page(summary_of(Tally(), Tally()))))


def test_awards_of_nothing_make_a_page_too() -> None:
    before = Tally()
    before.add(bonus(0, "0"), T)
    told = words(parsed(page(summary_of(before, before))))
    assert "Every creator gets the same amount of USD under both sets." in told


@pytest.mark.parametrize(("days", "bars", "per_bar"), [(1, 1, 1), (60, 60, 1), (61, 31, 2), (365, 53, 7)])
def test_a_long_range_is_drawn_in_at_most_sixty_pairs_of_bars(days: int, bars: int, per_bar: int) -> None:
    before = Tally()
    for day in range(days):
        before.add(bonus(day, "1.00"), T + day * DAY)
    plots = list(parsed(page(summary_of(before, before))).iter(f"{SVG}svg"))
    over_time = [title.text for title in plots[1].iter(f"{SVG}title")][1:]
    assert len(over_time) == 2 * bars
    assert over_time[0] == f"2026-01-01, before: {per_bar}.00"


def test_bars_are_as_long_as_their_figures_and_lie_within_the_plot() -> None:
    svg = ElementTree.fromstring(
        columns([Pair("a", Decimal(63), Decimal("31.5")), Pair("b", Decimal(0), Decimal(21))], "plot", str)
    )
    heights = [float(bar.get("height", "")) for bar in svg.iter(f"{SVG}rect")]
    assert heights == pytest.approx([heights[0], heights[0] / 2, 0, heights[0] / 3], abs=0.11)
    assert all(float(bar.get("y", "")) >= 0 for bar in svg.iter(f"{SVG}rect"))
    lying = ElementTree.fromstring(rows([Pair("a", Decimal(4), Decimal(1))], "plot", str))
    long, short = (float(bar.get("width", "")) for bar in lying.iter(f"{SVG}rect"))
    assert long == pytest.approx(4 * short, abs=0.2)


@pytest.mark.parametrize("top", ["0.001", "0.3", "1", "1.01", "9", "10", "63", "99.9", "1234567", "1e30"])
def test_an_axis_has_few_round_ticks_that_reach_beyond_the_longest_bar(top: str) -> None:
    svg = ElementTree.fromstring(columns([Pair("a", Decimal(top), Decimal(0))], "plot", str))
    ticks = [Decimal(text.text or "") for text in svg.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    assert ticks[0] == 0
    assert ticks[-2] < Decimal(top) <= ticks[-1]
    assert 3 <= len(ticks) <= 6


def test_the_histogram_counts_every_paid_creator_once() -> None:
    before = Tally()
    for number, amount in enumerate(["1.00", "1.99", "2.00", "4.99", "5.00", "10.00", "0"]):
        before.add(bonus(number, amount, creator=f"c{number}"), T)
    plots = list(parsed(page(summary_of(before, Tally()))).iter(f"{SVG}svg"))
    tips = [title.text for title in plots[2].iter(f"{SVG}title")][1:]
    assert [tip for tip in tips if tip and "before" in tip] == [
        "1, before: 2",
        "2, before: 2",
        "5, before: 1",
        "10, before: 1",
    ]
