"""A comparison as one JSON document, for programs; amounts are decimal strings, as everywhere on the wire."""

import msgspec

from stream.backtest.comparison import Change, CurrencyChange, TierChange
from stream.backtest.summary import Summary


def document(summary: Summary) -> bytes:
    """The comparison of ``summary`` and what it is of, as indented JSON."""
    comparison = summary.comparison
    assert comparison is not None, "two sets of programmes were run"
    before, after = summary.sets
    told = {
        "before": {"folder": before.folder, "digest": before.digest},
        "after": {"folder": after.folder, "digest": after.digest},
        "source": summary.source,
        "timestamps": {"first": summary.first_ms, "last": summary.last_ms},
        "records": {
            "read": summary.lines,
            "accepted": summary.accepted,
            "duplicates": summary.duplicates,
            "turned_away": summary.turned_away,
        },
        "tiers": [_tier(tier) for tier in comparison.tiers],
        "currencies": [_currency(currency) for currency in comparison.currencies],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _tier(tier: TierChange) -> dict[str, object]:
    return {
        "program": tier.program,
        "tier": tier.tier,
        "awards": {"before": tier.awards_before, "after": tier.awards_after},
        "cost": [{"currency": currency} | _change(change) for currency, change in tier.cost.items()],
        "subjects": {"gained": tier.gained, "lost": tier.lost},
    }


def _currency(currency: CurrencyChange) -> dict[str, object]:
    return {
        "currency": currency.currency,
        "cost": _change(currency.cost),
        "creators": {
            "gaining": currency.gaining,
            "losing": currency.losing,
            "unchanged": currency.unchanged,
        },
        "days": [{"day": day.isoformat()} | _change(change) for day, change in currency.days],
        "most_affected": [
            {"creator_id": creator} | _change(change) for creator, change in currency.most_affected
        ],
    }


def _change(change: Change) -> dict[str, str]:
    return {
        "before": f"{change.before:f}",
        "after": f"{change.after:f}",
        "difference": f"{change.difference:f}",
    }
