"""A decision told as a tree."""

import json
from typing import Any

import pytest

from gateway.cli.explain import show, tree
from gateway.cli.ink import Ink
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
    "sensitivity": ["pii", "eu-only"],
    "sensitivity_by": {"pii": ["route", "header"], "eu-only": ["scanner"]},
    "estimated_input_tokens": 18,
    "estimated_output_tokens": 700,
    "cost_limit_usd": 0.02,
    "baseline": "openai/gpt-4o",
    "panic": False,
    "plan": ["b/large", "longer/name"],
    "endpoints": [
        {
            "endpoint": "b/large",
            "tier": "large",
            "eligible": True,
            "reasons": [],
            "estimated_cost_usd": 0.0031,
            "health": {"breaker": "closed", "rate_limited_for_s": None, "ttft_p95_ms": 310.0},
        },
        {
            "endpoint": "longer/name",
            "tier": "large",
            "eligible": True,
            "reasons": [],
            "estimated_cost_usd": 1.2345,
            "health": {"breaker": "half_open", "rate_limited_for_s": 12.5, "ttft_p95_ms": None},
        },
        {"endpoint": "c/new", "tier": None, "eligible": True, "reasons": [], "estimated_cost_usd": None},
        *({"endpoint": f"a/{n}", "eligible": False, "reasons": ["sensitivity", "tier"]} for n in range(4)),
        {"endpoint": "d/x", "eligible": False, "reasons": ["tier"]},
    ],
}

WHOLE = """\
auto on route default, arm candidate
├─ sensitivity  pii (by route and header), eu-only (by scanner)
├─ task         code, 94 % sure: refactor, bug; difficulty 0.55
├─ tier         large (escalated: among the most difficult)
├─ size         about 18 tokens in, 700 out; may cost $0.0200 at most
├─ baseline     openai/gpt-4o, which savings are counted against
├─ plan         tried in this order
│  ├─ 1  b/large      large  $0.00310  closed  first token p95 310 ms
│  └─ 2  longer/name  large     $1.23  half-open  rate-limited for 12.5 s
├─ also         1 eligible, behind the plan
│  └─ 1  c/new  no tier  price unknown
└─ excluded     5
   ├─ tier         5  a/0, a/1, a/2, a/3, d/x
   └─ sensitivity  4  a/0, a/1, a/2, a/3"""


def test_tells_what_was_asked_what_was_found_and_who_is_out() -> None:
    assert "\n".join(tree(DECISION, Ink())) == WHOLE


def test_keeps_to_the_width_of_the_terminal() -> None:
    lines = tree(DECISION, Ink(width=40))
    assert max(map(len, lines)) == 40
    assert lines[3] == "├─ tier         large (escalated: among…"
    assert lines[-2:] == ["   ├─ tier         5  a/0, and 4 others", "   └─ sensitivity  4  a/0, a/1, a/2, a/3"]
    assert tree(DECISION, Ink(width=34))[-1] == "   └─ sensitivity  4  4 endpoints"
    assert tree(DECISION, Ink(width=24))[-1] == "   └─ sensitivity  4  …"


def test_colours_what_is_ill_and_stays_within_the_width() -> None:
    lines = tree(DECISION, Ink(width=40, coloured=True))
    assert lines[0] == "\x1b[1mauto\x1b[0m on route \x1b[36mdefault\x1b[0m, arm \x1b[36mcandidate\x1b[0m"
    assert lines[8] == "│  └─ 2  \x1b[36mlonger/name\x1b[0m  large     $1.23  \x1b[33m…\x1b[0m"


def test_tells_little_where_little_was_decided() -> None:
    bare: dict[str, Any] = {"model": "x", "route": "r", "task": "chat", "difficulty": 0, "panic": True}
    ill = {"endpoint": "q/x", "eligible": False, "reasons": ["breaker_open"], "health": {"breaker": "open"}}
    assert "\n".join(tree({**bare, "plan": ["q/x"], "endpoints": [ill]}, Ink())) == (
        "x on route r\n"
        "├─ sensitivity  none\n"
        "├─ task         chat, - sure; difficulty 0\n"
        "├─ tier         any\n"
        "├─ size         about None tokens in, None out\n"
        "├─ plan         every endpoint is open: the least bad are tried\n"
        "│  └─ 1  q/x  no tier  price unknown  open  breaker_open\n"
        "└─ excluded     nothing"
    )


def test_tells_why_a_request_is_refused() -> None:
    error = {"code": "no_eligible_endpoint", "message": "no endpoint may serve this", "excluded": {"sensitivity": 3}}
    refused = "refused (no_eligible_endpoint): no endpoint may serve this"
    assert tree({"error": error}, Ink()) == [refused, "   sensitivity: 3"]
    assert tree({"error": {"type": "api_error", "message": "broken"}}, Ink()) == ["refused (api_error): broken"]
    told = tree({**DECISION, "plan": [], "endpoints": DECISION["endpoints"][-1:], "error": error}, Ink())
    assert told[0] == refused
    assert told[-3:] == [
        "├─ plan         nobody is left",
        "└─ excluded     1",
        "   └─ tier  1  d/x",
    ]


def test_lets_nobody_write_to_the_terminal_but_itself() -> None:
    error = {"code": "\x1b[2J", "message": "line\nline \x9b31m"}
    assert tree({"error": error}, Ink()) == ["refused (\\u001b[2J): line\\u000aline \\u009b31m"]


def test_status_tells_whether_there_is_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(Reply(200, json.dumps(DECISION).encode()), as_json=False) == 0
    assert capsys.readouterr().out == f"{WHOLE}\n"
    assert show(Reply(422, json.dumps({"plan": [], "error": {"message": "no"}}).encode()), as_json=True) == 1
    assert show(Reply(200, b"<html>"), as_json=False) == 1
    assert capsys.readouterr().out.endswith("the answer (status 200) is not a decision; is this a gateway's URL?\n")


def test_tells_by_which_certificate_the_tier_is_lower() -> None:
    learned = {"certificate": "default/code/1"}
    lines = tree({**DECISION, "tier_required": "medium", "learned": learned, "escalated": False}, Ink())
    assert "├─ tier         medium (one lower than the rules ask, by certificate default/code/1)" in lines
