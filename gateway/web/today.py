"""What today cost and saved, by route and model: a fold of decisions, in memory, per process.

A day begins at midnight UTC, or when the process did; a request belongs to the day in which it ended. Only configured
names are keys, so that memory is bounded by the configuration.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct

from gateway.core.decision import Decision, Outcome
from gateway.edge.shown import iso

DAY_S = 86_400
HOUR_S = 3_600

Key = TypeVar("Key")
Keyed = tuple[str, str]  # route ("" where there was none yet), endpoint that answered ("" where none did)


class Sum(Struct, gc=False):
    """Requests added up. Money in USD."""

    requests: int = 0
    ok: int = 0
    failed: int = 0  # failed, or broken off after content was delivered
    cost_usd: float = 0.0
    unpriced: int = 0  # requests of which a part of the cost is unknown
    compared: int = 0  # requests that have a baseline
    baseline_cost_usd: float = 0.0  # of those
    saved_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


class Today:
    """Mutable; one per gateway process."""

    def __init__(self, start_s: float) -> None:
        """`start_s`: Unix time at which the process began."""
        self._since_s = start_s
        self._ends_s = _midnight_after(start_s)
        self._sums: dict[Keyed, Sum] = {}
        self._hours: dict[int, Sum] = {}

    def add(self, decision: Decision) -> None:
        """Count one finished request."""
        ended_s = decision.time_s + decision.latency_ms / 1_000
        if ended_s >= self._ends_s:
            self._turn(ended_s)
        considered = decision.considered
        key = ("" if considered is None else considered.route.name, decision.endpoint or "")
        cost_usd, unknown = decision.cost_usd, 0
        if cost_usd is None:
            cost_usd, unknown = sum(row.cost_usd or 0.0 for row in decision.attempts), 1
        _count(_of(self._sums, key), decision, cost_usd, unknown)
        _count(_of(self._hours, int(ended_s % DAY_S) // HOUR_S), decision, cost_usd, unknown)

    def told(self, now_s: float) -> dict[str, Any]:
        """The day so far as JSON types, the dearest first."""
        if now_s >= self._ends_s:
            self._turn(now_s)
        return {
            "since": iso(self._since_s),
            "since_midnight": self._since_s % DAY_S == 0,
            **_json(_total(self._sums.values())),
            "by_route": self._by("route", lambda key: key[0]),
            "by_model": self._by("model", lambda key: key[1].partition("/")[2]),
            "by_endpoint": self._by("endpoint", lambda key: key[1]),
            "by_hour": [{"hour": hour, **_json(row)} for hour, row in sorted(self._hours.items())],
        }

    def _turn(self, now_s: float) -> None:
        """Begin the day that `now_s` lies in."""
        self._ends_s = _midnight_after(now_s)
        self._since_s = self._ends_s - DAY_S
        self._sums.clear()
        self._hours.clear()

    def _by(self, word: str, name_of: Callable[[Keyed], str]) -> list[dict[str, Any]]:
        groups: dict[str, list[Sum]] = {}
        for key, row in self._sums.items():
            groups.setdefault(name_of(key), []).append(row)
        totals = sorted(((name, _total(rows)) for name, rows in groups.items()), key=_dearest)
        return [{word: name, **_json(row)} for name, row in totals]


def _of(sums: dict[Key, Sum], key: Key) -> Sum:
    found = sums.get(key)
    if found is None:
        found = sums[key] = Sum()
    return found


def _dearest(named: tuple[str, Sum]) -> tuple[float, int, str]:
    name, row = named
    return -row.cost_usd, -row.requests, name


def _count(row: Sum, decision: Decision, cost_usd: float, unknown: int) -> None:
    outcome = decision.outcome
    row.requests += 1
    if outcome is Outcome.OK:
        row.ok += 1
    elif outcome is Outcome.FAILED or outcome is Outcome.PARTIAL:
        row.failed += 1
    row.cost_usd += cost_usd
    row.unpriced += unknown
    if decision.saved_usd is not None:
        row.compared += 1
        row.saved_usd += decision.saved_usd
        row.baseline_cost_usd += decision.baseline_cost_usd or 0.0
    usage = decision.usage
    if usage is not None:
        row.input_tokens += usage.input
        row.output_tokens += usage.output


def _total(rows: Iterable[Sum]) -> Sum:
    total = Sum()
    for row in rows:
        for name in Sum.__struct_fields__:
            setattr(total, name, getattr(total, name) + getattr(row, name))
    return total


def _json(row: Sum) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Sum.__struct_fields__}


def _midnight_after(now_s: float) -> int:
    return (int(now_s) // DAY_S + 1) * DAY_S
