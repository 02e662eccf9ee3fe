"""Names, explanations and judgements: `/v1/models`, `/v1/explain`, `/v1/feedback`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.running_gateway import RunningGateway, gateway_with

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
ROUTES: list[dict[str, Any]] = [
    {"name": "big", "match": {"header": {"x-team": "research"}}, "tier": {"min": "large"}},
    {"name": "default"},
]
ASKED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"model": "tier:large"}, {}),
    ({"model": "pro-1"}, {}),
    ({"model": "sim-claude/claude-sim-mid"}, {}),
    ({"tools": [TOOL]}, {}),
    ({"messages": [{"role": "user", "content": "Refactor this function and write a unit test: def f(): pass"}]}, {}),
    ({"messages": [{"role": "user", "content": "Translate to French: good morning"}]}, {}),
    ({"provider": {"ignore": ["sim-cheap"], "sort": "price"}}, {}),
    ({}, {"x-pointsman-sensitivity": "pii"}),
    ({}, {"x-team": "research"}),
    ({"session_id": "s-1"}, {}),
    ({"max_tokens": 300}, {"x-pointsman-max-cost": "0.01"}),
]


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    vendors = ("sim-cheap", "sim-fast", "sim-pro", "sim-claude", "sim-private")
    async with gateway_with(*vendors, routes=ROUTES) as gateway:
        yield gateway


@pytest.mark.parametrize(("fields", "headers"), ASKED)
async def test_explains_what_it_then_does(
    running: RunningGateway, fields: dict[str, Any], headers: dict[str, str]
) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hello there"}], **fields}
    async with running.post("/v1/explain", body, headers=headers) as response:
        told = await response.json()
        assert response.status == 200
    assert all(vendor.requests() == [] for vendor in running.vendors.values())
    assert running.rows.kept == []

    async with running.post("/v1/chat/completions", body, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["x-pointsman-endpoint"] == told["plan"][0]
        assert response.headers["x-pointsman-route"] == told["route"]
    row = await running.row()
    same = ("plan", "task", "tier_required", "sensitivity", "estimated_input_tokens", "escalated")
    assert {name: row[name] for name in same} == {name: told[name] for name in same}
    estimates = {one["endpoint"]: one["estimated_cost_usd"] for one in told["endpoints"] if one["eligible"]}
    assert {one["endpoint"]: one["estimated_cost"] for one in row["candidates"] if one["eligible"]}.items() <= (
        estimates.items()
    )
    excluded = [why for one in told["endpoints"] for why in one["reasons"]]
    assert row["excluded"] == {why: excluded.count(why) for why in excluded}
    if told["model"] == "auto":
        assert len(told["endpoints"]) == 9  # all there are but the two that embed


async def test_explains_who_put_a_label_on() -> None:
    routes = [{"name": "strict", "match": {"header": {"x-team": "hr"}}, "sensitivity": "internal"}, {"name": "default"}]
    labels: dict[str, Any] = {"public": {}, "internal": {}, "pii": {"detect": True}}
    body = {"model": "auto", "messages": [{"role": "user", "content": "Write to anna.berg@northwind-traders.com"}]}
    headers = {"x-team": "hr", "x-pointsman-sensitivity": "internal,public"}
    async with (
        gateway_with("sim-private", sensitivity=labels, routes=routes) as strict,
        strict.post("/v1/explain", body, headers=headers) as response,
    ):
        told = await response.json()
    assert told["sensitivity_by"] == {"public": ["header"], "internal": ["route", "header"], "pii": ["scanner"]}


async def test_explains_a_refusal(running: RunningGateway) -> None:
    headers = {"x-pointsman-sensitivity": "pii"}
    body = {"model": "pro-1", "messages": [{"role": "user", "content": "Hello"}]}
    async with running.post("/v1/explain", body, headers=headers) as response:
        told = await response.json()
    async with running.post("/v1/chat/completions", body, headers=headers) as response:
        error = (await response.json())["error"]
    assert (told["plan"], told["error"]["status"], told["error"]["code"]) == ([], 422, "no_eligible_endpoint")
    assert (response.status, error["message"]) == (422, told["error"]["message"])
    assert told["error"]["endpoints"]["sim-pro/pro-1"] == ["sensitivity"]


async def test_puts_feedback_into_the_decision_stream(running: RunningGateway) -> None:
    async with running.chat() as response:
        decision = response.headers["x-pointsman-decision"]
    async with running.post("/v1/feedback", {"decision": decision, "score": -0.5, "comment": "too short"}) as response:
        assert (response.status, await response.json()) == (200, {"status": "recorded", "decision": decision})
    assert (await running.row(1))["id"] == decision
    row = await running.row(2)
    assert {**row, "time": None} == {
        "type": "feedback", "decision": decision, "score": -0.5, "comment": "too short", "time": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "decision"),
        ({"decision": "x"}, "score"),
        ({"decision": "x", "score": 2}, "score"),
        ({"decision": "x", "score": True}, "score"),
        ({"decision": "x", "score": 1, "comment": 5}, "comment"),
        ({"decision": "x", "score": 1, "comment": "c" * 4_001}, "comment"),
        ({"decision": "x", "score": 1, "comments": "?"}, "comments"),
        ({"decision": "x" * 65, "score": 1}, "decision"),
    ],
)
async def test_refuses_feedback_that_says_nothing(running: RunningGateway, body: object, param: str) -> None:
    async with running.post("/v1/feedback", body) as response:
        error = (await response.json())["error"]
    assert (response.status, error["param"]) == (400, param)
    assert running.rows.kept == []


async def test_lists_every_name_that_model_may_have(running: RunningGateway) -> None:
    async with running.http.get(running.url + "/v1/models") as response:
        page = await response.json()
    names = [row["id"] for row in page["data"]]
    assert page["object"] == "list"
    assert names[:6] == ["auto", "auto:big", "auto:default", "tier:small", "tier:medium", "tier:large"]
    assert len(set(names)) == len(names)
    assert {"open-8b", "sim-cheap/open-8b", "sim-claude/claude-sim-large", "sim-embed-1"} <= set(names)
    for name in (name for name in names if not name.startswith("auto:big")):
        async with running.http.get(f"{running.url}/v1/models/{name}") as response:
            assert (response.status, (await response.json())["id"]) == (200, name)


async def test_answers_by_every_name_of_a_chat_model(running: RunningGateway) -> None:
    async with running.http.get(running.url + "/v1/models") as response:
        rows = (await response.json())["data"]
    for row in rows:
        if row.get("operation") != "embeddings":
            async with running.chat(model=row["id"]) as response:
                assert response.status == 200, (row["id"], await response.text())


async def test_tells_what_a_model_can_and_costs(running: RunningGateway) -> None:
    async with running.http.get(running.url + "/v1/models/sim-pro/pro-1") as response:
        row = await response.json()
    assert row == {
        "object": "model", "type": "model", "display_name": "sim-pro/pro-1", "created_at": "2025-11-24T16:00:00Z",
        "created": 1_764_000_000, "owned_by": "sim-pro", "operation": "chat", "tier": "large",
        "context_length": 400_000, "max_output": 16_384, "capabilities": ["json_schema", "tools", "vision"],
        "deprecated": False, "pricing": {"input": 2.5, "cached_input": 1.25, "output": 10.0}, "id": "sim-pro/pro-1",
    }  # fmt: skip


async def test_does_not_know_a_model_that_is_not_there(running: RunningGateway) -> None:
    async with running.http.get(running.url + "/v1/models/gpt-9") as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"], error["param"]) == (404, "model_not_found", "id")
    async with running.chat(model="opn-8b") as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"], "open-8b" in error["message"]) == (404, "model_not_found", True)
