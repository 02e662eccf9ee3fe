"""`/v1/explain` and the count of tokens: the same plan, and nothing sent that need not be."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.failure import Failure, FailureKind
from gateway.core.policy import Label, Requirement
from gateway.flow.explain import explained
from gateway.flow.tokens import ESTIMATE, count_tokens
from tests.support.builders import START_S, a_body, a_world, an_endpoint
from tests.support.openai_scripts import an_answer, an_error
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import Script, Status
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time


async def test_explain_tells_every_endpoint_its_eligibility_reasons_cost_and_health_and_sends_nothing() -> None:
    world = a_world("alpha/m", "beta/m", an_endpoint("gamma/m", tier=None))
    walking = Walking(world, {})
    walking.book.limited("beta/m", 7.0, START_S)
    told = await explained(walking.walk, walking.request(a_body()))
    assert (walking.upstream.calls, walking.decisions) == ([], [])
    rows = told.pop("endpoints")
    assert {name: told[name] for name in ("model", "route", "task", "tier_required", "plan", "panic", "baseline")} == {
        "model": "auto", "route": "default", "task": "chat", "tier_required": "small", "plan": ["alpha/m"],
        "panic": False, "baseline": "alpha/m",
    }  # fmt: skip
    well = {"breaker": "closed", "rate_limited_for_s": None, "ttft_p95_ms": None}
    assert rows == [
        {"endpoint": "alpha/m", "model": "m", "tier": "medium", "eligible": True, "reasons": [],
         "estimated_cost_usd": pytest.approx(806e-6), "health": well},
        {"endpoint": "gamma/m", "model": "m", "tier": None, "eligible": False, "reasons": ["tier"],
         "estimated_cost_usd": None, "health": well},
        {"endpoint": "beta/m", "model": "m", "tier": "medium", "eligible": False, "reasons": ["rate_limited"],
         "estimated_cost_usd": None, "health": {**well, "rate_limited_for_s": 7.0}},
    ]  # fmt: skip


async def test_explain_says_that_an_open_endpoint_would_be_tried_for_want_of_a_better_one() -> None:
    walking = Walking(a_world("alpha/m"), {})
    failure = Failure(FailureKind.BILLING, "402")
    walking.book.failed("alpha/m", walking.book.enter_anyway("alpha/m", START_S), failure, START_S)
    told = await explained(walking.walk, walking.request(a_body()))
    (row,) = told["endpoints"]
    assert (told["panic"], told["plan"], row["eligible"], row["reasons"], row["health"]["breaker"]) == (
        True, ["alpha/m"], False, ["breaker_open"], "open",
    )  # fmt: skip


async def test_explain_answers_a_refusal_in_its_words() -> None:
    labels = {"pii": Label("pii", Requirement(retention_days=0))}
    walking = Walking(a_world("alpha/m", labels=labels), {})
    told = await explained(walking.walk, walking.request(a_body(), headers={"x-pointsman-sensitivity": "pii"}))
    assert told["plan"] == []
    assert (told["error"]["status"], told["error"]["code"]) == (422, "no_eligible_endpoint")
    assert told["error"]["endpoints"] == {"alpha/m": ["sensitivity"]}
    assert (told["route"], told["task"], told["tier_required"], told["sensitivity"]) == (
        "default", "chat", "small", ["pii"],
    )  # fmt: skip
    (row,) = told["endpoints"]
    assert (row["endpoint"], row["eligible"], row["reasons"]) == ("alpha/m", False, ["sensitivity"])


async def test_explain_of_a_name_that_nothing_has_is_the_refusal_alone() -> None:
    walking = Walking(a_world("alpha/m"), {})
    told = await explained(walking.walk, walking.request(a_body(model="nothing")))
    assert (told["plan"], told["error"]["status"], "endpoints" in told) == ([], 404, False)


# -- count_tokens ----------------------------------------------------------------------------------------------------

BODY = {"model": "auto", "messages": [{"role": "user", "content": "x" * 400}]}
COUNTED: Script = [Status(), b'{"input_tokens": 123}']


async def counted(walking: Walking, **fields: Any) -> RecordingSink:
    sink = RecordingSink()
    await count_tokens(walking.walk, walking.request({**BODY, **fields}, Surface.COUNT_TOKENS), sink)
    return sink


async def test_a_count_is_asked_of_an_endpoint_of_the_surfaces_own_format() -> None:
    world = a_world("alpha/m", an_endpoint("beta/m", api="anthropic"))
    walking = Walking(world, {"alpha": [an_answer()], "beta": [COUNTED]})
    sink = await counted(walking)
    assert (sink.status, json.loads(sink.body), walking.upstream.tried) == (200, {"input_tokens": 123}, ["beta/m"])
    assert walking.upstream.calls[0].path.endswith("/messages/count_tokens")
    assert walking.row["cost_usd"] == 0.0


async def test_a_count_without_such_an_endpoint_is_an_estimate_that_says_so_and_has_its_row() -> None:
    walking = Walking(a_world("alpha/m"), {})
    sink = await counted(walking)
    assert (sink.status, json.loads(sink.body)) == (200, {"input_tokens": 104})
    assert sink.headers["x-pointsman-endpoint"] == ESTIMATE
    assert (walking.row["outcome"], walking.row["cost_usd"], walking.row["attempts"]) == ("ok", 0.0, [])


@pytest.mark.case("H8")
async def test_a_count_that_a_provider_refuses_is_an_error_of_the_surfaces_shape() -> None:
    world = a_world(an_endpoint("beta/m", api="anthropic"))
    walking = Walking(world, {"beta": [an_error(400, "bad tools")]})
    sink = await counted(walking)
    assert (sink.status, sink.json["type"], sink.error["message"]) == (400, "error", "bad tools")


async def test_a_count_that_nobody_may_make_is_refused_once_with_one_row() -> None:
    walking = Walking(a_world(an_endpoint("alpha/m", tier=None)), {})
    sink = await counted(walking)
    assert (sink.status, sink.json["type"], len(walking.decisions)) == (422, "error", 1)
