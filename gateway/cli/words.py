"""Amounts in words for people: money, times, shares; and why a tier is lower than the rules ask."""

from collections.abc import Mapping
from typing import Any

from gateway.cli.ink import plain

NOTHING = "-"


def usd(amount: float | None) -> str:
    """Dollars with three significant digits; cents are exact from a dollar on."""
    if amount is None:
        return NOTHING
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    if amount >= 1:
        return f"{sign}${amount:,.2f}"
    if amount < 5e-13:  # below what a record's sums can tell from nothing
        return "$0"
    digits = 2
    while amount < 10 ** (2 - digits):
        digits += 1
    return f"{sign}${amount:.{digits}f}"


def milliseconds(ms: float | None) -> str:
    """Up to a second in ms, up to two minutes in s, then in min."""
    if ms is None:
        return NOTHING
    if ms < 9.95:
        return f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 120_000:
        return f"{ms / 1000:.2f} s" if ms < 9_995 else f"{ms / 1000:.1f} s"
    return f"{ms / 60_000:.1f} min"


def percent(share: float | None) -> str:
    """A share of 1; below ten with a digit behind the point."""
    if share is None:
        return NOTHING
    hundredths = 100 * share
    return f"{hundredths:.1f} %" if 0 < abs(hundredths) < 9.95 else f"{hundredths:.0f} %"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def certified(row: Mapping[str, Any]) -> str:
    """Behind the tier of a record or an explanation: by which certificate it is one lower; nothing where it is not."""
    learned = row.get("learned")
    name = learned.get("certificate") if isinstance(learned, Mapping) else None
    return f" (one lower than the rules ask, by certificate {plain(name)})" if name else ""
