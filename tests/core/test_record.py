"""The record of one request, whole."""

from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.core.classify import Opinion
from gateway.core.decision import AttemptRow, Considered, Decision, Outcome, session_hash, tier_name
from gateway.core.extras import NO_EXTRAS, Extras
from gateway.core.policy import Label, Route, Variant
from gateway.core.record import KINDS_KEPT, OTHERS_SHOWN, Recorder, candidates, feedback, record, usage_json
from gateway.core.trace import Trace
from gateway.core.usage import Usage
from tests.support.builders import EPOCH_S, TIERS, a_step, an_ask

BEGUN = Trace("0af7651916cd43dd0123456789abcdef", "0123456789abcdef", None, 1, "", True)
CONSIDERED = Considered(
    route=Route("support"),
    variant=Variant("candidate", 10),
    labels=(Label("internal"), Label("pii")),
    task="code",
    task_confidence=0.87654,
    task_reasons=("stack trace",),
    difficulty=0.43219,
    tier_required=1,
    escalated=True,
    session="5e55",
    steps=(a_step("alpha/m", 0.001), a_step("beta/m", None)),
    others=(a_step("gamma/m", 0.003),),
    excluded={"delta/m": ("sensitivity", "tier"), "eps/m": ("tier",)},
    estimated_input=120,
    input_bound=2_500,
    estimated_output=700,
    budget_usd=0.02,
    baseline="gamma/m",
    panic=False,
    attempts=4,
)
DECISION = Decision(
    id="0123456789abcdef",
    time_s=EPOCH_S + 0.5,
    surface="chat",
    model="auto",
    stream=True,
    key_id="kb-1",
    tags=(("team", "kb"),),
    considered=CONSIDERED,
    tiers=TIERS,
    prompt_hash="aa",
    prompt_chars=42,
    attempts=(
        AttemptRow("alpha/m", 1.23456, None, 20.5, "server_error", 500, "500: no", 0.0),
        AttemptRow("beta/m", 22.0, 310.129, 900.0, "ok", 200, None, 0.0021, Usage(120, output=300)),
    ),
    endpoint="beta/m",
    provider="beta",
    status=200,
    outcome=Outcome.OK,
    error=None,
    usage=Usage(input=120, cached_input=20, cache_write=5, output=300, reasoning=7, provider_cost_usd=0.002),
    cost_usd=0.0021,
    baseline_cost_usd=0.0042,
    saved_usd=0.0021,
    latency_ms=922.3456,
    ttft_ms=332.129,
    response_hash="bb",
    dropped=("seed",),
    trace=BEGUN,
)


WHOLE = {
    "id": "0123456789abcdef",
    "time": "2025-11-24T16:00:00.500Z",
    "route": "support",
    "variant": "candidate",
    "key_id": "kb-1",
    "surface": "chat",
    "model": "auto",
    "stream": True,
    "task": "code",
    "task_confidence": 0.877,
    "difficulty": 0.432,
    "escalated": True,
    "tier_required": "medium",
    "sensitivity": ["internal", "pii"],
    "tags": {"team": "kb"},
    "session_hash": "5e55",
    "prompt_hash": "aa",
    "prompt_chars": 42,
    "estimated_input_tokens": 120,
    "plan": ["alpha/m", "beta/m"],
    "candidates": [
        {"endpoint": "alpha/m", "eligible": True, "reasons": [], "estimated_cost": 0.001},
        {"endpoint": "beta/m", "eligible": True, "reasons": [], "estimated_cost": None},
        {"endpoint": "gamma/m", "eligible": True, "reasons": [], "estimated_cost": 0.003},
        {"endpoint": "delta/m", "eligible": False, "reasons": ["sensitivity", "tier"], "estimated_cost": None},
        {"endpoint": "eps/m", "eligible": False, "reasons": ["tier"], "estimated_cost": None},
    ],
    "excluded": {"sensitivity": 1, "tier": 2},
    "panic": False,
    "attempts": [
        {
            "endpoint": "alpha/m", "started_ms": 1.23, "ttft_ms": None, "duration_ms": 20.5,
            "outcome": "server_error", "status": 500, "error": "500: no", "cost_usd": 0.0,
        },
        {
            "endpoint": "beta/m", "started_ms": 22.0, "ttft_ms": 310.13, "duration_ms": 900.0,
            "outcome": "ok", "status": 200, "error": None, "cost_usd": 0.0021,
        },
    ],
    "endpoint": "beta/m",
    "status": 200,
    "outcome": "ok",
    "error": None,
    "usage": {
        "input": 120, "cached_input": 20, "cache_write": 5, "output": 300, "reasoning": 7, "estimated": False,
    },
    "cost_usd": 0.0021,
    "provider_cost_usd": 0.002,
    "baseline": "gamma/m",
    "baseline_cost_usd": 0.0042,
    "saved_usd": 0.0021,
    "latency_ms": 922.35,
    "ttft_ms": 332.13,
    "response_hash": "bb",
    "dropped": ["seed"],
    "trace_id": "0af7651916cd43dd0123456789abcdef",
}  # fmt: skip


def test_is_the_whole_story_in_the_order_of_the_contract() -> None:
    assert list(record(DECISION).items()) == list(WHOLE.items())


def test_tells_what_a_learned_model_said_where_one_was_asked() -> None:
    assert DECISION.considered is not None
    considered = replace(DECISION.considered, opinion=Opinion(0.12345, 0.98765, 60, 12), certificate="support/code/1")
    assert record(replace(DECISION, considered=considered))["learned"] == {
        "score": 0.123, "as_good": 0.988, "needed": 12, "neighbours": 60, "certificate": "support/code/1",
    }  # fmt: skip


def test_tells_by_which_score_of_the_rules_a_certificate_went() -> None:
    assert DECISION.considered is not None
    considered = replace(DECISION.considered, difficulty=0.3129, certificate="support/code/1")
    assert record(replace(DECISION, considered=considered))["learned"] == {
        "score": 0.313, "as_good": None, "needed": 0, "neighbours": 0, "certificate": "support/code/1",
    }  # fmt: skip


def test_is_short_where_a_request_was_refused_before_its_plan() -> None:
    refused = replace(
        DECISION, considered=None, attempts=(), endpoint=None, provider=None, status=400, outcome=Outcome.REJECTED,
        error="bad", usage=None, cost_usd=0.0, baseline_cost_usd=None, saved_usd=None, ttft_ms=None, response_hash=None,
        trace=None,
    )  # fmt: skip
    told: dict[str, Any] = record(refused)
    empty = {name for name, value in told.items() if value in (None, [], {}, False)}
    assert empty == {
        "route", "variant", "task", "task_confidence", "difficulty", "escalated", "tier_required", "sensitivity",
        "session_hash", "estimated_input_tokens", "plan", "candidates", "excluded", "panic", "attempts", "endpoint",
        "usage", "cost_usd", "provider_cost_usd", "baseline", "baseline_cost_usd", "saved_usd", "ttft_ms",
        "response_hash", "trace_id",
    }  # fmt: skip
    assert (told["outcome"], told["status"], told["error"]) == ("rejected", 400, "bad")


def test_names_a_trace_only_where_somebody_has_spans_of_it() -> None:
    unseen = replace(BEGUN, recorded=False)
    assert record(replace(DECISION, trace=unseen))["trace_id"] is None
    assert record(replace(DECISION, trace=replace(unseen, parent_id="00f067aa0ba902b7")))["trace_id"] == BEGUN.trace_id


def test_holds_texts_only_where_they_are_given() -> None:
    assert "texts" not in record(DECISION)
    assert record(replace(DECISION, texts={"request": {}}))["texts"] == {"request": {}}


def test_has_no_variant_and_no_tier_where_there_is_none() -> None:
    told = record(replace(DECISION, considered=replace(CONSIDERED, variant=None, tier_required=None)))
    assert (told["variant"], told["tier_required"]) == (None, None)
    plain = record(replace(DECISION, considered=replace(CONSIDERED, excluded={}, labels=())))
    assert (plain["excluded"], plain["sensitivity"]) == ({}, [])
    assert tier_name(2, TIERS) == "large"
    assert usage_json(None) is None


def test_shows_the_plan_and_eight_others() -> None:
    many = replace(
        CONSIDERED,
        others=tuple(a_step(f"o{n}/m") for n in range(5)),
        excluded={"alpha/m": ("breaker_open",), **{f"x{n}/m": ("tier",) for n in range(5)}},
    )
    shown = [row.endpoint for row in candidates(many)]
    assert shown == ["alpha/m", "beta/m", *(f"o{n}/m" for n in range(5)), "x0/m", "x1/m", "x2/m"]
    most = replace(CONSIDERED, others=tuple(a_step(f"o{n}/m") for n in range(20)))
    assert len(candidates(most)) == 2 + OTHERS_SHOWN


def test_counts_what_requests_of_a_kind_share_only_once() -> None:
    class Looked(dict[str, tuple[str, ...]]):
        looks = 0

        def values(self) -> Any:
            self.looks += 1
            return super().values()

    recorder, shared = Recorder(), Looked({"delta/m": ("tier",)})
    of_a_kind = replace(DECISION, considered=replace(CONSIDERED, excluded=shared))
    assert [recorder.record(of_a_kind).excluded for _ in range(3)] == [{"tier": 1}] * 3
    assert shared.looks == 1
    for number in range(KINDS_KEPT):
        other = replace(CONSIDERED, excluded={"x/m": ("price",) * (number + 1)})
        assert recorder.record(replace(DECISION, considered=other)).excluded == {"price": number + 1}
    recorder.record(of_a_kind)
    assert shared.looks == 2


def test_is_the_same_as_a_line_of_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(Recorder().record(DECISION))) == record(DECISION)


def test_names_a_session_by_a_hash_so_that_the_clients_own_name_never_shows() -> None:
    ask = an_ask()
    assert session_hash(ask, NO_EXTRAS) == ask.survey.prefix_hash
    assert session_hash(ask, Extras(session="jane@example.com")) == "9446bf63555f4d3e"
    assert len(session_hash(ask, Extras(session="\udcff"))) == 16


def test_gives_feedback_a_row_of_its_own() -> None:
    assert feedback("d1", -0.5, "wrong", EPOCH_S) == {
        "type": "feedback", "decision": "d1", "score": -0.5, "comment": "wrong", "time": "2025-11-24T16:00:00.000Z",
    }  # fmt: skip
