"""Amounts, counts and times as people read them."""

from datetime import UTC, datetime
from decimal import Decimal


def amount(value: Decimal) -> str:
    """``12,345.60``: every digit there is."""
    return f"{value:,f}"


def signed(value: Decimal | int) -> str:
    """``+12.00``, ``-3``, and ``0`` without a sign."""
    if value == 0:
        return "0"
    return f"{value:+,f}" if isinstance(value, Decimal) else f"{value:+,}"


def percent(part: Decimal, whole: Decimal) -> str:
    """``+4.2%``, to a tenth; ``0%`` where there is no part, nothing where there is no whole."""
    if not whole:
        return ""
    return f"{float(part / whole) * 100:+.1f}%" if part else "0%"


def instant(time_ms: int) -> str:
    """``2026-01-01 00:00 UTC``."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
