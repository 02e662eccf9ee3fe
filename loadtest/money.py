"""Costs from three witnesses: the answers' `usage.cost`, the gateway's metrics and records, and the vendors' own
bills."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from loadtest.flight import Flight

Json = Any  # a parsed JSON value

_SAVED = "pointsman_saved_usd_total"


@dataclass(frozen=True, slots=True)
class Accounts:
    """A reading of all witnesses at one moment; `None` where one was not asked or did not answer."""

    bills_usd: Mapping[str, Decimal] | None = None  # by provider
    saved_usd: float | None = None
    decisions_bytes: int | None = None  # the size of the decisions file


async def read_accounts(
    session: aiohttp.ClientSession, *, control: str | None, admin: str | None, decisions: Path | None
) -> Accounts:
    return Accounts(
        bills_usd=None if control is None else await _bills(session, control),
        saved_usd=None if admin is None else await _saved(session, admin),
        decisions_bytes=_size(decisions),
    )


def _size(path: Path | None) -> int | None:
    return path.stat().st_size if path is not None and path.exists() else None


async def _bills(session: aiohttp.ClientSession, control: str) -> Mapping[str, Decimal] | None:
    try:
        async with session.get(f"{control}/_control/bill") as answer:
            bills: Json = await answer.json()
    except aiohttp.ClientError:
        return None
    by_provider = bills["by_provider"] if "by_provider" in bills else {bills["provider"]: bills}  # a fleet, or a vendor
    return {provider: Decimal(bill["usd"]) for provider, bill in by_provider.items()}


async def _saved(session: aiohttp.ClientSession, admin: str) -> float | None:
    try:
        async with session.get(f"{admin}/metrics") as answer:
            return total_of(_SAVED, await answer.text())
    except aiohttp.ClientError:
        return None


def total_of(metric: str, exposition: str) -> float:
    """The sum of a metric's samples over all labels, from Prometheus' text format."""
    return math.fsum(
        float(line.rsplit("}", 1)[-1].split()[0] if "}" in line else line.split()[1])
        for line in exposition.splitlines()
        if line.startswith((f"{metric}{{", f"{metric} "))
    )


def seen_by_provider(flights: Iterable[Flight]) -> dict[str, float]:
    """What the answers said they cost, by the provider that served them."""
    sums: defaultdict[str, list[float]] = defaultdict(list)
    for flight in flights:
        if flight.cost_usd is not None:
            sums[flight.provider].append(flight.cost_usd)
    return {provider: math.fsum(costs) for provider, costs in sorted(sums.items())}


def recorded_by_provider(path: Path, from_byte: int) -> dict[str, float]:
    """What the decision records after `from_byte` say was spent, attempt by attempt."""
    sums: defaultdict[str, list[float]] = defaultdict(list)
    with path.open("rb") as lines:
        lines.seek(from_byte)
        for line in lines:
            for attempt in orjson.loads(line).get("attempts") or ():
                sums[attempt["endpoint"].partition("/")[0]].append(attempt.get("cost_usd") or 0.0)
    return {provider: math.fsum(costs) for provider, costs in sorted(sums.items())}


def bill_rows(before: Accounts, after: Accounts, ours: Mapping[str, float]) -> list[dict[str, Json]]:
    """Each provider's bill of this run beside our figure."""
    if before.bills_usd is None or after.bills_usd is None:
        return []
    rows = []
    for provider in sorted({*after.bills_usd, *ours}):
        billed = float(after.bills_usd.get(provider, Decimal(0)) - before.bills_usd.get(provider, Decimal(0)))
        our_usd = ours.get(provider, 0.0)
        if billed or our_usd:
            rows.append(
                {"provider": provider, "billed_usd": billed, "ours_usd": our_usd, "difference_usd": our_usd - billed}
            )
    return rows
