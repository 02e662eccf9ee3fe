"""Clients of LiteLLM and of Portkey, who change nothing but the address."""

import json
from typing import Any

import aiohttp
import pytest
import yaml

from loadtest.faults import Fault
from tests.support.media_vendor import media_vendor
from tests.support.running_gateway import RunningGateway, gateway_with, running_gateway

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
DOWN = Fault(status=503)


def sent_to(running: RunningGateway, vendor: str) -> list[dict[str, Any]]:
    requests = running.vendors[vendor].requests()
    return [json.loads(request["body"]) for request in requests if request["method"] == "POST"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("stream", [False, True])
async def test_litellms_fields_are_kept_to_and_go_no_further(path: str, stream: bool) -> None:
    body = {
        "model": "pro-1", "max_tokens": 20, "messages": HELLO, "stream": stream, "fallbacks": [{"pro-1": ["open-70b"]}],
        "num_retries": 0, "timeout": 30, "metadata": {"tags": ["team:kb"]},
    }  # fmt: skip
    if path == "/v1/responses":
        body = {**body, "input": "Hello there", "max_output_tokens": 20}
        del body["messages"], body["max_tokens"]
    async with gateway_with("sim-pro", "sim-private", compat=["litellm"]) as running:
        await running.vendors["sim-pro"].fault(DOWN)
        async with running.post(path, body) as response:
            assert (response.status, await response.read() != b"") == (200, True)
        row = await running.row()
        assert [one["endpoint"] for one in row["attempts"]] == ["sim-pro/pro-1", "sim-private/open-70b"]
        assert row["tags"] == {"team": "kb"}
        for one in (*sent_to(running, "sim-pro"), *sent_to(running, "sim-private")):
            assert {"fallbacks", "num_retries", "timeout", "tags", "metadata"}.isdisjoint(one)


async def test_without_compat_litellms_fields_are_what_they_were() -> None:
    async with gateway_with("sim-pro", "sim-private") as running:
        async with running.chat(model="pro-1", fallbacks=["open-70b"]) as response:
            assert response.status == 200
        assert sent_to(running, "sim-pro")[0]["fallbacks"] == ["open-70b"]


@pytest.mark.parametrize("stream", [False, True])
async def test_portkeys_header_is_kept_to_and_goes_no_further(stream: bool) -> None:
    config = {
        "strategy": {"mode": "fallback"}, "retry": {"attempts": 1},
        "targets": [
            {"provider": "@sim-pro"},
            {"provider": "sim-private", "override_params": {"model": "open-70b"}, "request_timeout": 20_000},
        ],
    }  # fmt: skip
    headers = {"x-portkey-config": json.dumps(config), "x-portkey-metadata": '{"_user": "u1"}'}
    async with gateway_with("sim-pro", "sim-private", compat=["portkey"]) as running:
        await running.vendors["sim-pro"].fault(DOWN)
        async with running.chat(model="pro-1", headers=headers, stream=stream) as response:
            assert (response.status, response.headers["x-pointsman-endpoint"]) == (200, "sim-private/open-70b")
        row = await running.row()
        assert [one["endpoint"] for one in row["attempts"]] == ["sim-pro/pro-1", "sim-private/open-70b"]
        assert row["tags"] == {"_user": "u1"}
        names = {name.lower() for name, _ in running.vendors["sim-private"].requests()[-1]["headers"]}
        assert not any(name.startswith("x-portkey") for name in names)


@pytest.mark.parametrize(("status", "answered"), [(503, 200), (500, 503)])
async def test_portkeys_statuses_say_what_is_tried_elsewhere(status: int, answered: int) -> None:
    config = {
        "strategy": {"mode": "fallback", "on_status_codes": [503]},
        "targets": [{"provider": "sim-pro"}, {"provider": "sim-private", "override_params": {"model": "open-70b"}}],
    }
    async with gateway_with("sim-pro", "sim-private", compat=["portkey"]) as running:
        await running.vendors["sim-pro"].fault(Fault(status=status))
        async with running.chat(model="pro-1", headers={"x-portkey-config": json.dumps(config)}) as response:
            assert response.status == answered
        assert len(sent_to(running, "sim-private")) == (answered == 200)


async def test_portkeys_metadata_choose_the_route() -> None:
    routes = [
        {"name": "paid", "match": {"header": {"x-user-plan": "paid"}}, "named_model": "any", "model": "sim-pro/pro-1"},
        {"name": "default", "named_model": "any", "model": "sim-private/open-70b"},
    ]
    async with gateway_with("sim-pro", "sim-private", compat=["portkey"], routes=routes) as running:
        for plan, endpoint in (("paid", "sim-pro/pro-1"), ("free", "sim-private/open-70b")):
            headers = {"x-portkey-metadata": json.dumps({"user_plan": plan})}
            async with running.chat(model="gpt-any", headers=headers) as response:
                assert (response.status, response.headers["x-pointsman-endpoint"]) == (200, endpoint)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("pc-prod-1234", "pointsman import portkey CONFIG.json"),
        ('{"provider": "sim-pro", "custom_host": "http://169.254.169.254/"}', "cannot say where a provider is"),
        ('{"provider": "sim-pro", "api_key": "sk-caller"}', "cannot say where a provider is or with which key"),
        ('{"provider": "elsewhere"}', "is no provider here; configured: sim-pro"),
    ],
)
async def test_portkeys_header_names_configured_providers_alone(config: str, words: str) -> None:
    async with gateway_with("sim-pro", compat=["portkey"]) as running:
        async with running.chat(model="pro-1", headers={"x-portkey-config": config}) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"]) == (400, "invalid_request")
            assert words in error["message"]
            assert "sk-caller" not in error["message"]
        assert sent_to(running, "sim-pro") == []


async def test_a_forms_fields_for_the_gateway_go_no_further_either() -> None:
    async with media_vendor((200, "application/json", b'{"text": "hello"}')) as vendor:
        model = {"id": "hear", "operation": "transcription", "price": {"input": 0, "output": 0}}
        provider = {"api": "openai", "base_url": vendor.url, "key": {"none": True}, "models": [model]}
        config = yaml.safe_dump({"providers": {"v": provider}, "compat": ["litellm"]})
        async with running_gateway(config) as running:
            form = aiohttp.FormData({"model": "hear", "language": "de", "num_retries": "1", "tags": "team:kb"})
            form.add_field("file", b"RIFF", filename="a.wav")
            async with running.http.post(f"{running.url}/v1/audio/transcriptions", data=form) as response:
                assert (response.status, await response.json()) == (200, {"text": "hello"})
            assert (await running.row())["tags"] == {"team": "kb"}
        assert vendor.came[0].fields == {"model": "hear", "language": "de", "file": ("a.wav", b"RIFF")}


async def test_a_fallback_is_reached_though_the_first_model_has_more_endpoints_than_tries() -> None:
    async with gateway_with("sim-fast", "sim-private", "sim-pro", compat=["litellm"]) as running:
        for vendor in ("sim-fast", "sim-private"):
            await running.vendors[vendor].fault(DOWN)
        async with running.chat(model="open-70b", fallbacks=["pro-1"], num_retries=0) as response:
            assert (response.status, response.headers["x-pointsman-attempts"]) == (200, "2")
        row = await running.row()
        assert row["attempts"][1]["endpoint"] == "sim-pro/pro-1"
