"""A decision told whole."""

from typing import Any

from gateway.cli.decision_story import account
from gateway.cli.ink import Ink

ROW: dict[str, Any] = {
    "id": "3923db011270e294",
    "time": "2026-11-25T10:16:03.514Z",
    "route": "support",
    "variant": "candidate",
    "key_id": "kb-search",
    "surface": "chat",
    "model": "auto",
    "stream": True,
    "task": "factual",
    "task_confidence": 0.533,
    "difficulty": 0.201,
    "escalated": True,
    "tier_required": "large",
    "sensitivity": ["pii"],
    "tags": {"team": "a"},
    "session_hash": "aaaa",
    "prompt_hash": "bbbb",
    "prompt_chars": 20,
    "estimated_input_tokens": 9,
    "plan": ["fast/open-8b", "pro/pro-1"],
    "candidates": [
        {"endpoint": "fast/open-8b", "eligible": True, "reasons": [], "estimated_cost": 1.2e-05},
        {"endpoint": "pro/pro-1", "eligible": True, "reasons": [], "estimated_cost": None},
    ],
    "excluded": {"tier": 4, "sensitivity": 2},
    "panic": False,
    "attempts": [
        {"endpoint": "fast/open-8b", "started_ms": 0.8, "ttft_ms": None, "duration_ms": 399.2,
         "outcome": "server_error", "status": 500, "error": "it broke", "cost_usd": 0.0},
        {"endpoint": "pro/pro-1", "started_ms": 400.0, "ttft_ms": 200.0, "duration_ms": 600.0, "outcome": "ok",
         "status": 200, "error": None, "cost_usd": 0.00034},
    ],
    "endpoint": "pro/pro-1",
    "status": 200,
    "outcome": "ok",
    "error": None,
    "usage": {"input": 10, "cached_input": 4, "cache_write": 0, "output": 35, "reasoning": 5, "estimated": True},
    "cost_usd": 0.00034,
    "provider_cost_usd": 0.0004,
    "baseline": "pro/pro-2",
    "baseline_cost_usd": 0.00068,
    "saved_usd": 0.00034,
    "latency_ms": 1000.0,
    "ttft_ms": 600.0,
    "response_hash": "cccc",
    "dropped": ["top_k"],
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}  # fmt: skip

WHOLE = """\
decision 3923db011270e294, 2026-11-25 10:16:03.514 UTC
asked        auto (chat, stream, key kb-search)
tags         team=a
prompt       20 characters, about 9 tokens, prompt bbbb, session aaaa
route        support, arm candidate
sensitivity  pii
task         factual, 53 % sure, difficulty 0.201
tier         large (escalated)
plan         2 endpoints
             1  fast/open-8b  about $0.0000120
             2  pro/pro-1     price unknown
excluded     tier 4, sensitivity 2
attempts     2 attempts
  1  fast/open-8b  server_error 500  │████████████████                        │  399 ms, $0
     it broke
  2  pro/pro-1     ok 200            │                ░░░░░░░░████████████████│  600 ms, first content 200 ms, $0.000340
                                      0                                 1.00 s  (░ until the first content)
ended        ok (200) by pro/pro-1, 1.00 s, first content after 600 ms
dropped      top_k (parameters that the endpoint does not have)
usage        10 tokens in (4 from the cache), 35 out (5 of them reasoning), estimated
cost         $0.000340, by the provider's own account $0.000400
saved        $0.000340 (50 %): pro/pro-2 would have cost $0.000680
trace        4bf92f3577b34da6a3ce929d0e0e4736"""


def test_tells_everything_and_draws_the_attempts_on_one_axis() -> None:
    assert "\n".join(account(ROW, Ink())) == WHOLE


def test_says_whether_the_answer_is_the_json_that_was_asked_for() -> None:
    told = ["\n".join(account({**ROW, "format_ok": kept}, Ink())) for kept in (True, False)]
    assert ["form         JSON, as asked" in told[0], "form         no JSON, though asked" in told[1]] == [True, True]


def test_narrows_the_axis_for_a_narrow_terminal() -> None:
    lines = account(ROW, Ink(96))
    assert lines[13] == "  1  fast/open-8b  server_error 500  │██████          │  399 ms, $0"
    assert max(map(len, lines)) == 96


def test_colours_each_attempt_by_how_it_ended() -> None:
    lines = account(ROW, Ink(200, coloured=True))
    assert "\x1b[31m████████████████                        \x1b[0m" in lines[13]
    assert "\x1b[32m                ░░░░░░░░████████████████\x1b[0m" in lines[15]


def test_tells_of_a_request_that_got_no_plan() -> None:
    refused = {
        "id": "x", "time": "2026-11-25T10:16:03.514Z", "model": "nope", "surface": "messages", "stream": False,
        "route": None, "outcome": "rejected", "status": 404, "error": "no model is named 'nope'", "cost_usd": 0.0,
        "latency_ms": 0.31, "prompt_chars": 1, "attempts": [],
    }  # fmt: skip
    assert "\n".join(account(refused, Ink())) == (
        "decision x, 2026-11-25 10:16:03.514 UTC\n"
        "asked        nope (messages, whole reply)\n"
        "prompt       1 character\n"
        "ended        rejected (404), 0.3 ms\n"
        "error        no model is named 'nope'\n"
        "cost         $0"
    )


def test_tells_of_a_panic_and_of_units_and_unknown_costs() -> None:
    row = {
        **ROW, "plan": [], "panic": True, "excluded": {}, "usage": {"input": 0, "output": 0, "units": 3},
        "attempts": [], "cost_usd": None, "provider_cost_usd": None, "baseline_cost_usd": None, "saved_usd": None,
        "escalated": False, "tier_required": None, "task_confidence": None, "sensitivity": [], "dropped": [],
    }  # fmt: skip
    lines = account(row, Ink())
    assert lines[5:10] == [
        "sensitivity  none",
        "task         factual, difficulty 0.201",
        "tier         any",
        "plan         nobody was left",
        "excluded     nothing",
    ]
    assert lines[11:13] == ["usage        0 tokens in, 0 out, 3 units", "cost         unknown"]
    assert account({**row, "plan": ["a/x"]}, Ink())[8] == (
        "plan         1 endpoint (every endpoint was open: the least bad were tried)"
    )


def test_tells_by_which_certificate_the_tier_is_lower() -> None:
    learned = {"certificate": "default/code/1"}
    lines = account({**ROW, "tier_required": "medium", "learned": learned, "escalated": False}, Ink())
    assert "tier         medium (one lower than the rules ask, by certificate default/code/1)" in lines
