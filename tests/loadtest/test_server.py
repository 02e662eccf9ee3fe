"""Faults and records, seen on the wire."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from loadtest.control import RunningVendor, start_vendor
from loadtest.faults import Fault, Match
from loadtest.vendors import vendor_named

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"


def body(*, stream: bool = False, model: str = "open-8b") -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Count to 9"}],
        "stream": stream,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
    }


async def ask(http: aiohttp.ClientSession, vendor: RunningVendor, fault: str = "", **asked: Any) -> tuple[int, bytes]:
    path = CHAT if vendor.vendor.api == "openai" else MESSAGES
    headers = {"x-sim-fault": fault} if fault else {}
    async with http.post(vendor.origin + path, json=body(**asked), headers=headers) as answer:
        return answer.status, await answer.read()


def events(raw: bytes) -> list[Any]:
    data = [line[6:] for line in raw.split(b"\n") if line.startswith(b"data: ")]
    return [orjson.loads(one) if one != b"[DONE]" else "[DONE]" for one in data]


def text_of(raw: bytes) -> str:
    chunks = [event for event in events(raw) if isinstance(event, dict) and event.get("choices")]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (402, "insufficient_quota", "insufficient_quota"),
        (429, "requests", "rate_limit_exceeded"),
        (503, "server_error", None),
    ],
)
async def test_fails_with_openais_error_bodies(
    http: aiohttp.ClientSession, fast: RunningVendor, status: int, kind: str, code: str | None
) -> None:
    answered, raw = await ask(http, fast, f"status={status}")
    error = {"message": f"Simulated failure {status}.", "type": kind, "param": None, "code": code}
    assert (answered, orjson.loads(raw)) == (status, {"error": error})


async def test_fails_with_anthropics_error_bodies(http: aiohttp.ClientSession, claude: RunningVendor) -> None:
    answered, raw = await ask(http, claude, "status=529;message=Overloaded", model="claude-sim-mid")
    error = {"type": "overloaded_error", "message": "Overloaded"}
    assert (answered, orjson.loads(raw)) == (529, {"type": "error", "error": error, "request_id": "req_sim"})


async def test_says_when_to_come_back(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    headers = {"x-sim-fault": "status=429;retry_after_s=2.5"}
    async with http.post(fast.origin + CHAT, json=body(), headers=headers) as answer:
        names = ("retry-after", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
        assert [answer.headers[name] for name in names] == ["2.5", "0", "2.5s"]


async def test_answers_with_a_proxys_page_or_any_body(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    status, page = await ask(http, fast, "html_502")
    assert (status, page[:6]) == (502, b"<html>")
    assert await ask(http, fast, '{"body": "{\\"half", "headers": {"x-a": "b"}}') == (200, b'{"half')


async def test_resets_the_connection_before_any_byte(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(http, fast, "drop_before_head")
    assert fast.bill()["requests"] == 0


async def test_resets_a_stream_and_bills_what_was_sent(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    with pytest.raises(aiohttp.ClientError):
        await ask(http, fast, "drop_after_events=3", stream=True)
    assert fast.bill()["by_model"]["open-8b"]["output_tokens"] == 3


async def test_ends_a_stream_without_its_terminal_event(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, raw = await ask(http, fast, "truncate_after_events=3", stream=True)
    assert (text_of(raw), events(raw)[-1]["choices"][0]["finish_reason"]) == ("1 2 3", None)


async def test_promises_more_bytes_than_it_sends(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(http, fast, "truncate_after_events=0")
    assert fast.bill()["requests"] == 0


async def test_sends_an_error_inside_a_stream(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    status, raw = await ask(http, fast, "error_event_after=2;status=429", stream=True)
    seen = events(raw)
    assert (status, text_of(raw), seen[-1]["error"]["code"]) == (200, "1 2", "rate_limit_exceeded")
    _, raw = await ask(http, fast, "error_event_after=0", stream=True)
    assert (text_of(raw), "error" in events(raw)[-1]) == ("", True)


async def test_sends_an_error_event_as_anthropic_does(http: aiohttp.ClientSession, claude: RunningVendor) -> None:
    _, raw = await ask(http, claude, "error_event_after=0", stream=True, model="claude-sim-mid")
    assert [event["type"] for event in events(raw)] == ["message_start", "ping", "content_block_start", "error"]
    assert b"event: error\n" in raw


async def test_sends_an_error_under_a_200(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    status, raw = await ask(http, fast, "error_event_after=0;message=Provider gone")
    assert (status, orjson.loads(raw)["error"]["message"]) == (200, "Provider gone")


async def test_sends_the_same_bytes_one_by_one(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, whole = await ask(http, fast, stream=True)
    _, bytewise = await ask(http, fast, "byte_by_byte", stream=True)
    assert text_of(whole) == text_of(bytewise)


async def test_lies_about_usage_but_not_on_the_bill(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, true = await ask(http, fast)
    _, false = await ask(http, fast, "wrong_usage=10")
    honest, told = (orjson.loads(raw)["usage"]["completion_tokens"] for raw in (true, false))
    assert (told, fast.bill()["by_model"]["open-8b"]["output_tokens"]) == (honest * 10, honest * 2)


async def test_leaves_usage_out(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, whole = await ask(http, fast, "no_usage")
    _, stream = await ask(http, fast, "no_usage", stream=True)
    assert "usage" not in orjson.loads(whole)
    assert [event for event in events(stream) if event != "[DONE]" and event.get("usage")] == []


async def test_tells_usage_in_every_chunk_zeros_first(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, raw = await ask(http, fast, "usage_in_every_chunk", stream=True)
    counts = [event["usage"]["completion_tokens"] for event in events(raw) if event != "[DONE]"]
    assert counts[:3] == [0, 1, 2]
    assert counts[-1] == max(counts)


async def test_mixes_in_frames_without_choices(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    _, raw = await ask(http, fast, "no_choices", stream=True)
    odd = [event for event in events(raw) if event != "[DONE]" and not event.get("choices")]
    assert [sorted(event) for event in odd[:2]] == [["choices", "id", "object", "prompt_filter_results"], ["x_sim"]]


@pytest.mark.parametrize(
    ("fault", "last", "text", "seconds"),
    [
        ("stall_after_events=2", b'" 2"},"logprobs":null,"finish_reason":null}],"usage":null}\n\n', "1 2", 3_600.0),
        ("role_only_keepalive", b": keep-alive\n\n", "", 0.1),
    ],
)
async def test_says_nothing_more_until_the_client_leaves(
    http: aiohttp.ClientSession, fault: str, last: bytes, text: str, seconds: float
) -> None:
    waited: asyncio.Queue[float] = asyncio.Queue()
    never = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waited.put_nowait(seconds)
        await never.wait()

    vendor = await start_vendor(vendor_named("sim-fast"), sleep=sleep)
    try:
        headers = {"x-sim-fault": fault}
        async with http.post(vendor.origin + CHAT, json=body(stream=True), headers=headers) as answer:
            raw = await answer.content.readuntil(last)
            assert (text_of(raw), await asyncio.wait_for(waited.get(), 5)) == (text, seconds)
    finally:
        await vendor.stop()


async def test_waits_as_the_row_and_the_fault_say(http: aiohttp.ClientSession) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds, 6))

    vendor = await start_vendor(vendor_named("sim-fast"), speed=2.0, sleep=sleep)
    try:
        await ask(http, vendor, "delay_first_byte_ms=1000", stream=True)
        await ask(http, vendor, "status=500;delay_first_byte_ms=70")
    finally:
        await vendor.stop()
    assert waited[:3] == [1.015, 0.015, 0.002]  # 60 ms to the first token and 250 tokens a second, twice as fast
    assert waited[-1] == 0.07


async def test_bills_a_client_that_leaves_for_what_it_was_sent(http: aiohttp.ClientSession) -> None:
    stalled, left = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        stalled.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    vendor = await start_vendor(vendor_named("sim-fast"), sleep=sleep)
    headers = {"x-sim-fault": "stall_after_events=4"}
    try:
        async with http.post(vendor.origin + CHAT, json=body(stream=True), headers=headers) as answer:
            await stalled.wait()
            answer.close()
        await asyncio.wait_for(left.wait(), 5)
        assert vendor.bill()["by_model"]["open-8b"]["output_tokens"] == 4
    finally:
        await vendor.stop()


async def test_shows_requests_as_they_came(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    async with http.post(fast.origin + CHAT + "?beta=1", data=b"{bad", headers={"authorization": "Bearer k"}) as answer:
        assert answer.status == 400
    seen = fast.requests()[-1]
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", CHAT + "?beta=1", "{bad")
    assert seen["peer"] == "127.0.0.1"
    assert ["authorization", "Bearer k"] in [[name.lower(), value] for name, value in seen["headers"]]


async def test_asks_for_a_key_only_when_told_to(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    fast.server.required_key = "sim-key"
    statuses = []
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer sim-key"},
        {"x-api-key": "sim-key"},
    ):
        async with http.post(fast.origin + CHAT, json=body(), headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [401, 401, 200, 200]


async def test_strikes_by_the_book(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    await fast.fault(Fault(status=500), Match(stream=True), times=1)
    statuses = [(await ask(http, fast, stream=stream))[0] for stream in (False, True, True)]
    assert statuses == [200, 500, 200]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/messages"])
async def test_knows_only_its_own_paths(http: aiohttp.ClientSession, fast: RunningVendor, path: str) -> None:
    async with http.post(fast.origin + path, json=body()) as answer:
        assert answer.status == 404


async def test_explains_a_fault_header_it_cannot_read(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    status, raw = await ask(http, fast, "explode")
    assert (status, raw.startswith(b"no such fault: explode; there are: ")) == (400, True)
