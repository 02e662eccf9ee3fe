"""Recorded traffic through the neutral form and back: what is lost on the way is listed here, and nothing else is."""

import json
from typing import Any

from msgspec.structs import replace

from gateway.core.ask import Ask, Surface
from gateway.formats import registry
from gateway.formats.relay import translate
from gateway.formats.responses.reply import read_reply
from gateway.formats.responses.stream import ResponsesDecoder
from gateway.formats.surface import Ending
from tests.support.formats import context, endpoint, events, outgoing_body, relay, reply
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


# Normalisations. Of requests: names and states of items, annotations of texts, an item's default type; reasoning
# that was not encrypted, and the readable part of which there is another; `store: false` and the inclusion of encrypted
# reasoning, which we say ourselves. Of answers: items of tools that run at the provider, annotations, phases.


def normal_text(content: Any) -> Any:
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    kept = []
    for part in parts:
        if part["type"] in ("input_text", "output_text", "text"):
            kept += [{"type": "text", "text": part["text"]}] if part["text"] else []  # cases.md H3
        else:
            kept.append(part)
    return kept


def normal_items(value: Any, instructions: Any) -> list[Any]:
    items = [{"role": "user", "content": value}] if isinstance(value, str) else list(value)
    if instructions:
        items.insert(0, {"role": "system", "content": instructions})
    found: list[Any] = []
    for item in items:
        match item.get("type", "message"):
            case "message":
                content = normal_text(item["content"])
                if found and found[-1].get("role") == item["role"] == "assistant":
                    found[-1]["content"] += content
                elif content:
                    found.append({"role": item["role"].replace("developer", "system"), "content": content})
            case "reasoning":
                if item.get("encrypted_content"):
                    shown = "\n\n".join(part["text"] for part in item.get("content") or item["summary"])
                    found.append({"sealed": item["encrypted_content"], "text": shown})
            case "function_call":
                found.append({"call": [item["call_id"], item["name"], json.loads(item["arguments"] or "{}")]})
            case "function_call_output":
                found.append({"result": item["call_id"], "content": normal_text(item["output"])})
            case other:
                found.append({"other": other})
    return found


def normal_tools(tools: Any) -> list[Any]:
    return [
        {"name": tool["name"], "parameters": tool["parameters"], "strict": bool(tool.get("strict")),
         "description": tool.get("description") or None}
        for tool in tools or ()
    ]  # fmt: skip


def normal_request(body: dict[str, Any]) -> dict[str, Any]:
    form = (body.get("text") or {}).get("format") or {"type": "text"}
    return {
        "input": normal_items(body["input"], body.get("instructions")),
        "tools": normal_tools(body.get("tools")),
        "tool_choice": (body.get("tool_choice") or "auto") if body.get("tools") else "auto",
        "format": {key: value for key, value in form.items() if value is not None},
        "stream": bool(body.get("stream")),
        "effort": (body.get("reasoning") or {}).get("effort"),
        **{key: body[key] for key in ("model", "temperature", "top_p", "max_output_tokens", "user") if key in body},
    }


def test_requests_survive_the_neutral_form() -> None:
    found = expressible()
    assert (len(recorded()), len(found)) == (121, 81)
    for exchange, asked in found:
        at = endpoint("responses", caps=("tools", "json_schema", "reasoning"))
        sent = outgoing_body(translated(asked), at, asked.survey.max_tokens)
        assert (sent.pop("store"), sent.pop("include")) == (False, ["reasoning.encrypted_content"])
        wanted = normal_request(exchange.request)
        assert {**normal_request(sent), "model": wanted["model"]} == wanted, exchange.name


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


def normal_output(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in items:
        match item["type"]:
            case "message":
                texts = [part.get("text") or part.get("refusal") for part in item["content"]]
                found.append("".join(texts))
            case "reasoning":
                shown = "".join(part["text"] for part in item.get("content") or ())
                shown = shown or "\n\n".join(part["text"] for part in item["summary"])
                if shown or item.get("encrypted_content"):
                    found.append((shown, item.get("encrypted_content")))
            case "function_call":
                found.append((item["call_id"], item["name"], json.loads(item["arguments"] or "{}")))
            case _:
                pass
    joined: list[Any] = []  # messages with nothing but an omitted item between them
    for one in found:
        if joined and isinstance(one, str) and isinstance(joined[-1], str):
            joined[-1] += one
        elif one != "":
            joined.append(one)
    return joined


def test_answers_survive_the_neutral_form() -> None:
    wholes = [(one, ask) for one, ask in recorded() if not one.streamed]
    assert len(wholes) == 109
    for exchange, asked in wholes:
        was = json.loads(exchange.body)
        answer, usage = read_reply(exchange.body, "reply-1")
        shown = json.loads(SURFACE.encode(asked, answer, Ending(answer.finish, usage=usage)))
        assert normal_output(shown["output"]) == normal_output(was["output"]), exchange.name
        if was["status"] != "queued":
            status = was["status"].replace("complete", "completed") if was["status"] == "complete" else was["status"]
            assert (shown["status"], shown["incomplete_details"]) == (status, was["incomplete_details"])
        if usage is not None:
            counted = ("input_tokens", "output_tokens", "total_tokens")
            assert [shown["usage"][key] for key in counted] == [was["usage"][key] for key in counted]


def unsealed(items: Any) -> list[Any]:
    """OpenAI encrypts the same reasoning anew for the item and for the whole response."""
    return [one if isinstance(one, str) or len(one) == 3 else (one[0], bool(one[1])) for one in normal_output(items)]


def test_streams_survive_the_neutral_form_and_are_whole() -> None:
    streams = [(one, ask) for one, ask in recorded() if one.streamed]
    assert len(streams) == 12
    for exchange, asked in streams:
        stream = translate(asked, SURFACE, context(), ResponsesDecoder("reply-1"))
        out = events(stream.feed(exchange.body) + stream.end())
        native = relay(asked, AT)
        told = events(native.feed(exchange.body))[-1]["response"]["output"]
        assert (stream.failure, stream.usage) == (native.failure, native.usage), exchange.name
        assert stream.text_digest == native.text_digest, exchange.name
        assert unsealed(assembled(out)) == unsealed(told), exchange.name
        assert out[-1]["response"]["output"] == assembled(out)


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
