"""What today cost and saved."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.decision import Considered, Decision, Outcome
from gateway.core.policy import Route
from gateway.web.today import DAY_S, Today
from tests.support.decisions import ANSWERED, CONSIDERED, REFUSED

MIDNIGHT_S = 20_000 * DAY_S
START_S = MIDNIGHT_S + 3_600 * 9.5
NONE = {
    "requests": 0, "ok": 0, "failed": 0, "cost_usd": 0.0, "unpriced": 0, "compared": 0, "baseline_cost_usd": 0.0,
    "saved_usd": 0.0, "input_tokens": 0, "output_tokens": 0,
}  # fmt: skip
ONE = {
    **NONE, "requests": 1, "ok": 1, "cost_usd": 0.0021, "compared": 1, "baseline_cost_usd": 0.0042,
    "saved_usd": 0.0021, "input_tokens": 120, "output_tokens": 300,
}  # fmt: skip


def ended(at_s: float, of: Decision = ANSWERED, **changes: Any) -> Decision:
    """A decision whose request ended then."""
    return replace(of, time_s=at_s - 1, latency_ms=1_000.0, **changes)


def on_route(name: str) -> Considered:
    return replace(CONSIDERED, route=Route(name))


def told(*decisions: Decision, now_s: float = START_S + 60) -> dict[str, Any]:
    today = Today(START_S)
    for decision in decisions:
        today.add(decision)
    return today.told(now_s)


def test_begins_with_the_process_and_with_nothing() -> None:
    assert told() == {
        "since": "2024-10-04T09:30:00Z", "since_midnight": False, **NONE, "by_route": [], "by_model": [],
        "by_endpoint": [], "by_hour": [],
    }  # fmt: skip


def test_adds_up_by_route_model_endpoint_and_hour() -> None:
    shown = told(ended(START_S + 1))
    assert shown == {
        "since": "2024-10-04T09:30:00Z",
        "since_midnight": False,
        **ONE,
        "by_route": [{"route": "support", **ONE}],
        "by_model": [{"model": "m2", **ONE}],
        "by_endpoint": [{"endpoint": "beta/m2", **ONE}],
        "by_hour": [{"hour": 9, **ONE}],
    }


def test_lists_the_dearest_first() -> None:
    cheap = ended(START_S + 1, considered=on_route("cheap"), cost_usd=0.001)
    shown = told(cheap, cheap, ended(START_S + 3_600, considered=on_route("dear"), cost_usd=1.0))
    assert [(row["route"], row["requests"], row["cost_usd"]) for row in shown["by_route"]] == [
        ("dear", 1, 1.0),
        ("cheap", 2, 0.002),
    ]
    assert [(row["hour"], row["requests"]) for row in shown["by_hour"]] == [(9, 2), (10, 1)]


def test_joins_a_models_endpoints() -> None:
    shown = told(ended(START_S + 1), ended(START_S + 1, endpoint="gamma/m2"))
    assert [(row["model"], row["requests"]) for row in shown["by_model"]] == [("m2", 2)]
    assert [row["endpoint"] for row in shown["by_endpoint"]] == ["beta/m2", "gamma/m2"]


def test_counts_what_had_no_route_or_no_answer() -> None:
    shown = told(ended(START_S + 1, REFUSED, endpoint=None))
    assert [(row["route"], row["requests"], row["ok"]) for row in shown["by_route"]] == [("", 1, 0)]


@pytest.mark.parametrize(
    ("outcome", "ok", "failed"),
    [
        (Outcome.OK, 1, 0),
        (Outcome.FAILED, 0, 1),
        (Outcome.PARTIAL, 0, 1),
        (Outcome.REJECTED, 0, 0),
        (Outcome.CANCELLED, 0, 0),
    ],
)
def test_blames_only_what_failed(outcome: Outcome, ok: int, failed: int) -> None:
    shown = told(ended(START_S + 1, outcome=outcome))
    assert (shown["ok"], shown["failed"]) == (ok, failed)


def test_an_unknown_cost_counts_for_what_is_known_of_it() -> None:
    shown = told(ended(START_S + 1, cost_usd=None, saved_usd=None, baseline_cost_usd=None, usage=None))
    assert (shown["cost_usd"], shown["unpriced"], shown["compared"]) == (0.0021, 1, 0)


def test_a_new_day_begins_at_midnight_utc_with_the_request_that_ends_in_it() -> None:
    midnight_s = MIDNIGHT_S + DAY_S
    shown = told(ended(midnight_s - 0.5), ended(midnight_s + 0.5), now_s=midnight_s + 60)
    assert (shown["since"], shown["since_midnight"], shown["requests"]) == ("2024-10-05T00:00:00Z", True, 1)


def test_yesterday_is_not_told_though_nothing_came_since() -> None:
    shown = told(ended(START_S + 1), now_s=MIDNIGHT_S + 3 * DAY_S)
    assert (shown["since"], shown["requests"], shown["by_route"]) == ("2024-10-07T00:00:00Z", 0, [])


def test_its_memory_is_bounded_by_names_of_the_configuration() -> None:
    today = Today(START_S)
    for number in range(1_000):
        today.add(ended(START_S + number, model=f"made-up-{number}", key_id=f"key-{number}"))
    shown = today.told(START_S + 1_000)
    assert [len(shown[name]) for name in ("by_route", "by_model", "by_endpoint", "by_hour")] == [1, 1, 1, 1]
