"""Which requests are worth their spans though the head said no."""

from typing import Any

import pytest

from gateway.core.decision import AttemptRow, Decision, Outcome
from gateway.core.tail import BURST, KEPT_PER_S, Tail

ONE = AttemptRow("alpha/m", 0.0, None, 10.0, "ok", 200, None, 0.0)


def a_decision(**changes: Any) -> Decision:
    plain: dict[str, Any] = {
        "id": "0" * 16, "time_s": 0.0, "surface": "chat", "model": "auto", "stream": False, "key_id": None, "tags": (),
        "considered": None, "tiers": (), "prompt_hash": None, "prompt_chars": 0, "attempts": (ONE,), "endpoint": None,
        "provider": None, "status": 200, "outcome": Outcome.OK, "error": None, "usage": None, "cost_usd": None,
        "baseline_cost_usd": None, "saved_usd": None, "latency_ms": 10.0, "ttft_ms": None, "response_hash": None,
    }  # fmt: skip
    return Decision(**{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, False),
        ({"outcome": Outcome.FAILED, "status": 429}, True),
        ({"outcome": Outcome.PARTIAL}, True),
        ({"outcome": Outcome.REJECTED, "status": 400}, False),  # the client's own fault
        ({"outcome": Outcome.REJECTED, "status": 503}, True),
        ({"outcome": Outcome.CANCELLED, "status": 499}, False),
        ({"attempts": (ONE, ONE)}, True),
        ({"latency_ms": 1_999.0}, False),
        ({"latency_ms": 2_000.0}, True),
        ({"latency_ms": 60_000.0, "ttft_ms": 300.0}, False),  # a long answer that began soon
        ({"latency_ms": 60_000.0, "ttft_ms": 2_000.0}, True),
    ],
)
def test_keeps_failures_failovers_and_slow_requests(changes: dict[str, Any], kept: bool) -> None:
    assert Tail(slow_s=2.0).keeps(a_decision(**changes), 1_000.0) is kept


def test_keeps_only_so_many_a_second() -> None:
    tail, failed = Tail(slow_s=2.0), a_decision(outcome=Outcome.FAILED, status=503)
    kept = [sum(tail.keeps(failed, now_s) for _ in range(1_000)) for now_s in (1_000.0, 1_000.0, 1_001.0, 9_000.0)]
    assert kept == [BURST, 0, KEPT_PER_S, BURST]


def test_what_is_not_worth_it_takes_nobodys_place() -> None:
    tail, failed = Tail(slow_s=2.0), a_decision(outcome=Outcome.FAILED, status=503)
    assert not any(tail.keeps(a_decision(), 1_000.0) for _ in range(1_000))
    assert tail.keeps(failed, 1_000.0)
