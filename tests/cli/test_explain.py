"""A decision told as a story."""

import json
from typing import Any

import pytest

from gateway.cli.explain import show, story
from gateway.cli.local_http import Reply

DECISION: dict[str, Any] = {
    "model": "auto",
    "route": "default",
    "variant": "candidate",
    "task": "code",
    "task_confidence": 0.94,
    "task_reasons": ["refactor", "bug"],
    "difficulty": 0.55,
    "escalated": True,
    "tier_required": "large",
    "sensitivity": ["pii"],
    "estimated_input_tokens": 18,
    "estimated_output_tokens": 700,
    "cost_limit_usd": 0.02,
    "panic": False,
    "plan": ["b/large"],
    "endpoints": [
        {
            "endpoint": "b/large",
            "tier": "large",
            "eligible": True,
            "reasons": [],
            "estimated_cost_usd": 0.0031,
            "health": {"breaker": "closed", "ttft_p95_ms": 310.0},
        },
        {"endpoint": "c/new", "tier": None, "eligible": True, "reasons": [], "estimated_cost_usd": None},
        *({"endpoint": f"a/{n}", "eligible": False, "reasons": ["sensitivity", "tier"]} for n in range(4)),
        {"endpoint": "d/x", "eligible": False, "reasons": ["tier"]},
    ],
}


def test_tells_what_was_asked_what_was_found_and_who_is_out() -> None:
    assert story(DECISION) == [
        "model auto on route default, arm candidate",
        "├─ task code (94 % sure: refactor, bug), difficulty 0.55",
        "├─ tier large (escalated), sensitivity pii",
        "├─ about 18 tokens in, 700 out, at most 0.02 USD",
        "├─ plan",
        "│  1. b/large  large  0.003100 USD  closed  first token p95 310 ms",
        "├─ also eligible: 1",
        "└─ excluded: 5",
        "   tier: 5 (a/0, a/1, a/2, …)",
        "   sensitivity: 4 (a/0, a/1, a/2, …)",
    ]


def test_tells_little_where_little_was_decided() -> None:
    bare = {
        "model": "x",
        "route": "r",
        "task": "chat",
        "difficulty": 0,
        "panic": True,
        "plan": ["q/x"],
        "endpoints": [],
    }
    assert story(bare)[-3:] == [
        "├─ plan (every endpoint is open: the least bad are tried)",
        "│  1. q/x  no tier  price unknown",
        "└─ excluded: 0",
    ]


def test_tells_why_a_request_is_refused() -> None:
    error = {"code": "no_eligible_endpoint", "message": "no endpoint may serve this", "excluded": {"sensitivity": 3}}
    assert story({"error": error}) == [
        "refused (no_eligible_endpoint): no endpoint may serve this",
        "   sensitivity: 3",
    ]
    assert story({"error": {"type": "api_error", "message": "broken"}}) == ["refused (api_error): broken"]


def test_status_tells_whether_there_is_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(Reply(200, json.dumps(DECISION).encode()), as_json=False) == 0
    assert show(Reply(422, json.dumps({"plan": [], "error": {"message": "no"}}).encode()), as_json=True) == 1
    assert show(Reply(200, b"<html>"), as_json=False) == 1
    assert capsys.readouterr().out.endswith("the answer (status 200) is not a decision; is this a gateway's URL?\n")
