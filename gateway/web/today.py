"""What today cost and saved, by route and model: a fold of decisions, in memory, per process.

A day begins at midnight UTC, or when the process did; a request belongs to the day in which it ended. Only configured
names are keys, so that memory is bounded by the configuration.
"""

from collections.abc import Callable, Iterable
from typing import Any

from gateway.core.decision import Decision, Outcome
from gateway.core.value import Note
from gateway.edge.shown import iso

DAY_S = 86_400
HOUR_S = 3_600
_OK, _FAILED, _PARTIAL = Outcome.OK, Outcome.FAILED, Outcome.PARTIAL  # a member of an enum costs ten times a name

Keyed = tuple[str, str]  # route ("" where there was none yet), endpoint that answered ("" where none did)


class Sum(Note):
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
        self._hour_ends_s = _hour_after(start_s)
        self._hours: dict[int, Sum] = {}  # those that are over
        self._before = Sum()  # the day up to the hour that runs

    def add(self, decision: Decision) -> None:
        """Count one finished request."""
        ended_s = decision.time_s + decision.latency_ms / 1_000
        if ended_s >= self._hour_ends_s:
            self._turn(ended_s)
        considered = decision.considered
        key = ("" if considered is None else considered.route.name, decision.endpoint or "")
        row = self._sums.get(key)
        if row is None:
            row = self._sums[key] = Sum()
        _count(row, decision)

    def told(self, now_s: float) -> dict[str, Any]:
        """The day so far as JSON types, the dearest first."""
        if now_s >= self._hour_ends_s:
            self._turn(now_s)
        hours = {**self._hours, self._hour(): _less(_total(self._sums.values()), self._before)}
        return {
            "since": iso(self._since_s),
            "since_midnight": self._since_s % DAY_S == 0,
            **_json(_total(self._sums.values())),
            "by_route": self._by("route", lambda key: key[0]),
            "by_model": self._by("model", lambda key: key[1].partition("/")[2]),
            "by_endpoint": self._by("endpoint", lambda key: key[1]),
            "by_hour": [{"hour": hour, **_json(row)} for hour, row in hours.items() if row.requests],
        }

    def _hour(self) -> int:
        """The hour that runs."""
        return (self._hour_ends_s - 1) % DAY_S // HOUR_S

    def _turn(self, now_s: float) -> None:
        """Begin the hour that `now_s` lies in, and the day. An hour is what the day grew by, so that nothing is counted
        twice per request."""
        if now_s < self._ends_s:
            total = _total(self._sums.values())
            self._hours[self._hour()] = _less(total, self._before)
            self._before = total
        else:
            self._ends_s = _midnight_after(now_s)
            self._since_s = self._ends_s - DAY_S
            self._sums.clear()
            self._hours.clear()
            self._before = Sum()
        self._hour_ends_s = _hour_after(now_s)

    def _by(self, word: str, name_of: Callable[[Keyed], str]) -> list[dict[str, Any]]:
        groups: dict[str, list[Sum]] = {}
        for key, row in self._sums.items():
            groups.setdefault(name_of(key), []).append(row)
        totals = sorted(((name, _total(rows)) for name, rows in groups.items()), key=_dearest)
        return [{word: name, **_json(row)} for name, row in totals]


def _dearest(named: tuple[str, Sum]) -> tuple[float, int, str]:
    name, row = named
    return -row.cost_usd, -row.requests, name


def _count(row: Sum, decision: Decision) -> None:
    outcome, cost_usd = decision.outcome, decision.cost_usd
    row.requests += 1
    if outcome is _OK:
        row.ok += 1
    elif outcome is _FAILED or outcome is _PARTIAL:
        row.failed += 1
    if cost_usd is None:
        row.unpriced += 1
        cost_usd = sum(attempt.cost_usd or 0.0 for attempt in decision.attempts)
    row.cost_usd += cost_usd
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


def _less(row: Sum, part: Sum) -> Sum:
    """What is in `row` and not in `part`."""
    rest = Sum()
    for name in Sum.__struct_fields__:
        setattr(rest, name, getattr(row, name) - getattr(part, name))
    return rest


def _json(row: Sum) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Sum.__struct_fields__}


def _hour_after(now_s: float) -> int:
    return (int(now_s) // HOUR_S + 1) * HOUR_S


def _midnight_after(now_s: float) -> float:
    return float((int(now_s) // DAY_S + 1) * DAY_S)
