"""Counts of partitions, which come from other processes as JSON, put together."""

from decimal import Decimal

import msgspec

from stream.backtest.part import Part
from stream.backtest.summary import Counts, Summary
from stream.backtest.tally import Paid


def test_what_partitions_pay_is_added_tier_by_tier_to_the_last_digit() -> None:
    summary = Summary()
    for amounts in ({"USD": "0.10"}, {"USD": "0.20", "EUR": "3"}):
        cost = {currency: Decimal(amount) for currency, amount in amounts.items()}
        counts = Counts(paid={"p": {"bronze": Paid(len(cost), cost)}})
        part = msgspec.json.decode(msgspec.json.encode(Part(counts, ())), type=Part)
        summary.merge(part.counts)
    assert summary.paid == {"p": {"bronze": Paid(3, {"USD": Decimal("0.30"), "EUR": Decimal("3")})}}
