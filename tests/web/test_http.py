"""The client port as plain HTTP: what it answers to the odd, the broken and the oversized."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.web import body as body_module
from tests.support.running_gateway import RunningGateway, gateway_with

CHAT = b'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-fast") as gateway:
        yield gateway


async def raw(running: RunningGateway, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes on a fresh connection and read until it is closed."""
    async with running.connection() as (reader, writer):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split()[1]), headers, body


async def test_says_where_the_json_breaks(running: RunningGateway) -> None:
    body = b'{"model": "auto",\n "messages": [}'
    async with running.http.post(running.url + "/v1/chat/completions", data=body) as response:
        error = (await response.json())["error"]
    assert (response.status, error["type"], error["code"]) == (400, "invalid_request_error", "invalid_request")
    assert "line 2, column 15" in error["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no body"),
        (b"[]", "must be a JSON object, got an array"),
        (b"null", "must be a JSON object, got null"),
        (b'{"model":"auto","messages":"hi"}', "messages"),
        (b'{"messages":[{"role":"user","content":"hi"}]}', "model"),
        (b'{"model":"auto","messages":[{"role":"user","content":"\xff"}]}', "not valid JSON"),
    ],
)
async def test_refuses_what_is_no_request(running: RunningGateway, body: bytes, says: str) -> None:
    async with running.http.post(running.url + "/v1/chat/completions", data=body) as response:
        error = (await response.json())["error"]
    assert (response.status, says in error["message"]) == (400, True), error
    assert (await running.row())["outcome"] == "rejected"
    assert running.vendors["sim-fast"].requests() == []


async def test_speaks_anthropic_where_anthropic_is_asked(running: RunningGateway) -> None:
    async with running.http.post(running.url + "/v1/messages", data=b"{") as response:
        answer = await response.json()
    assert (response.status, answer["type"], answer["error"]["type"]) == (400, "error", "invalid_request_error")
    async with running.http.get(running.url + "/v1/messages") as response:
        answer = await response.json()
    assert (response.status, answer["type"], response.headers["Allow"]) == (405, "error", "POST")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("POST", "/chat/completions"), ("GET", "/v1")])
async def test_answers_unknown_paths_in_json(running: RunningGateway, method: str, path: str) -> None:
    async with running.http.request(method, running.url + path) as response:
        error = (await response.json())["error"]
    assert (response.status, error["message"]) == (
        404, f"there is no {path} here; the API is under /v1, see /v1/models",
    )  # fmt: skip


async def test_answers_wrong_methods_in_json(running: RunningGateway) -> None:
    async with running.http.delete(running.url + "/v1/chat/completions") as response:
        error = (await response.json())["error"]
    assert (response.status, response.headers["Allow"], error["message"]) == (
        405, "POST", "DELETE is not allowed here; use POST",
    )  # fmt: skip


async def test_refuses_an_oversized_body_before_reading_it(running: RunningGateway) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 33554433\r\n\r\n"
    status, _, body = await raw(running, head)
    assert (status, json.loads(body)["error"]["code"]) == (413, "too_large")
    assert "32 MiB" in json.loads(body)["error"]["message"]


async def test_refuses_an_oversized_body_whose_size_was_not_announced(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "BODY_LIMIT_BYTES", 1_000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    async with running.http.post(running.url + "/v1/chat/completions", data=pieces()) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (413, "too_large")


async def test_answers_head_of_the_root(running: RunningGateway) -> None:
    async with running.http.head(running.url + "/") as response:
        assert (response.status, await response.read()) == (200, b"")
    async with running.http.get(running.url + "/") as response:
        assert (await response.json())["models"] == "/v1/models"


async def test_takes_unknown_query_parameters_calmly(running: RunningGateway) -> None:
    body = {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}
    async with running.post("/v1/messages?beta=true", body) as response:
        assert (response.status, (await response.json())["type"]) == (200, "message")
    assert running.vendors["sim-fast"].requests()[0]["path"] == "/v1/chat/completions"


async def test_forwards_the_value_it_routed_by_where_a_key_stands_twice(running: RunningGateway) -> None:
    body = b'{"model":"sim-fast/open-8b","messages":[{"role":"user","content":"a"}],' \
           b'"messages":[{"role":"user","content":"b"}],"model":"sim-fast/open-70b"}'  # fmt: skip
    async with running.http.post(running.url + "/v1/chat/completions", data=body) as response:
        assert response.headers["x-pointsman-endpoint"] == "sim-fast/open-70b"
    sent = running.vendors["sim-fast"].requests()[0]["body"]
    assert (sent.count('"model"'), sent.count('"messages"')) == (1, 1)
    assert json.loads(sent)["messages"] == [{"role": "user", "content": "b"}]
    assert json.loads(sent)["model"] == "open-70b"


@pytest.mark.parametrize("deep", [b'{"a":' * 100_000, b"[" * 100_000])
async def test_refuses_json_that_is_nested_too_deep(running: RunningGateway, deep: bytes) -> None:
    body = b'{"model":"auto","messages":' + deep
    async with running.http.post(running.url + "/v1/chat/completions", data=body) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("levels", [200, 900])
async def test_survives_deep_but_valid_json(running: RunningGateway, levels: int) -> None:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}], "tools": [tool], "tool_choice": "none"}
    text = json.dumps(body)
    for path in ("/v1/chat/completions", "/v1/messages"):
        async with running.http.post(running.url + path, data=text) as response:
            assert response.status in (200, 400), await response.text()


async def test_reads_a_gzipped_body(running: RunningGateway) -> None:
    headers = {"content-encoding": "gzip"}
    url = running.url + "/v1/chat/completions"
    async with running.http.post(url, data=gzip.compress(CHAT), headers=headers) as response:
        assert response.status == 200


async def test_reads_no_more_of_a_gzip_bomb_than_the_limit(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "BODY_LIMIT_BYTES", 100_000)
    bomb = gzip.compress(b" " * 10_000_000)
    url, headers = running.url + "/v1/chat/completions", {"content-encoding": "gzip"}
    async with running.http.post(url, data=bomb, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (413, "too_large")


async def test_refuses_a_body_that_is_not_what_its_encoding_says(running: RunningGateway) -> None:
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(CHAT), CHAT)
    )
    status, _, body = await raw(running, request)
    assert status == 400
    assert b"Traceback" not in body


async def test_reads_a_chunked_body(running: RunningGateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(CHAT), 7):
            yield CHAT[at : at + 7]

    async with running.http.post(running.url + "/v1/chat/completions", data=pieces()) as response:
        assert response.status == 200


async def test_speaks_http_1_0(running: RunningGateway) -> None:
    request = b"POST /v1/chat/completions HTTP/1.0\r\ncontent-length: %d\r\n\r\n%s" % (len(CHAT), CHAT)
    status, headers, body = await raw(running, request)
    assert (status, json.loads(body)["object"]) == (200, "chat.completion")
    assert headers.get("connection") != "keep-alive"


async def test_streams_to_http_1_0_until_it_closes(running: RunningGateway) -> None:
    body = CHAT[:-1] + b',"stream":true}'
    async with running.connection() as (reader, writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.0\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        answer = await reader.read()
    assert answer.endswith(b"data: [DONE]\n\n")
    assert b"chunked" not in answer.partition(b"\r\n\r\n")[0].lower()


async def test_answers_several_requests_on_one_connection(running: RunningGateway) -> None:
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(CHAT), CHAT)
    async with running.connection() as (reader, writer):
        for _ in range(3):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(size.partition(b":")[2]))
    assert len(running.vendors["sim-fast"].requests()) == 3


async def test_answers_garbage_without_a_traceback(running: RunningGateway) -> None:
    async with running.connection() as (reader, writer):
        writer.write(b"\x16\x03\x01 not http at all\r\n\r\n")
        answer = await reader.read()
    assert answer.split()[:2] == [b"HTTP/1.0", b"400"]
    assert b"Traceback" not in answer


async def test_names_itself_and_nothing_else(running: RunningGateway) -> None:
    async with running.chat() as response:
        assert not any(word in response.headers.get("Server", "").lower() for word in ("python", "aiohttp"))
