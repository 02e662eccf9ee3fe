"""Recorded traffic of real providers, replayed in process: an independent check of what is understood and passed on."""

import json
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.surface import BadRequest
from tests.support.formats import chat_text, context, endpoint, events, message_blocks, unpriced
from tests.support.recorded import ODD, accepted, parsed, placed, start, streams, upstream_events, wholes
from tests.support.vectors import exchanges, needs_vectors

pytestmark = needs_vectors

def test_has_enough_to_say_something() -> None:
    assert (len(list(placed())), len(wholes()), len(streams())) == (429, 374, 33)


def test_accepts_every_request_that_the_provider_accepted() -> None:
    refused = {}
    for exchange, surface, _ in placed():
        try:
            parsed(exchange, surface)
        except BadRequest as error:
            refused[exchange.name] = (exchange.status, error.param)
    assert refused == {
        "envoy-ai-gateway/chat-bad-request#0": (400, "messages[0].content"),
        "envoy-ai-gateway/chat-no-messages#0": (400, "messages"),
        "envoy-ai-gateway/completion-bad-request#0": (400, "max_tokens"),
        "envoy-ai-gateway/embeddings-bad-request#0": (400, "dimensions"),
    }


def test_sends_requests_of_the_same_format_as_they_came() -> None:
    for exchange, asked, at in accepted():
        sent = json.loads(registry.wire_format(at.api).build(asked, at, asked.survey.max_tokens).body)
        wanted = dict(exchange.request)
        if asked.stream and at.api == "openai":
            wanted["stream_options"] = {**(wanted.get("stream_options") or {}), "include_usage": True}
        assert sent == wanted, exchange.name


def test_passes_whole_answers_equal_but_for_the_model() -> None:
    for exchange, asked, at in wholes():
        rendered = registry.wire_format(at.api).reply(asked, at, exchange.body, context(unpriced))
        wanted = json.loads(exchange.body)
        if asked.surface is not Surface.COUNT_TOKENS:
            wanted["model"] = "told-model"
        assert json.loads(rendered.body) == wanted, exchange.name


def test_reads_the_usage_of_whole_answers() -> None:
    for exchange, asked, at in wholes():
        if asked.surface is Surface.COUNT_TOKENS or json.loads(exchange.body).get("status") == "queued":
            continue
        usage = registry.wire_format(at.api).reply(asked, at, exchange.body, context()).usage
        if usage is None:
            assert told_total(json.loads(exchange.body)["usage"]) == 0, exchange.name
            continue
        assert usage_total(usage) == told_total(json.loads(exchange.body)["usage"]), exchange.name
        assert usage.cached_input + usage.cache_write <= usage.input
        assert usage.reasoning <= usage.output


def usage_total(usage: Usage) -> int:
    return usage.input + usage.output


def told_total(usage: dict[str, Any]) -> int:
    if "total_tokens" in usage:
        return int(usage["total_tokens"])
    counted = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(usage.get(key) or 0 for key in counted)


def is_extra(event: Any, asked: Ask) -> bool:
    """Whether an event is a usage chunk that the client did not ask for."""
    return (
        isinstance(event, dict) and event.get("choices") == [] and not asked.include_usage and bool(event.get("usage"))
    )


def with_model(event: Any) -> Any:
    if isinstance(event, dict) and "choices" in event:
        return {**event, "model": "told-model", "id": event["id"] or "reply-1"}
    if isinstance(event, dict) and "response" in event:
        return {**event, "response": {**event["response"], "model": "told-model"}}
    if isinstance(event, dict) and event.get("type") == "message_start":
        return {**event, "message": {**event["message"], "model": "told-model"}}
    return event


def test_passes_streams_event_for_event_equal_but_for_the_model() -> None:
    for exchange, asked, at in streams():
        relay = start(asked, at)
        out = events(relay.feed(exchange.body) + relay.end())
        if exchange.name == "test_openai_responses/test_openai_responses_raw_cot_stream_openrouter#0":
            out.append("[DONE]")  # OpenRouter's habit; the format has no such end
        wanted = [with_model(event) for event in upstream_events(exchange) if not is_extra(event, asked)]
        if relay.failure is not None:
            assert exchange.name == "test_groq/test_tool_use_failed_error_streaming_with_text#0"
            wanted = wanted[: len(out)]
        assert out == wanted, exchange.name


def told_usage(event: dict[str, Any]) -> Any:
    return (event.get("response") or event).get("usage")


def test_reads_the_usage_of_streams() -> None:
    for exchange, asked, at in streams():
        relay = start(asked, at)
        relay.feed(exchange.body)
        told = [used for event in upstream_events(exchange) if isinstance(event, dict) and (used := told_usage(event))]
        if relay.failure is None and told:
            assert relay.usage is not None, exchange.name
            if at.api != "anthropic":
                assert usage_total(relay.usage) == told[-1]["total_tokens"], exchange.name
            else:
                assert relay.usage.output == told[-1]["output_tokens"], exchange.name


def test_understands_every_error_answer() -> None:
    seen: dict[tuple[int, str], str] = {}
    for exchange, _, at in placed():
        if exchange.status >= 300:
            failure = registry.wire_format(at.api).failure(exchange.status, exchange.headers, exchange.body, 0.0)
            assert failure.error is not None
            assert failure.error.message not in ("", "no message"), exchange.name
            seen.setdefault((exchange.status, failure.kind.value), exchange.name)
    assert sorted(seen) == [(400, "rejected"), (404, "not_found"), (429, "rate_limited")]


def test_refuses_what_is_no_answer() -> None:
    (exchange,) = [exchange for exchange in exchanges() if exchange.name in ODD]
    with pytest.raises(AttemptError):
        registry.wire_format("openai").reply(parsed(exchange, Surface.CHAT), endpoint(), exchange.body, context())


# Translation: the same texts and calls on the other surface.


def other(asked: Ask) -> Ask:
    surface = Surface.CHAT if asked.surface is Surface.MESSAGES else Surface.MESSAGES
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "stream": asked.stream}
    return registry.surface(surface).parse(body, 1, {})


def said_in_chat(message: dict[str, Any]) -> tuple[str, list[Any]]:
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join(part.get("text") or "" for part in content if part["type"] == "text")
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return content, [(call["name"], json.loads(call.get("arguments") or "{}")) for call in calls]


def said_in_message(blocks: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    return text, [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]


def test_says_the_same_on_the_other_surface() -> None:
    for exchange, asked, at in wholes():
        if asked.surface not in (Surface.CHAT, Surface.MESSAGES):
            continue
        rendered = registry.wire_format(at.api).reply(other(asked), at, exchange.body, context())
        shown, was = json.loads(rendered.body), json.loads(exchange.body)
        if asked.surface is Surface.CHAT:
            assert said_in_message(shown["content"]) == said_in_chat(was["choices"][0]["message"]), exchange.name
        else:
            assert said_in_chat(shown["choices"][0]["message"]) == said_in_message(was["content"]), exchange.name
        assert shown["usage"]["cost"] is not None


def test_streams_the_same_on_the_other_surface() -> None:
    for exchange, asked, at in streams():
        if asked.surface not in (Surface.CHAT, Surface.MESSAGES):
            continue
        native, translated = start(asked, at), start(other(asked), at)
        native.feed(exchange.body)
        out = translated.feed(exchange.body) + translated.end()
        assert (translated.failure, translated.usage) == (native.failure, native.usage), exchange.name
        if native.failure is None:
            assert translated.text_digest == native.text_digest, exchange.name
            was = upstream_events(exchange)
            if asked.surface is Surface.CHAT:
                assert said_in_message(message_blocks(events(out)))[0] == chat_text(was), exchange.name
            else:
                assert chat_text(events(out)) == said_in_message(message_blocks(was))[0], exchange.name
