"""What each hour of the day came to, told by what the day grew by."""

from typing import Any

from msgspec.structs import replace

from gateway.core.decision import Outcome
from gateway.web.today import DAY_S, HOUR_S, Today
from tests.support.decisions import ANSWERED

MIDNIGHT_S = 20_000 * DAY_S


def add(today: Today, at_s: float, **fields: Any) -> None:
    today.add(replace(ANSWERED, time_s=float(at_s), latency_ms=0.0, **fields))


def hours(today: Today, at_s: float) -> list[tuple[int, int, int]]:
    return [(row["hour"], row["requests"], row["failed"]) for row in today.told(at_s)["by_hour"]]


def test_tells_the_hours_in_which_there_was_something() -> None:
    today, at_s = Today(MIDNIGHT_S + 2 * HOUR_S), MIDNIGHT_S + 2 * HOUR_S
    assert hours(today, at_s) == []
    add(today, at_s + 5)
    add(today, at_s + HOUR_S - 1, outcome=Outcome.FAILED, endpoint=None)
    assert hours(today, at_s + HOUR_S - 1) == [(2, 2, 1)]
    assert hours(today, at_s + 3 * HOUR_S) == [(2, 2, 1)]
    add(today, at_s + 4 * HOUR_S)
    assert hours(today, at_s + 4 * HOUR_S) == [(2, 2, 1), (6, 1, 0)]


def test_begins_anew_at_midnight() -> None:
    today = Today(MIDNIGHT_S + 22.5 * HOUR_S)
    add(today, MIDNIGHT_S + 23 * HOUR_S)
    add(today, MIDNIGHT_S + 24 * HOUR_S)
    told = today.told(MIDNIGHT_S + 24 * HOUR_S)
    assert (told["requests"], told["since_midnight"], hours(today, MIDNIGHT_S + DAY_S)) == (1, True, [(0, 1, 0)])
    assert hours(today, MIDNIGHT_S + 3 * DAY_S) == []


def test_counts_what_is_known_of_a_cost() -> None:
    today = Today(MIDNIGHT_S)
    add(today, MIDNIGHT_S, cost_usd=None)
    known = sum(row.cost_usd or 0.0 for row in ANSWERED.attempts)
    (hour,) = today.told(MIDNIGHT_S)["by_hour"]
    assert (hour["cost_usd"], hour["unpriced"]) == (known, 1)
