"""Recorded traffic of Cohere, replayed in process: few exchanges, none of them streamed."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from gateway.core.ask import Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import ToolChoice
from gateway.core.usage import Usage
from gateway.formats import registry
from tests.support.formats import ask, context
from tests.support.normal import Compared, compare
from tests.support.normal_others import COHERE_REQUESTS
from tests.support.vectors import Exchange, exchanges, needs_vectors

pytestmark = needs_vectors
COHERE = registry.wire_format("cohere")
CHOICES = {"REQUIRED": ToolChoice("required"), "NONE": ToolChoice("none")}


def recorded(path: str) -> list[Exchange]:
    return [one for one in exchanges() if one.host == "api.cohere.com" and one.path == path]


def at(one: Exchange) -> Endpoint:
    model = one.request["model"]
    caps = frozenset({"tools", "json_schema", "reasoning"})
    return Endpoint("c/m", "c", model, model, model, "cohere", caps=caps)


def in_openais_words(message: dict[str, Any]) -> dict[str, Any]:
    """A recorded message as a client sends it: reasoning has a field of its own there."""
    content = message.get("content")
    if message["role"] != "assistant" or not isinstance(content, list):
        return message
    thought = "".join(block["thinking"] for block in content if block["type"] == "thinking")
    said = "".join(block["text"] for block in content if block["type"] == "text")
    return {**message, "content": said, **({"reasoning_content": thought} if thought else {})}


def requests() -> Compared:
    return compare(_written(), COHERE_REQUESTS)


def _written() -> Iterator[tuple[str, Any, Any]]:
    for one in recorded("/v2/chat"):
        request = one.request
        body = {
            "messages": [in_openais_words(message) for message in request["messages"]],
            **({"tools": request["tools"]} if "tools" in request else {}),
        }
        asked = ask(body)
        assert asked.chat is not None
        if "tool_choice" in request:
            asked = replace(asked, chat=replace(asked.chat, tool_choice=CHOICES[request["tool_choice"]]))
        yield one.name, request, json.loads(COHERE.build(asked, at(one), None).body)


def test_writes_every_recorded_request() -> None:
    found = requests()
    assert (found.number, found.failures, found.idle()) == (8, [], [])


def test_reads_every_answer() -> None:
    for one in recorded("/v2/chat"):
        rendered = COHERE.reply(ask(), at(one), one.body, context())
        shown = json.loads(rendered.body)["choices"][0]["message"]
        message = json.loads(one.body)["message"]
        content = message.get("content") or ()
        assert (shown["content"] or "") == "".join(block.get("text", "") for block in content), one.name
        assert shown.get("tool_calls") == message.get("tool_calls"), one.name
        thought = message.get("tool_plan") or "".join(block.get("thinking", "") for block in content)
        assert (shown.get("reasoning_content") or "") == thought, one.name
        billed = json.loads(one.body)["usage"]["billed_units"]
        assert rendered.usage == Usage(input=billed["input_tokens"], output=billed["output_tokens"]), one.name


def test_writes_and_reads_every_recorded_embedding() -> None:
    found = recorded("/v2/embed")
    for one in found:
        request = one.request
        body = {"input": request["texts"], "input_type": request["input_type"], "truncate": request["truncate"]}
        asked = ask(body, Surface.EMBEDDINGS)
        sent = json.loads(COHERE.build(asked, at(one), None).body)
        assert sent == {key: value for key, value in request.items() if value is not None}, one.name
        rendered = COHERE.reply(asked, at(one), one.body, context())
        answer = json.loads(one.body)
        assert [item["embedding"] for item in json.loads(rendered.body)["data"]] == answer["embeddings"]["float"]
        assert rendered.usage == Usage(input=answer["meta"]["billed_units"]["input_tokens"])
    assert len(found) == 2
