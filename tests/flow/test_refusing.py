"""What a client is told when nothing could answer: the cause, in words that help, and nothing it must not see."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Operation, Privacy
from gateway.core.failure import FailureKind
from gateway.core.policy import Label, Limits, Requirement, Route
from tests.support.builders import a_price, a_provider, a_world, an_endpoint
from tests.support.openai_scripts import SSE, an_answer, an_error, event
from tests.support.scripted_upstream import HANG, Script
from tests.support.walking import NoKeys, Walking

pytestmark = pytest.mark.virtual_time


def one(script: Script) -> Walking:
    return Walking(a_world("alpha/m"), {"alpha": [script]})


# -- after attempts --------------------------------------------------------------------------------------------------


@pytest.mark.case("L1")
async def test_the_retry_after_of_a_429_reaches_the_client_in_its_own_error_shape() -> None:
    walking = one(an_error(429, "slow down", retry_after="30"))
    sink = await walking.ask()
    assert (sink.status, sink.headers["retry-after"]) == (429, "30")
    assert sink.error == {
        "message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limited",
        "metadata": {"attempts": [{"endpoint": "alpha/m", "outcome": "rate_limited", "status": 429,
                                   "error": "429: slow down"}]},
    }  # fmt: skip


@pytest.mark.case("L2")
async def test_a_prompt_that_fits_nowhere_is_the_providers_400_without_a_retry_or_blame() -> None:
    walking = Walking(
        a_world("alpha/m", "beta/m"),
        {"alpha": [an_error(400, "maximum context length is 128000 tokens", "context_length_exceeded")]},
    )
    sink = await walking.ask()
    assert (sink.status, sink.error["code"]) == (400, "context_length_exceeded")
    assert sink.error["message"] == "maximum context length is 128000 tokens"
    assert (walking.upstream.tried, walking.row["outcome"]) == (["alpha/m"], "rejected")
    assert walking.book.verdict("alpha/m", 1_000.0).badness == 0


@pytest.mark.case("L3")
@pytest.mark.parametrize(
    ("script", "outcome"),
    [([HANG], "answer_timeout"), ([FailureKind.UNREACHABLE], "unreachable"), (an_error(500), "server_error")],
)
async def test_a_timeout_a_refused_connection_and_an_error_can_be_told_apart(script: Script, outcome: str) -> None:
    sink = await one(script).ask()
    assert (sink.status, sink.error["code"]) == (503, "all_attempts_failed")
    assert [row["outcome"] for row in sink.error["metadata"]["attempts"]] == [outcome]


@pytest.mark.case("L4")
async def test_an_error_frame_in_a_200_stream_is_the_400_that_it_says() -> None:
    walking = one([SSE, event({"error": {"code": 400, "message": "context length exceeded"}})])
    sink = await walking.ask(stream=True)
    assert (sink.status, sink.error["message"]) == (400, "context length exceeded")
    assert sink.headers["x-pointsman-endpoint"] == "alpha/m"
    assert not sink.streamed


async def test_a_400_passes_through_with_the_providers_words_and_position() -> None:
    body = (
        b'{"error":{"message":"temperature too high","type":"invalid_request_error","param":"temperature","code":"x"}}'
    )
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [[an_error(400)[0], body]]})
    sink = await walking.ask()
    assert sink.status == 400
    assert sink.error == {
        "message": "temperature too high", "type": "invalid_request_error", "param": "temperature", "code": "x",
    }  # fmt: skip
    assert (walking.row["outcome"], walking.row["status"], walking.upstream.tried) == ("rejected", 400, ["alpha/m"])


async def test_when_all_fail_the_client_gets_every_attempt_and_is_told_not_to_repeat_it_at_once() -> None:
    walking = Walking(
        a_world("alpha/m", "beta/m", "gamma/m"),
        {"alpha": [an_error(500, "boom")], "beta": [[FailureKind.UNREACHABLE]],
         "gamma": [an_error(503, retry_after="9")]},
    )  # fmt: skip
    sink = await walking.ask()
    assert (sink.status, sink.headers["x-should-retry"], sink.headers["retry-after"]) == (503, "false", "9")
    assert sink.headers["x-pointsman-attempts"] == "3"
    assert (sink.error["type"], sink.error["code"]) == ("api_error", "all_attempts_failed")
    assert [(row["endpoint"], row["outcome"], row["status"]) for row in sink.error["metadata"]["attempts"]] == [
        ("alpha/m", "server_error", 500), ("beta/m", "unreachable", None), ("gamma/m", "overloaded", 503),
    ]  # fmt: skip
    assert sink.error["message"].startswith("all attempts failed: alpha/m: 500: boom; beta/m: ")
    assert (walking.row["outcome"], walking.row["cost_usd"]) == ("failed", 0.0)


async def test_neither_keys_nor_pages_of_a_provider_are_shown() -> None:
    sink = await one(an_error(401, "Incorrect API key provided: sk-canary12345678901234567890")).ask()
    assert sink.status == 503
    assert b"canary" not in sink.body


async def test_a_failure_tells_when_to_come_back_and_who_was_never_asked() -> None:
    private = a_provider("alpha", privacy=Privacy(retention_days=0))
    world = a_world("alpha/m", "beta/m", labels=STRICT, providers=[private])
    walking = Walking(world, {"alpha": [an_error(500, "boom")]})
    sink = await walking.ask(headers={"x-pointsman-sensitivity": "pii"})
    assert (sink.status, sink.headers["retry-after"], walking.upstream.tried) == (503, "5", ["alpha/m"])
    assert sink.error["metadata"]["excluded"] == {"sensitivity": 1}
    assert sink.error["message"] == "all attempts failed: alpha/m: 500: boom; not tried: 1 by sensitivity"


@pytest.mark.parametrize("kind", [FailureKind.UNREACHABLE, FailureKind.CONNECT_TIMEOUT, FailureKind.DISCONNECTED])
async def test_a_sensitive_request_whose_guarantors_are_down_is_a_422_that_says_why(kind: FailureKind) -> None:
    private = a_provider("alpha", privacy=Privacy(retention_days=0))
    world = a_world("alpha/m", "beta/m", labels=STRICT, providers=[private])
    walking = Walking(world, {"alpha": [[kind]]})
    sink = await walking.ask(headers={"x-pointsman-sensitivity": "pii"})
    assert (sink.status, sink.error["code"], walking.upstream.tried) == (422, "no_eligible_endpoint", ["alpha/m"])
    assert sink.error["message"].startswith("no endpoint may serve this request: it is pii, those that guarantee")
    assert sink.error["metadata"]["endpoints"] == {"beta/m": ["sensitivity"]}
    assert [row["outcome"] for row in sink.error["metadata"]["attempts"]] == [kind.value]
    assert (walking.row["outcome"], walking.row["status"]) == ("failed", 422)


# -- before any attempt ----------------------------------------------------------------------------------------------


async def refused(walking: Walking, status: int, **asked: Any) -> dict[str, Any]:
    sink = await walking.ask(**asked)
    assert (sink.status, walking.upstream.calls, walking.row["outcome"]) == (status, [], "rejected")
    error: dict[str, Any] = sink.error
    return error


STRICT = {"pii": Label("pii", Requirement(retention_days=0))}


async def test_a_sensitive_request_that_nobody_may_serve_is_a_422_that_says_why() -> None:
    walking = Walking(a_world("alpha/m", "beta/m", labels=STRICT), {})
    error = await refused(walking, 422, headers={"x-pointsman-sensitivity": "pii"})
    assert error["code"] == "no_eligible_endpoint"
    assert error["message"] == (
        "no endpoint may serve this request: 2 by sensitivity. "
        "The request is pii: its provider must guarantee what that label requires"
    )
    assert error["metadata"] == {
        "excluded": {"sensitivity": 2},
        "endpoints": {"alpha/m": ["sensitivity"], "beta/m": ["sensitivity"]},
    }
    told = ("route", "task", "tier_required", "sensitivity", "plan", "excluded", "attempts", "endpoint", "status")
    assert {name: walking.row[name] for name in told} == {
        "route": "default", "task": "chat", "tier_required": "small", "sensitivity": ["pii"], "plan": [],
        "excluded": {"sensitivity": 2}, "attempts": [], "endpoint": None, "status": 422,
    }  # fmt: skip
    assert walking.row["candidates"][0] == {
        "endpoint": "alpha/m", "eligible": False, "reasons": ["sensitivity"], "estimated_cost": None,
    }  # fmt: skip


async def test_naming_the_model_does_not_help_against_sensitivity() -> None:
    walking = Walking(a_world("alpha/m", labels=STRICT), {})
    for model in ("m", "alpha/m", "auto", "tier:small"):
        error = await refused(walking, 422, model=model, headers={"x-pointsman-sensitivity": "pii"})
        assert error["metadata"]["excluded"] == {"sensitivity": 1}


async def test_a_limit_that_pays_for_no_useful_answer_is_a_402_with_the_lowest_estimate() -> None:
    walking = Walking(a_world("alpha/m", "beta/m"), {})
    error = await refused(walking, 402, headers={"x-pointsman-max-cost": "0.0001"})
    assert (error["code"], error["type"]) == ("cost_limit", "cost_limit_error")
    assert error["message"] == (
        "no endpoint can promise to stay within the cost limit; the lowest estimate is 0.003100 USD; "
        "raise the limit or shorten the request"
    )
    lowest = error["metadata"]["lowest_estimate_usd"]
    assert lowest == pytest.approx(0.003099)
    answering = Walking(a_world("alpha/m", "beta/m"), {"alpha": [an_answer()]})
    assert (await answering.ask(headers={"x-pointsman-max-cost": str(lowest)})).status == 200


async def test_an_unknown_price_cannot_keep_to_a_limit() -> None:
    walking = Walking(a_world("alpha/m", prices={"alpha/m": None}), {})
    error = await refused(walking, 402, headers={"x-pointsman-max-cost": "1"})
    assert error["metadata"]["lowest_estimate_usd"] is None


async def test_a_limit_is_not_to_blame_where_nothing_would_remain_without_it() -> None:
    walking = Walking(a_world("alpha/m", labels=STRICT), {})
    headers = {"x-pointsman-max-cost": "0.0001", "x-pointsman-sensitivity": "pii"}
    assert (await refused(walking, 422, headers=headers))["code"] == "no_eligible_endpoint"


async def test_an_unknown_model_is_a_404_with_the_nearest_names() -> None:
    walking = Walking(a_world(an_endpoint("alpha/gpt-4o")), {})
    error = await refused(walking, 404, model="gpt-4")
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "Did you mean 'gpt-4o'" in error["message"]


async def test_a_fallback_of_unknown_name_is_a_404_too() -> None:
    assert (await refused(Walking(a_world("alpha/m"), {}), 404, models=["nothing"]))["code"] == "model_not_found"


async def test_a_field_that_no_endpoint_can_express_is_a_400_that_names_it() -> None:
    walking = Walking(a_world(an_endpoint("alpha/m", api="anthropic")), {})
    error = await refused(walking, 400, n=3)
    assert (error["code"], error["param"]) == ("invalid_request", "n")
    assert error["message"] == (
        "no eligible endpoint can express n; leave it out or name a model whose provider supports it"
    )


async def test_a_capability_that_is_missing_everywhere_is_a_422() -> None:
    walking = Walking(a_world(an_endpoint("alpha/m", caps=frozenset())), {})
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    error = await refused(walking, 422, tools=tools)
    assert error["message"] == "no endpoint may serve this request: 1 by capability:tools"


async def test_a_world_without_endpoints_says_what_to_do() -> None:
    error = await refused(Walking(a_world(), {}), 422)
    assert error["message"] == (
        "no endpoint is configured that could serve this request; configure a provider or its key"
    )


async def test_providers_without_a_key_are_out_with_that_reason() -> None:
    walking = Walking(a_world("alpha/m"), {}, NoKeys(frozenset({"alpha"})))
    assert (await refused(walking, 422))["metadata"]["excluded"] == {"no_key": 1}


async def test_what_is_left_of_a_limit_may_buy_nothing_more_after_an_attempt_that_may_be_billed() -> None:
    world = a_world("alpha/m", "beta/m", prices={"alpha/m": a_price(1.0), "beta/m": a_price(1.0)})
    walking = Walking(world, {"alpha": [[HANG]], "beta": [[HANG]]})
    sink = await walking.ask(headers={"x-pointsman-max-cost": "0.0035"})
    assert (sink.status, len(walking.upstream.calls)) == (503, 1)


# -- embeddings ------------------------------------------------------------------------------------------------------


def embedding(*names: str, **fields: Any) -> list[Any]:
    return [an_endpoint(name, operation=Operation.EMBEDDINGS, **fields) for name in names]


@pytest.mark.parametrize("model", ["auto", "tier:small", "auto:default"])
async def test_embeddings_want_a_model_since_vectors_of_two_cannot_be_compared(model: str) -> None:
    walking = Walking(a_world(*embedding("alpha/e", "beta/f")), {})
    sink = await walking.send({"model": model, "input": "x"}, surface=Surface.EMBEDDINGS)
    assert (sink.status, sink.error["param"]) == (400, "model")
    assert sink.error["message"].startswith("embeddings of different models cannot be compared")


async def test_embeddings_refuse_a_fallback_to_another_model() -> None:
    walking = Walking(a_world(*embedding("alpha/e", "beta/f")), {})
    for models in (["f"], ["auto"]):
        body = {"model": "e", "models": models, "input": "x"}
        sink = await walking.send(body, surface=Surface.EMBEDDINGS)
        assert (sink.status, sink.error["param"], walking.upstream.calls) == (400, "models", [])


async def test_a_chat_model_is_no_embedder() -> None:
    walking = Walking(a_world("alpha/m"), {})
    sink = await walking.send({"model": "m", "input": "x"}, surface=Surface.EMBEDDINGS)
    assert (sink.status, sink.error["metadata"]["excluded"]) == (422, {"capability:embeddings": 1})


async def test_limits_of_the_route_and_the_request_are_both_kept() -> None:
    routes = (Route("default", limits=Limits(cost_per_request_usd=0.0001)),)
    walking = Walking(a_world("alpha/m", routes=routes), {"alpha": [an_answer()]})
    await refused(walking, 402, headers={"x-pointsman-max-cost": "100"})
