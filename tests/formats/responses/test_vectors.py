"""Recorded traffic through the neutral form and back: what is lost on the way is listed here, and nothing else is."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from gateway.core.ask import Ask, Surface
from gateway.formats import registry
from gateway.formats.relay import translate
from gateway.formats.responses.reply import read_reply
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.surface import Ending
from tests.support.formats import context, endpoint, events, outgoing_body, relay, reply, unpriced
from tests.support.normal import Compared, compare
from tests.support.normal_responses import ANSWERS, REQUESTS
from tests.support.responses import assembled, said_in_response
from tests.support.vectors import Exchange, exchanges, needs_vectors

pytestmark = needs_vectors
SURFACE = registry.surface(Surface.RESPONSES)
AT = endpoint("responses", caps=("tools", "json_schema", "reasoning"))
CHAT = endpoint("openai", caps=("tools", "json_schema", "reasoning", "completions"))


def recorded() -> list[tuple[Exchange, Ask]]:
    found = [one for one in exchanges() if one.path.endswith("/responses") and one.status == 200]
    return [(one, SURFACE.parse(one.request, 9, {})) for one in found]


def translated(asked: Ask) -> Ask:
    """The same request, as if a client of another surface had made it."""
    return replace(asked, surface=Surface.CHAT)


def expressible() -> list[tuple[Exchange, Ask]]:
    form = registry.wire_format("responses")
    return [(one, ask) for one, ask in recorded() if not form.inexpressible(translated(ask), AT).fields]


def requests() -> Compared:
    return compare(_written(), REQUESTS)


def _written() -> Iterator[tuple[str, Any, Any]]:
    for exchange, asked in expressible():
        sent = outgoing_body(translated(asked), AT, asked.survey.max_tokens)
        assert (sent["store"], sent["include"]) == (False, ["reasoning.encrypted_content"])
        yield exchange.name, exchange.request, {**sent, "model": exchange.request["model"]}


def test_requests_survive_the_neutral_form() -> None:
    found = requests()
    assert (len(recorded()), found.number, found.failures, found.idle()) == (121, 81, [], [])


def test_what_cannot_be_translated_is_named() -> None:
    form = registry.wire_format("responses")
    named = {field for _, ask in recorded() for field in form.inexpressible(translated(ask), AT).fields}
    assert named == {
        "background", "conversation", "file_id", "include=message.output_text.logprobs",
        "input[].type=additional_tools", "input[].type=code_interpreter_call", "input[].type=compaction",
        "input[].type=mcp_call", "input[].type=mcp_list_tools", "input[].type=web_search_call", "previous_response_id",
        "reasoning.context", "reasoning.mode",
        "tools[].type=code_interpreter", "tools[].type=mcp", "tools[].type=web_search",
    }  # fmt: skip


def answers() -> Compared:
    return compare([*_wholes(), *_streams()], ANSWERS)


def _wholes() -> Iterator[tuple[str, Any, Any]]:
    for exchange, asked in recorded():
        if not exchange.streamed:
            answer, usage = read_reply(exchange.body, "reply-1")
            shown = SURFACE.encode(asked, answer, Ending(answer.finish, usage=usage))
            yield exchange.name, json.loads(exchange.body), json.loads(shown)


def _streams() -> Iterator[tuple[str, Any, Any]]:
    """The response that the last event has whole. OpenAI encrypts reasoning anew for it: its items' own is compared."""
    for exchange, asked in recorded():
        if exchange.streamed:
            stream = translate(asked, SURFACE, context(unpriced, model="m"), ResponsesDecoder("reply-1"))
            out = events(stream.feed(exchange.body) + stream.end())
            native = relay(asked, AT, unpriced)
            told = events(native.feed(exchange.body))
            assert (stream.failure, stream.usage) == (native.failure, native.usage), exchange.name
            assert stream.text_digest == native.text_digest, exchange.name
            assert out[-1]["response"]["output"] == assembled(out), exchange.name
            wanted = {**told[-1]["response"], "model": "m"}
            yield exchange.name, sealed_alike(wanted), sealed_alike(out[-1]["response"])


def sealed_alike(response: dict[str, Any]) -> dict[str, Any]:
    """With one word for whatever is encrypted."""
    items = [{**one, "encrypted_content": one.get("encrypted_content") and "sealed"} for one in response["output"]]
    return {**response, "output": items}


def test_answers_survive_the_neutral_form() -> None:
    found = answers()
    assert (found.number, found.failures, found.idle()) == (121, [], [])


def test_says_the_same_on_chat() -> None:
    for exchange, asked in recorded():
        if exchange.streamed:
            continue
        shown = json.loads(reply(translated(asked), AT, exchange.body).body)["choices"][0]["message"]
        calls = [call["function"] for call in shown.get("tool_calls") or ()]
        text, wanted = said_in_response(json.loads(exchange.body)["output"])
        assert (shown["content"] or "") == text, exchange.name
        assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [one[1:] for one in wanted]


def test_chat_completions_say_the_same_as_responses() -> None:
    """What other providers answer in OpenAI's chat format, on this surface."""
    asked = SURFACE.parse({"model": "m", "input": "hi"}, 9, {})
    counted = 0
    for exchange in exchanges():
        if not exchange.path.endswith("/chat/completions") or exchange.status != 200 or exchange.streamed:
            continue
        was = json.loads(exchange.body)
        if "choices" not in was or "cohere" in exchange.host:
            continue
        message = was["choices"][0]["message"]
        text, calls = said_in_response(json.loads(reply(asked, CHAT, exchange.body).body)["output"])
        content = message.get("content") or ""
        if not isinstance(content, str):
            content = "".join(part.get("text") or "" for part in content if part["type"] == "text")
        assert text == content, exchange.name
        wanted = [one["function"] for one in message.get("tool_calls") or ()]
        assert [one[1:] for one in calls] == [(one["name"], json.loads(one.get("arguments") or "{}")) for one in wanted]
        counted += 1
    assert counted > 150
