"""Short ways to ask, answer and read in tests of surfaces and wire formats."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.wire import RelayContext, Rendered, StreamRelay

UPSTREAM_MODEL = "gpt-4o-2024-08-06"
USER = [{"role": "user", "content": "hi"}]
SURFACES = {"openai": Surface.CHAT, "anthropic": Surface.MESSAGES, "responses": Surface.RESPONSES}


def endpoint(api: str = "openai", caps: Iterable[str] = ("tools", "json_schema"), **more: Any) -> Endpoint:
    return Endpoint(
        id=f"{api}/model",
        provider=api,
        model="model",
        upstream_id=f"{api}-upstream",
        base_model="model",
        api=api,
        caps=frozenset(caps),
        **more,
    )


def priced(usage: Usage) -> float | None:
    """A cent for each input token, two for each output token."""
    return round(0.01 * usage.input + 0.02 * usage.output, 6)


def unpriced(usage: Usage) -> float | None:
    return None


def context(price: Any = priced, model: str = "told-model") -> RelayContext:
    return RelayContext(reply_id="reply-1", created_s=1_700_000_000, model=model, price=price)


def ask(body: Mapping[str, Any] | None = None, surface: Surface = Surface.CHAT, **more: Any) -> Ask:
    """An ask as its surface parses it; a minimal one where the body says nothing."""
    least: dict[str, Any] = {"model": "model"}
    if surface in (Surface.CHAT, Surface.MESSAGES, Surface.COUNT_TOKENS):
        least["messages"] = USER
    if surface is Surface.MESSAGES:
        least["max_tokens"] = 100
    if surface is Surface.COMPLETIONS:
        least["prompt"] = "hi"
    if surface is Surface.RESPONSES:
        least["input"] = "hi"
    headers = more.pop("headers", {})
    return registry.surface(surface).parse({**least, **(body or {}), **more}, 100, headers)


def outgoing_body(asked: Ask, at: Endpoint, max_output: int | None = None) -> dict[str, Any]:
    return dict(json.loads(registry.wire_format(at.api).build(asked, at, max_output).body))


def relay(asked: Ask, at: Endpoint, price: Any = priced) -> StreamRelay:
    return registry.wire_format(at.api).stream_relay(asked, at, context(price))


def reply(asked: Ask, at: Endpoint, body: Any, price: Any = priced) -> Rendered:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return registry.wire_format(at.api).reply(asked, at, raw, context(price))


def sse(*events: Any) -> bytes:
    """Unnamed events, compact as OpenAI sends them; a string is data as it is."""
    texts = (event if isinstance(event, str) else json.dumps(event, separators=(",", ":")) for event in events)
    return b"".join(b"data: " + text.encode() + b"\n\n" for text in texts)


def named(*events: dict[str, Any]) -> bytes:
    """Events named by their type, as Anthropic sends them."""
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chat completion chunk."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": UPSTREAM_MODEL}
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return {**head, "choices": choices, **more}


def message_start(**usage: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-upstream",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def block_start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def block_delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def block_stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def message_end(
    reason: str = "end_turn", stop: str | None = None, **usage: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": stop}
    counted = {"output_tokens": 5, **usage}
    return {"type": "message_delta", "delta": delta, "usage": counted}, {"type": "message_stop"}


def events(written: bytes) -> list[Any]:
    """What a client reads: each event's JSON, or its text (`[DONE]`)."""
    found: list[Any] = []
    for block in written.split(b"\n\n")[:-1]:
        data = b"\n".join(line[6:] for line in block.split(b"\n") if line.startswith(b"data: "))
        found.append("[DONE]" if data == b"[DONE]" else json.loads(data))
    return found


def names(written: bytes) -> list[str]:
    """The `event:` names a client reads."""
    return [line[7:].decode() for line in written.split(b"\n") if line.startswith(b"event: ")]


def chat_text(written: Iterable[Any]) -> str:
    """All content of chat chunks."""
    deltas = [c["choices"][0]["delta"] for c in written if isinstance(c, dict) and c.get("choices")]
    return "".join(delta.get("content") or "" for delta in deltas)


def chat_calls(written: Iterable[Any]) -> list[tuple[int, str, str, str]]:
    """Index, id, name and arguments of each tool call, assembled as the OpenAI SDKs do."""
    calls: dict[int, list[str]] = {}
    for item in written:
        for choice in item.get("choices", ()) if isinstance(item, dict) else ():
            for fragment in choice["delta"].get("tool_calls") or ():
                call = calls.setdefault(fragment["index"], ["", "", ""])
                call[0] += fragment.get("id") or ""
                call[1] += fragment["function"].get("name") or ""
                call[2] += fragment["function"].get("arguments") or ""
    return [(index, *call) for index, call in sorted(calls.items())]  # type: ignore[misc]


def message_blocks(written: Iterable[Any]) -> list[dict[str, Any]]:
    """Content blocks of a message stream, assembled as the Anthropic SDKs do; fails where blocks overlap."""
    blocks: list[dict[str, Any]] = []
    partial, is_open = "", False
    for event in written:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                assert event["index"] == len(blocks)
                blocks.append(dict(event["content_block"]))
                partial, is_open = "", True
            case "content_block_delta":
                assert is_open
                assert event["index"] == len(blocks) - 1
                partial = _apply(blocks[-1], event["delta"], partial)
            case "content_block_stop":
                assert is_open
                is_open = False
            case _:
                pass
    assert not is_open
    return blocks


def _apply(block: dict[str, Any], delta: dict[str, Any], partial: str) -> str:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            partial += delta["partial_json"]
            try:
                block["input"] = json.loads(partial)
            except ValueError:
                block["input"] = partial
        case _:
            pass
    return partial


def call(index: int, call_id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    """A tool call of the OpenAI format, or a fragment of one."""
    return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*fragments: dict[str, Any]) -> dict[str, Any]:
    """A chunk of tool call fragments."""
    return chunk({"tool_calls": list(fragments)})


def tool_use(call_id: str, name: str, **call_input: Any) -> dict[str, Any]:
    """A tool call of the Anthropic format."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": call_input}
