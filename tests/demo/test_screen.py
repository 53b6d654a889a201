"""What the demo shows to people."""

from io import StringIO

from rich.console import Console

from schemas.bonuses import BonusEvent, decode, encode
from stream.core.outcome import Bonus
from stream.demo.screen import Screen
from stream.demo.watch import Progress
from tests.demo.test_traffic import BONUS


def shown(bonus: Bonus) -> BonusEvent:
    return decode(encode(bonus))


def test_a_bonus_is_one_line_with_who_what_and_how_much() -> None:
    out = StringIO()
    screen = Screen(Console(file=out, width=60), seconds=None)
    screen.show_bonus(shown(BONUS))
    (line,) = out.getvalue().splitlines()
    assert line.split()[1:] == ["p", "·", "t", "creator-001", "US", "views", "12", "5.00", "USD"]


def test_the_summary_counts_bonuses_and_adds_rewards_exactly() -> None:
    out = StringIO()
    screen = Screen(Console(file=out, width=100), seconds=5)
    for _ in range(3):
        screen.show_bonus(shown(BONUS))
    screen.show_summary(20, Progress(4, accepted=15, duplicates=2, late=2, rejected=1), elapsed_s=5)
    summary = out.getvalue()
    assert "3 bonuses in 5 s" in summary
    assert "15.00 USD" in summary
    assert "20 events sent: 15 accepted, 2 duplicates, 2 late, 1 rejected." in summary
