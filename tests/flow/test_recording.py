"""The record of each request, however it ended: what it cost, what it saved, and what nobody may keep."""

import asyncio
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.policy import Escalate, Label, NamedModel, Route, Variant
from gateway.flow.keep import KEPT_BYTES, KeepingSink
from gateway.flow.run import Run
from tests.support.builders import a_price, a_request, a_world, an_endpoint
from tests.support.openai_scripts import DONE, ROLE, a_chunk, a_stream, an_answer, an_error, says, usage_chunk
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import HANG
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

USAGE = {
    "prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200,
    "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens_details": {"reasoning_tokens": 50},
}  # fmt: skip
PRICES = {"alpha/m": a_price(1.0, cached_input=0.1), "beta/m": a_price(2.0), "gamma/m": a_price(5.0)}


STORY: dict[str, Any] = {
    "id": "0000000000000001",
    "time": "2025-11-24T16:00:00.000Z",
    "route": "default",
    "variant": None,
    "key_id": None,
    "surface": "chat",
    "model": "auto",
    "stream": True,
    "task": "chat",
    "task_confidence": 0.833,
    "difficulty": 0.0,
    "escalated": False,
    "tier_required": "small",
    "sensitivity": [],
    "tags": {"team": "kb"},
    "prompt_chars": 11,
    "estimated_input_tokens": 6,
    "plan": ["alpha/m", "beta/m"],
    "candidates": [
        {"endpoint": "alpha/m", "eligible": True, "reasons": [], "estimated_cost": pytest.approx(806e-6)},
        {"endpoint": "beta/m", "eligible": True, "reasons": [], "estimated_cost": pytest.approx(1_612e-6)},
        {"endpoint": "gamma/m", "eligible": False, "reasons": ["tier"], "estimated_cost": None},
    ],
    "excluded": {"tier": 1},
    "panic": False,
    "attempts": [
        {
            "endpoint": "alpha/m", "started_ms": 0.0, "ttft_ms": None, "duration_ms": 200.0,
            "outcome": "overloaded", "status": 503, "error": "503: no", "cost_usd": 0.0,
        },
        {
            "endpoint": "beta/m", "started_ms": 200.0, "ttft_ms": 300.0, "duration_ms": 300.0,
            "outcome": "ok", "status": 200, "error": None, "cost_usd": pytest.approx(3_600e-6),
        },
    ],
    "endpoint": "beta/m",
    "status": 200,
    "outcome": "ok",
    "error": None,
    "usage": {
        "input": 1_000, "cached_input": 400, "cache_write": 0, "output": 200, "reasoning": 50, "estimated": False,
    },
    "cost_usd": pytest.approx(3_600e-6),
    "provider_cost_usd": None,
    "baseline": "alpha/m",
    "baseline_cost_usd": pytest.approx(1_440e-6),
    "saved_usd": pytest.approx(1_440e-6 - 3_600e-6),
    "latency_ms": 500.0,
    "ttft_ms": 500.0,
    "dropped": [],
    "trace_id": None,
}  # fmt: skip


async def test_the_whole_story_of_a_request_that_failed_over() -> None:
    world = a_world("alpha/m", "beta/m", an_endpoint("gamma/m", tier=None), prices=PRICES)
    walking = Walking(world, {"alpha": [[0.2, *an_error(503)]], "beta": [[0.3, *a_stream("Hel", "lo", usage=USAGE)]]})
    sink = await walking.ask("Hello there", stream=True, headers={"x-pointsman-tags": "team=kb"})
    row = walking.row
    hashes = {name: row.pop(name) for name in ("prompt_hash", "session_hash", "response_hash")}
    assert all(len(text) == 16 for text in hashes.values())
    assert row == STORY
    assert {name: sink.headers[name] for name in sink.headers if name.startswith("x-pointsman-")} == {
        "x-pointsman-decision": "0000000000000001",
        "x-pointsman-endpoint": "beta/m",
        "x-pointsman-route": "default",
        "x-pointsman-attempts": "2",
    }
    assert (sink.headers["cache-control"], sink.headers["x-accel-buffering"]) == ("no-cache, no-transform", "no")


async def test_a_whole_answer_says_what_it_cost_in_header_and_body() -> None:
    walking = Walking(a_world("alpha/m", prices=PRICES), {"alpha": [an_answer(usage=USAGE)]})
    sink = await walking.ask()
    assert float(sink.headers["x-pointsman-cost"]) == pytest.approx(1_440e-6)
    assert sink.json["usage"]["cost"] == pytest.approx(1_440e-6)


async def test_a_stream_that_counts_as_it_goes_costs_its_last_count() -> None:
    so_far = {"prompt_tokens": 1_000, "completion_tokens": 1, "total_tokens": 1_001}
    script = [ROLE, a_chunk({"content": "Hel"}, usage=so_far), a_chunk({}, "stop"), usage_chunk(USAGE), DONE]
    walking = Walking(a_world("alpha/m", prices=PRICES), {"alpha": [script]})
    await walking.ask(stream=True)
    assert walking.row["cost_usd"] == pytest.approx(1_440e-6)


async def test_an_unknown_price_is_no_cost_and_no_saving_rather_than_zero() -> None:
    walking = Walking(a_world("alpha/m", prices={}), {"alpha": [an_answer()]})
    sink = await walking.ask()
    assert "x-pointsman-cost" not in sink.headers
    assert "cost" not in sink.json["usage"]
    row = walking.row
    assert (row["cost_usd"], row["saved_usd"], row["attempts"][0]["cost_usd"]) == (None, None, None)


async def test_an_answer_without_usage_is_counted_by_what_was_seen() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [[*a_stream("x" * 400)[:-2], a_stream()[-1]]]})
    await walking.ask(stream=True)
    assert (walking.row["usage"]["output"], walking.row["usage"]["estimated"]) == (100, True)


async def test_a_stream_that_broke_costs_what_was_seen_and_counts_a_saving_for_it() -> None:
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [[ROLE, says("x" * 400), HANG]]})
    await walking.ask(stream=True)
    row = walking.row
    assert row["cost_usd"] == pytest.approx((6 * 1.0 + 100 * 4.0) / 1e6)
    assert (row["endpoint"], row["saved_usd"]) == ("alpha/m", 0.0)


async def test_what_was_never_delivered_saved_nothing() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [[HANG]]})
    await walking.ask()
    row = walking.row
    assert (row["endpoint"], row["baseline_cost_usd"], row["saved_usd"]) == (None, None, None)
    assert row["cost_usd"] > 0


@pytest.mark.parametrize(
    ("model", "route", "baseline"),
    [
        ("auto", Route("default", baseline="gamma/m"), "gamma/m"),
        ("m", Route("default", baseline="gamma/m"), "gamma/m"),
        ("beta/m", Route("default"), "beta/m"),
        ("auto", Route("default"), "beta/m"),
    ],
)
async def test_savings_are_against_the_route_or_the_name_or_the_median_of_the_highest_tier(
    model: str, route: Route, baseline: str
) -> None:
    world = a_world(
        an_endpoint("small/m", tier=0), "alpha/m", "beta/m", "gamma/m", routes=(route,),
        prices={**PRICES, "small/m": a_price(0.1)},
    )  # fmt: skip
    names = ("small", "alpha", "beta", "gamma")
    walking = Walking(world, {name: [an_answer(usage=USAGE)] for name in names})
    await walking.ask(model=model)
    assert walking.row["baseline"] == baseline


async def test_a_cheaper_model_than_the_one_named_saves_the_difference() -> None:
    world = a_world(
        an_endpoint("dear/gpt", tier=1), an_endpoint("cheap/own", tier=1),
        prices={"dear/gpt": a_price(10.0), "cheap/own": a_price(1.0)},
        routes=(Route("default", named_model=NamedModel.TIER),),
    )  # fmt: skip
    walking = Walking(world, {"cheap": [an_answer(usage=USAGE)]})
    await walking.ask(model="gpt")
    row = walking.row
    assert (row["endpoint"], row["baseline"]) == ("cheap/own", "dear/gpt")
    assert row["saved_usd"] == pytest.approx(row["baseline_cost_usd"] - row["cost_usd"])


async def test_every_request_has_exactly_one_row() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [an_answer(), an_error(500), [HANG]]})
    await walking.ask()
    await walking.ask()
    leaving = asyncio.ensure_future(walking.ask())
    await asyncio.sleep(1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await walking.ask(model="nothing")
    assert [one.outcome.value for one in walking.decisions] == ["ok", "failed", "cancelled", "rejected"]


@pytest.mark.parametrize(
    ("full", "label", "kept"),
    [(True, None, True), (False, None, False), (True, "open", True), (True, "secret", False)],
)
async def test_texts_are_kept_only_where_route_and_labels_allow_it(full: bool, label: str | None, kept: bool) -> None:
    labels = {"open": Label("open"), "secret": Label("secret", content_allowed=False)}
    routes = (Route("default", record_full=full),)
    walking = Walking(a_world("alpha/m", labels=labels, routes=routes), {"alpha": [an_answer("The answer")]})
    await walking.ask(headers={} if label is None else {"x-pointsman-sensitivity": label})
    texts = walking.row.get("texts")
    assert (texts is not None) == kept
    if kept:
        assert texts["request"]["messages"] == [{"role": "user", "content": "Hello there"}]
        assert "The answer" in texts["response"]


async def test_texts_of_a_stream_are_what_the_client_got() -> None:
    routes = (Route("default", record_full=True),)
    walking = Walking(a_world("alpha/m", routes=routes), {"alpha": [a_stream("Hel", "lo"), an_error(500)]})
    for _ in range(2):
        sink = await walking.ask(stream=True)
        assert walking.row["texts"]["response"] == sink.body.decode()


async def test_no_more_of_an_answer_is_kept_than_a_record_can_hold() -> None:
    routes = (Route("default", record_full=True),)
    pieces = ["x" * 400_000] * 4
    walking = Walking(a_world("alpha/m", routes=routes), {"alpha": [a_stream(*pieces)]})
    await walking.ask(stream=True)
    assert len(walking.row["texts"]["response"]) == KEPT_BYTES


async def test_the_arm_of_a_split_is_recorded_and_preferred() -> None:
    split = (Variant("control", 0), Variant("candidate", 1, prefer=("beta/m",)))
    walking = Walking(a_world("alpha/m", "beta/m", routes=(Route("default", split=split),)), {"beta": [an_answer()]})
    await walking.ask()
    assert (walking.row["variant"], walking.row["endpoint"]) == ("candidate", "beta/m")


async def test_escalated_requests_are_marked() -> None:
    routes = (Route("default", escalate=Escalate(1.0, 2)),)
    world = a_world("alpha/m", an_endpoint("beta/m", tier=2), routes=routes)
    walking = Walking(world, {"beta": [an_answer()]})
    await walking.ask()
    assert (walking.row["escalated"], walking.row["tier_required"]) == (True, "large")


async def test_an_error_of_the_gateways_own_is_recorded_and_blames_nobody() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [an_answer()]})

    class Broken(Exception):
        pass

    async def broken(*_: Any) -> Any:
        raise Broken

    walking.upstream.open = broken  # type: ignore[method-assign]
    with pytest.raises(Broken):
        await walking.ask()
    assert (walking.row["status"], walking.row["error"], walking.row["outcome"]) == (500, "internal error", "failed")
    assert walking.outcomes == [("alpha/m", "internal")]
    assert walking.book.verdict("alpha/m", 1_000.0).badness == 0


async def test_dropped_hints_are_told_in_header_and_row() -> None:
    world = a_world("alpha/m")
    walking = Walking(world, {"alpha": [an_answer()]})
    body = {"model": "auto", "max_tokens": 9, "top_k": 3, "messages": [{"role": "user", "content": "Hi"}]}
    sink = await walking.send(body, surface=Surface.MESSAGES)
    assert (sink.headers["x-pointsman-dropped"], walking.row["dropped"]) == ("top_k", ["top_k"])


async def test_keeping_an_answer_changes_nothing_about_passing_it_on() -> None:
    inner, run = RecordingSink(), Run(a_request())
    sink = KeepingSink(inner, run)
    await sink.head(200, [("a", "b")])
    await sink.chunk(b"x")
    await sink.end()
    sink.abort()
    assert (inner.status, inner.headers, inner.body, inner.ended, inner.aborted) == (200, {"a": "b"}, b"x", True, True)
    assert run.answer == b"x"


JSON_ASKED = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("text", "kept"), [('{"a": 1}', True), ("Sure! {", False)])
async def test_says_whether_the_answer_is_the_json_that_was_asked_for(stream: bool, text: str, kept: bool) -> None:
    script = a_stream(text) if stream else an_answer(text)
    walking = Walking(a_world("alpha/m"), {"alpha": [script]})
    await walking.ask(stream=stream, **JSON_ASKED)
    assert walking.row["format_ok"] is kept


async def test_says_nothing_of_a_form_that_nobody_asked_for_or_that_broke_off() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [an_answer("{"), [ROLE, says("{"), *an_error(500)[1:]]]})
    await walking.ask()
    assert "format_ok" not in walking.row
    await walking.ask(stream=True, **JSON_ASKED)
    assert (walking.row["outcome"], "format_ok" in walking.row) == ("partial", False)
