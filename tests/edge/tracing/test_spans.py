"""The spans of whole decisions, from the walk's own records."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.catalog import Catalog
from gateway.core.decision import Decision
from gateway.core.policy import Escalate, Label, Route, Variant
from gateway.core.trace import Sampling
from gateway.core.usage import Usage
from gateway.edge.tracing.places import Places
from gateway.edge.tracing.spans import spans_of
from tests.support.builders import EPOCH_S, a_body, a_price, a_provider, a_world, an_endpoint
from tests.support.openai_scripts import ROLE, a_stream, an_answer, an_error, says
from tests.support.scripted_upstream import HANG, Script
from tests.support.spans import plain
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

TRACE, SPAN, PREFIX = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "0af7651916cd43dd"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=b"}
USAGE = {
    "prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200,
    "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens_details": {"reasoning_tokens": 50},
}  # fmt: skip
ID = "0000000000000001"
PRICES = {"alpha/m": a_price(1.0), "beta/m": a_price(2.0)}
LABELS = {"public": Label("public"), "internal": Label("internal")}
PATH = "/v1/chat/completions"
ALPHA = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "m-2026", "pointsman.endpoint": "alpha/m",
         "server.address": "api.openai.com", "server.port": 443}  # fmt: skip
BETA = {"gen_ai.provider.name": "beta", "gen_ai.request.model": "m", "pointsman.endpoint": "beta/m",
        "server.address": "beta.test", "server.port": 80}  # fmt: skip
REQUEST = {
    "http.request.method": "POST", "http.route": PATH, "url.path": PATH, "url.scheme": "http",
    "pointsman.decision.id": ID, "pointsman.surface": "chat", "pointsman.model": "auto",
    "pointsman.route": "default", "pointsman.task": "chat", "pointsman.tier": "small",
}  # fmt: skip
PLANNED = {"pointsman.route", "pointsman.task", "pointsman.tier"}  # known of requests with a plan
ATTEMPT = {"gen_ai.operation.name": "chat", "pointsman.decision.id": ID}


class Traced:
    """A gateway with two providers whose requests are traced."""

    def __init__(self, scripts: dict[str, list[Script]], **route: Any) -> None:
        # What is known of alpha is what spans tell; the scripts still play by its host.
        world = a_world(
            an_endpoint("alpha/m", upstream_id="m-2026"), "beta/m", prices=PRICES, labels=LABELS,
            routes=(Route("default", **route),),
        )  # fmt: skip
        self.walking = Walking(world, scripts)
        shown = {**world.policy.catalog.providers, "alpha": a_provider("alpha", base_url="https://api.openai.com/v1")}
        self.places = Places(lambda: self.catalog)
        self.catalog = Catalog(shown, world.policy.catalog.endpoints)

    async def ask(self, headers: dict[str, str] | None = None, after_s: float | None = None, **fields: Any) -> None:
        """Ask; `after_s`: the client leaves after so long."""
        given = headers or {}
        request = self.walking.request(a_body("hi", **fields), headers=given)
        trace = Sampling.of(PREFIX, 1.0).begin(request.id, given)
        asking = asyncio.ensure_future(self.walking.answer_traced(request, trace))
        if after_s is not None:
            await asyncio.sleep(after_s)
            asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    @property
    def decision(self) -> Decision:
        return self.walking.decisions[-1]

    def spans(self) -> list[dict[str, Any]]:
        assert self.decision.trace is not None
        return [plain(span, EPOCH_S) for span in spans_of(self.decision, self.decision.trace, self.places)]


async def test_a_request_that_was_answered_at_once() -> None:
    traced = Traced({"alpha": [[0.2, *an_answer(usage=USAGE)]]})
    await traced.ask(headers=SENT)
    own = {"trace": TRACE, "state": "a=b", "from_ms": 0.0, "to_ms": 200.0}
    usd = pytest.approx(1_800e-6)
    assert traced.spans() == [
        {
            **own, "name": f"POST {PATH}", "kind": "SERVER", "id": ID, "parent": SPAN, "flags": 0x301,
            "attributes": {
                **REQUEST, "http.response.status_code": 200, "pointsman.outcome": "ok",
                "pointsman.endpoint": "alpha/m", "pointsman.attempts": 1, "pointsman.cost.usd": usd,
                "pointsman.saved.usd": pytest.approx(0.0),
            },
        },
        {
            **own, "name": "chat m-2026", "kind": "CLIENT", "id": "0000000000000002", "parent": ID, "flags": 0x101,
            "attributes": {
                **ATTEMPT, **ALPHA, "http.response.status_code": 200, "pointsman.attempt": 1,
                "pointsman.outcome": "ok", "pointsman.cost.usd": usd, "gen_ai.usage.input_tokens": 1_000,
                "gen_ai.usage.output_tokens": 200, "gen_ai.usage.cache_read.input_tokens": 400,
                "gen_ai.usage.reasoning.output_tokens": 50,
            },
        },
    ]  # fmt: skip


async def test_a_stream_that_failed_over() -> None:
    traced = Traced({"alpha": [[0.2, *an_error(503)]], "beta": [[0.3, *a_stream("Hel", "lo")]]})
    await traced.ask(stream=True)
    own = {"trace": PREFIX + ID}
    request, first, second = traced.spans()
    assert request == {
        **own, "name": f"POST {PATH}", "kind": "SERVER", "id": ID, "flags": 0x101, "from_ms": 0.0, "to_ms": 500.0,
        "events": [("pointsman.first_token", 500.0)],
        "attributes": {
            **REQUEST, "http.response.status_code": 200, "pointsman.outcome": "ok", "pointsman.endpoint": "beta/m",
            "pointsman.attempts": 2, "pointsman.cost.usd": pytest.approx(64e-6),
            "pointsman.saved.usd": pytest.approx(-32e-6),
        },
    }  # fmt: skip
    assert first == {
        **own, "name": "chat m-2026", "kind": "CLIENT", "id": "0000000000000002", "parent": ID, "flags": 0x101,
        "from_ms": 0.0, "to_ms": 200.0, "error": "503: no",
        "attributes": {
            **ATTEMPT, **ALPHA, "gen_ai.request.stream": True, "http.response.status_code": 503,
            "error.type": "overloaded", "pointsman.attempt": 1, "pointsman.outcome": "overloaded",
            "pointsman.cost.usd": 0.0,
        },
    }  # fmt: skip
    assert second == {
        **own, "name": "chat m", "kind": "CLIENT", "id": "0000000000000003", "parent": ID, "flags": 0x101,
        "from_ms": 200.0, "to_ms": 500.0, "events": [("pointsman.first_token", 500.0)],
        "attributes": {
            **ATTEMPT, **BETA, "gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.3,
            "http.response.status_code": 200, "pointsman.attempt": 2, "pointsman.failover.reason": "overloaded",
            "pointsman.outcome": "ok", "pointsman.cost.usd": pytest.approx(64e-6), "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 5,
        },
    }  # fmt: skip


async def test_parameters_are_told_of_each_attempt() -> None:
    traced = Traced({"alpha": [[0.2, *an_error(503)]], "beta": [[0.3, *an_answer()]]})
    await traced.ask()
    decision = traced.decision
    assert decision.trace is not None
    parameters = {"gen_ai.request.temperature": 0.5, "gen_ai.request.seed": None}
    found = [
        plain(span, EPOCH_S)["attributes"] for span in spans_of(decision, decision.trace, traced.places, parameters)
    ]
    assert [{name for name in attributes if name in parameters} for attributes in found] == [
        set(), {"gen_ai.request.temperature"}, {"gen_ai.request.temperature"},
    ]  # fmt: skip


async def test_a_stream_that_broke_off() -> None:
    traced = Traced({"alpha": [[ROLE, says("four"), 0.1]]})
    await traced.ask(stream=True)
    request, attempt = traced.spans()
    assert (request["error"], request["attributes"]["error.type"]) == (traced.decision.error, "partial")
    assert request["attributes"]["http.response.status_code"] == 200
    assert request["attributes"]["pointsman.outcome"] == "partial"
    told = attempt["attributes"]
    assert (attempt["error"], told["error.type"]) == (traced.decision.error, "partial")
    assert told["pointsman.usage.estimated"] is True
    assert attempt["events"] == [("pointsman.first_token", 0.0)]


async def test_a_request_that_nobody_could_answer() -> None:
    traced = Traced({"alpha": [an_error(500)], "beta": [an_error(503)]})
    await traced.ask()
    request, *attempts = traced.spans()
    told = request["attributes"]
    assert (told["http.response.status_code"], told["error.type"], told["pointsman.outcome"]) == (503, "503", "failed")
    assert request["error"].startswith("all attempts failed: alpha/m: 500: no")
    assert [one["attributes"]["error.type"] for one in attempts] == ["server_error", "overloaded"]


async def test_a_request_that_was_refused_is_no_error_of_the_server() -> None:
    traced = Traced({})
    await traced.ask(model="no-such-model")
    assert traced.spans() == [
        {
            "name": f"POST {PATH}", "kind": "SERVER", "trace": PREFIX + ID, "id": ID, "flags": 0x101, "from_ms": 0.0,
            "to_ms": 0.0,
            "attributes": {
                **{name: value for name, value in REQUEST.items() if name not in PLANNED},
                "pointsman.model": "no-such-model", "http.response.status_code": 404, "pointsman.outcome": "rejected",
                "pointsman.attempts": 0, "pointsman.cost.usd": 0.0,
            },
        }
    ]  # fmt: skip


async def test_a_client_that_left_is_nobodys_error() -> None:
    traced = Traced({"alpha": [[ROLE, says("four"), HANG]]})
    await traced.ask(stream=True, after_s=1.0)
    request, attempt = traced.spans()
    assert "error" not in request
    assert "error" not in attempt
    assert "http.response.status_code" not in request["attributes"]
    assert [one["attributes"]["pointsman.outcome"] for one in (request, attempt)] == ["cancelled", "cancelled"]
    assert (request["to_ms"], attempt["to_ms"]) == (1_000.0, 1_000.0)


async def test_tells_the_arm_the_labels_and_the_client() -> None:
    split = (Variant("candidate", 1),)
    traced = Traced({"alpha": [an_answer()]}, split=split, sensitivity="internal", escalate=Escalate(1.0, 0))
    await traced.ask(headers={"x-pointsman-tags": "team=kb", "x-pointsman-sensitivity": "public"})
    (request, _) = traced.spans()
    told = {name: value for name, value in request["attributes"].items() if name not in REQUEST}
    assert told == {
        "http.response.status_code": 200, "pointsman.outcome": "ok", "pointsman.endpoint": "alpha/m",
        "pointsman.attempts": 1, "pointsman.cost.usd": pytest.approx(32e-6), "pointsman.saved.usd": pytest.approx(0.0),
        "pointsman.variant": "candidate", "pointsman.sensitivity": ["public", "internal"],
        "pointsman.escalated": True, "pointsman.tag.team": "kb",
    }  # fmt: skip


async def test_tells_no_tokens_where_nobody_counted_them() -> None:
    """Images, say: one was asked for, and how many tokens it took is not known."""
    traced = Traced({"alpha": [an_answer()]})
    await traced.ask()
    row = replace(traced.decision.attempts[0], usage=Usage(uncounted=frozenset({"tokens"}), estimated=True))
    decision = replace(traced.decision, attempts=(row,))
    assert decision.trace is not None
    told = plain(spans_of(decision, decision.trace, traced.places)[1])["attributes"]
    assert {name for name in told if "usage" in name} == {"pointsman.usage.estimated"}


async def test_prompt_and_answer_stand_on_the_attempt_that_answered() -> None:
    traced = Traced({"alpha": [an_error(503)], "beta": [an_answer("Hello")]}, record_full=True)
    await traced.ask()
    found = [{name for name in span["attributes"] if name.endswith(".messages")} for span in traced.spans()]
    assert found == [set(), set(), {"gen_ai.input.messages", "gen_ai.output.messages"}]
    told = traced.spans()[2]["attributes"]
    assert json.loads(told["gen_ai.input.messages"]) == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert json.loads(told["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}
    ]


async def test_an_endpoint_that_is_configured_no_more_is_told_by_its_id() -> None:
    traced = Traced({"alpha": [an_answer()]})
    await traced.ask()
    traced.catalog = Catalog()
    told = traced.spans()[1]["attributes"]
    assert (told["gen_ai.provider.name"], told["gen_ai.request.model"]) == ("alpha", "m")
    assert "server.address" not in told
