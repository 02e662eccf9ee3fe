"""Anthropic's wire format, server side: messages and token counting.

Owns reading those requests and spelling their answers, whole and streamed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from loadtest.asks import ApiError, Ask, Tool, Tools, Turn
from loadtest.billing import Tokens
from loadtest.faults import Fault
from loadtest.vendors import Model, Vendor
from loadtest.wire import Frame, FrameKind, Reply, Surface, WireFormat, sse

Json = Any  # a parsed JSON value

_STOP = {"stop": "end_turn", "stop_sequence": "stop_sequence", "length": "max_tokens", "tool_calls": "tool_use"}
_SIGNATURE = "c2ltdWxhdGVk"


def read_messages(body: Mapping[str, Json], vendor: Vendor) -> Ask:
    ask = _read(body, vendor)
    if not isinstance(body.get("max_tokens"), int):
        raise _invalid("max_tokens: Field required")
    if body["max_tokens"] > ask.model.max_output:
        limit = ask.model.max_output
        raise _invalid(
            f"max_tokens: {body['max_tokens']} > {limit}, which is the maximum allowed number of output tokens"
        )
    return ask


def _read(body: Mapping[str, Json], vendor: Vendor) -> Ask:
    model = _known_model(body, vendor)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages: at least one message is required")
    system = [Turn("system", _text(body["system"]))] if body.get("system") else []
    turns = (*system, *(_turn(message) for message in messages))
    output_format = (body.get("output_config") or {}).get("format") or {}
    ask = Ask(
        model=model,
        turns=turns,
        tools=_tools(body),
        schema=output_format.get("schema"),
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop_sequences") or ()),
        reasons=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
        marked_turns=_marked_turns(body, messages, len(system)),
    )
    if ask.input_tokens > model.context:
        raise _invalid(f"prompt is too long: {ask.input_tokens} tokens > {model.context} maximum")
    return ask


def _known_model(body: Mapping[str, Json], vendor: Vendor) -> Model:
    model_id = body.get("model")
    if not isinstance(model_id, str):
        raise _invalid("model: Field required")
    model = vendor.model(model_id)
    if model is None:
        raise ApiError(404, f"model: {model_id}", "not_found_error")
    return model


def _turn(message: Json) -> Turn:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    results = any(block.get("type") == "tool_result" for block in blocks)
    images = sum(1 for block in blocks if block.get("type") == "image")
    return Turn("tool" if results else str(message.get("role")), _text(content), images)


def _text(content: Json) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return "\n".join(_block_text(block) for block in content)


def _block_text(block: Json) -> str:
    match block.get("type"):
        case "tool_use":
            return f"{block['name']} {orjson.dumps(block['input']).decode()}"
        case "tool_result":
            return _text(block.get("content"))
        case "thinking":
            return str(block.get("thinking", ""))
        case _:
            return str(block.get("text", ""))


def _tools(body: Mapping[str, Json]) -> Tools:
    offered = tuple(Tool(tool["name"], tool.get("input_schema") or {}) for tool in body.get("tools") or ())
    choice = body.get("tool_choice") or {"type": "auto"}
    spelled = {"any": "required", "tool": f"named:{choice.get('name')}"}.get(choice["type"], choice["type"])
    return Tools(offered, spelled, not choice.get("disable_parallel_tool_use"))


def _marked_turns(body: Mapping[str, Json], messages: list[Json], system_turns: int) -> int | None:
    """How many turns stand before (and in) the last `cache_control`; `None` where nothing is marked."""
    if body.get("cache_control"):
        return system_turns + len(messages)
    for index in range(len(messages) - 1, -1, -1):
        if _marked(messages[index].get("content")):
            return system_turns + index + 1
    if _marked(body.get("system")):
        return system_turns
    return 0 if _marked(body.get("tools")) else None


def _marked(blocks: Json) -> bool:
    return isinstance(blocks, list) and any(block.get("cache_control") for block in blocks)


def messages_whole(reply: Reply) -> Json:
    answer = reply.answer
    content: list[Json] = []
    if answer.thoughts:
        content.append({"type": "thinking", "thinking": "".join(answer.thoughts), "signature": _SIGNATURE})
    if answer.text:
        content.append({"type": "text", "text": "".join(answer.text)})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _input("".join(call.arguments))}
        for call in answer.calls
    ]
    stop = {"stop_reason": _STOP[answer.finish], "stop_sequence": answer.stop_sequence}
    return _envelope(reply, content) | stop | _usage_field(reply, reply.usage)


def _input(arguments: str) -> Json:
    try:
        return orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:  # cut off by max_tokens
        return {}


def _envelope(reply: Reply, content: list[Json]) -> dict[str, Json]:
    return {
        "id": f"msg_{reply.vendor_id}_{reply.serial:06d}",
        "type": "message",
        "role": "assistant",
        "model": reply.ask.model.id,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage_field(reply: Reply, usage: Tokens) -> dict[str, Json]:
    return {} if reply.reporting.omitted else {"usage": usage_json(usage)}


def usage_json(usage: Tokens) -> dict[str, Json]:
    return {
        "input_tokens": usage.input - usage.cached - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
        "service_tier": "standard",
    }


def messages_frames(reply: Reply) -> Iterator[Frame]:
    opening = _envelope(reply, []) | _usage_field(reply, reply.after(min(1, reply.usage.output)).usage)
    yield _frame("message_start", {"message": opening}, FrameKind.META)
    yield _frame("ping", {}, FrameKind.META)
    for index, (block, deltas) in enumerate(_blocks(reply)):
        yield _frame("content_block_start", {"index": index, "content_block": block}, FrameKind.META)
        for delta, sent in deltas:
            kind = FrameKind.CONTENT if sent else FrameKind.META
            yield _frame("content_block_delta", {"index": index, "delta": delta}, kind, sent)
        yield _frame("content_block_stop", {"index": index}, FrameKind.META)
    stop = {"stop_reason": _STOP[reply.answer.finish], "stop_sequence": reply.answer.stop_sequence}
    yield _frame("message_delta", {"delta": stop} | _usage_field(reply, reply.usage), FrameKind.CLOSING)
    yield _frame("message_stop", {}, FrameKind.CLOSING)


def _blocks(reply: Reply) -> Iterator[tuple[Json, list[tuple[Json, int]]]]:
    """Each content block's opening, and its deltas with the tokens they deliver."""
    answer = reply.answer
    if answer.thoughts:
        deltas: list[tuple[Json, int]] = [
            ({"type": "thinking_delta", "thinking": piece}, 1) for piece in answer.thoughts
        ]
        deltas.append(({"type": "signature_delta", "signature": _SIGNATURE}, 0))
        yield {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if answer.text:
        yield {"type": "text", "text": ""}, [({"type": "text_delta", "text": piece}, 1) for piece in answer.text]
    for call in answer.calls:
        deltas = [({"type": "input_json_delta", "partial_json": ""}, call.name_tokens)]
        deltas += [({"type": "input_json_delta", "partial_json": piece}, 1) for piece in call.arguments]
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, deltas


def _frame(name: str, fields: dict[str, Json], kind: FrameKind, sent_tokens: int = 0) -> Frame:
    return Frame(sse({"type": name} | fields, name), kind, sent_tokens)


def count_tokens(body: Mapping[str, Json], vendor: Vendor) -> tuple[Json, None]:
    """Token counting is free: nothing is consumed."""
    return {"input_tokens": _read(body, vendor).input_tokens}, None


def list_models(vendor: Vendor) -> Json:
    rows = [
        {"type": "model", "id": model.id, "display_name": model.id, "created_at": "2026-01-01T00:00:00Z"}
        for model in vendor.models
    ]
    return {"data": rows, "has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}


def error_body(error: ApiError) -> Json:
    return {"type": "error", "error": {"type": error.kind, "message": error.message}, "request_id": "req_sim"}


_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def fault_error(fault: Fault) -> ApiError:
    status = fault.status or 529
    return ApiError(
        status, fault.message or f"Simulated failure {status}.", fault.code or _KINDS.get(status, "api_error")
    )


def rate_limit_headers(retry_after_s: float) -> Mapping[str, str]:
    return {
        "retry-after": f"{retry_after_s:g}",
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
    }


def _invalid(message: str) -> ApiError:
    return ApiError(400, message, "invalid_request_error")


ANTHROPIC = WireFormat(
    surfaces={"/v1/messages": Surface(read_messages, messages_whole, messages_frames)},
    lookups={"/v1/messages/count_tokens": count_tokens},
    models=list_models,
    error_body=error_body,
    error_frame=lambda error: sse(error_body(error), "error"),
    keepalives=(sse({"type": "ping"}, "ping"), b": keep-alive\n\n"),
    fault_error=fault_error,
    rate_limit_headers=rate_limit_headers,
)
