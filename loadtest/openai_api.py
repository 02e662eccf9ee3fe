"""OpenAI's wire format, server side: chat completions and legacy completions.

Owns reading those requests and spelling their answers, whole and streamed. Embeddings stand in `openai_embeddings`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from loadtest.asks import ApiError, Ask, Tool, Tools, Turn
from loadtest.billing import Tokens
from loadtest.faults import Fault
from loadtest.generation import Answer, Call
from loadtest.openai_embeddings import embed
from loadtest.openai_errors import invalid, known_model
from loadtest.vendors import Model, Vendor
from loadtest.wire import Frame, FrameKind, Reply, Surface, WireFormat, sse

Json = Any  # a parsed JSON value

_FINISH = {"stop": "stop", "stop_sequence": "stop", "length": "length", "tool_calls": "tool_calls"}
_DONE = Frame(b"data: [DONE]\n\n", FrameKind.CLOSING)
_CREATED_S = 1_764_000_000  # of the models themselves


def read_chat(body: Mapping[str, Json], vendor: Vendor) -> Ask:
    model = known_model(body, vendor)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
    schema_of = body.get("response_format") or {}
    ask = Ask(
        model=model,
        turns=tuple(_turn(message) for message in messages),
        tools=_tools(body),
        schema=_schema(schema_of),
        max_tokens=_max_tokens(body, model),
        stop=_stop(body),
        reasons="reasoning" in model.caps and body.get("reasoning_effort") not in ("none", "minimal"),
        choices=body.get("n") or 1,
    )
    return _fitting(ask)


def read_completion(body: Mapping[str, Json], vendor: Vendor) -> Ask:
    model = known_model(body, vendor)
    prompt = body.get("prompt", "")
    text = prompt if isinstance(prompt, str) else "".join(str(part) for part in prompt)
    return _fitting(
        Ask(
            model=model,
            turns=(Turn("user", text),),
            max_tokens=body.get("max_tokens") or 16,  # the format's own default
            stop=_stop(body),
            choices=body.get("n") or 1,
            echo=bool(body.get("echo")),
        )
    )


def _turn(message: Json) -> Turn:
    role, content = str(message.get("role")), message.get("content")
    if isinstance(content, list):
        images = sum(1 for part in content if part.get("type") == "image_url")
        return Turn(role, "\n".join(part.get("text", "") for part in content), images)
    calls = "".join(
        f"{call['function']['name']} {call['function']['arguments']}" for call in message.get("tool_calls") or ()
    )
    return Turn(role, (content or "") + calls)


def _tools(body: Mapping[str, Json]) -> Tools:
    offered = tuple(
        Tool(tool["function"]["name"], tool["function"].get("parameters") or {})
        for tool in body.get("tools") or ()
        if tool.get("type") == "function"
    )
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        choice = f"named:{choice['function']['name']}"
    return Tools(offered, choice, body.get("parallel_tool_calls") is not False)


def _schema(response_format: Mapping[str, Json]) -> Mapping[str, Json] | None:
    match response_format.get("type"):
        case "json_schema":
            schema: Mapping[str, Json] = response_format["json_schema"].get("schema") or {}
            return schema
        case "json_object":
            return {}
        case _:
            return None


def _stop(body: Mapping[str, Json]) -> tuple[str, ...]:
    stop = body.get("stop") or ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _max_tokens(body: Mapping[str, Json], model: Model) -> int | None:
    wanted: int | None = body.get("max_completion_tokens") or body.get("max_tokens")
    if wanted is not None and wanted > model.max_output:
        message = (
            f"max_tokens is too large: {wanted}. This model supports at most {model.max_output} completion tokens."
        )
        raise invalid(message, "invalid_value", "max_tokens")
    return wanted


def _fitting(ask: Ask) -> Ask:
    """Refuses what the model cannot take."""
    used = ask.input_tokens
    if used > ask.model.context:
        raise invalid(
            f"This model's maximum context length is {ask.model.context} tokens. However, your messages resulted in "
            f"{used} tokens. Please reduce the length of the messages.",
            "context_length_exceeded",
            "messages",
        )
    if "vision" not in ask.model.caps and any(turn.images for turn in ask.turns):
        raise invalid(f"{ask.model.id} does not support image inputs.", "unsupported_value", "messages")
    return ask


def chat_whole(reply: Reply) -> Json:
    answer = reply.answer
    message: dict[str, Json] = {"role": "assistant", "content": "".join(answer.text) or None, "refusal": None}
    if answer.thoughts:
        message["reasoning_content"] = "".join(answer.thoughts)
    if answer.calls:
        message["tool_calls"] = [_call_json(call) for call in answer.calls]
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}
        for index in range(reply.ask.choices)
    ]
    return _envelope(reply, "chat.completion", choices) | _usage_field(reply)


def _call_json(call: Call) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": "".join(call.arguments)}}


def completion_whole(reply: Reply) -> Json:
    choices = [
        _text_choice(index, "".join(reply.answer.text), reply.answer.finish) for index in range(reply.ask.choices)
    ]
    return _envelope(reply, "text_completion", choices) | _usage_field(reply)


def _text_choice(index: int, text: str, finish: str | None) -> Json:
    return {
        "text": text,
        "index": index,
        "logprobs": None,
        "finish_reason": None if finish is None else _FINISH[finish],
    }


def _envelope(reply: Reply, kind: str, choices: list[Json]) -> dict[str, Json]:
    prefix = "cmpl" if kind == "text_completion" else "chatcmpl"
    return {
        "id": f"{prefix}-{reply.vendor_id}-{reply.serial:06d}",
        "object": kind,
        "created": reply.created_s,
        "model": reply.ask.model.id,
        "system_fingerprint": "fp_sim",
        "choices": choices,
    }


def _usage_field(reply: Reply) -> dict[str, Json]:
    return {} if reply.reporting.omitted else {"usage": usage_json(reply.usage)}


def usage_json(usage: Tokens) -> dict[str, Json]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


class _Chunks:
    """Spells the chunks of one stream, and keeps count for vendors that tell usage in each."""

    def __init__(self, reply: Reply, kind: str) -> None:
        self._reply = reply
        self._kind = kind
        self._sent = 0

    def chunk(self, choices: list[Json], kind: FrameKind, sent_tokens: int = 0) -> Frame:
        event = _envelope(self._reply, self._kind, choices)
        if self._reply.reporting.in_every_chunk:
            self._sent += sent_tokens
            event["usage"] = usage_json(self._reply.after(self._sent).usage if self._sent else Tokens(0))
        elif self._reply.include_usage:
            event["usage"] = None
        return Frame(sse(event), kind, sent_tokens)

    def delta(self, index: int, delta: Json, sent_tokens: int) -> Frame:
        return self.chunk([_delta_choice(index, delta, None)], FrameKind.CONTENT, sent_tokens)

    def closing(self) -> Iterator[Frame]:
        if self._reply.include_usage and not self._reply.reporting.omitted:
            event = _envelope(self._reply, self._kind, []) | _usage_field(self._reply)
            yield Frame(sse(event), FrameKind.CLOSING)
        yield _DONE


def _delta_choice(index: int, delta: Json, finish: str | None) -> Json:
    return {
        "index": index,
        "delta": delta,
        "logprobs": None,
        "finish_reason": None if finish is None else _FINISH[finish],
    }


def chat_frames(reply: Reply) -> Iterator[Frame]:
    chunks = _Chunks(reply, "chat.completion.chunk")
    if reply.reporting.without_choices:  # as Azure begins its streams
        yield Frame(sse({"id": "", "object": "", "choices": [], "prompt_filter_results": []}), FrameKind.META)
    for index in range(reply.ask.choices):
        role = {"role": "assistant", "content": "", "refusal": None}
        yield chunks.chunk([_delta_choice(index, role, None)], FrameKind.META)
        yield from _content_frames(chunks, index, reply.answer)
        if reply.reporting.without_choices:  # as Groq sends its own figures
            yield Frame(sse({"x_sim": {"queue_ms": 1}}), FrameKind.META)
        yield chunks.chunk([_delta_choice(index, {}, reply.answer.finish)], FrameKind.CLOSING)
    yield from chunks.closing()


def _content_frames(chunks: _Chunks, index: int, answer: Answer) -> Iterator[Frame]:
    for piece in answer.thoughts:
        yield chunks.delta(index, {"reasoning_content": piece}, 1)
    for piece in answer.text:
        yield chunks.delta(index, {"content": piece}, 1)
    for nth, call in enumerate(answer.calls):
        opening = {"index": nth, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield chunks.delta(index, {"tool_calls": [opening]}, call.name_tokens)
        for fragment in call.arguments:
            yield chunks.delta(index, {"tool_calls": [{"index": nth, "function": {"arguments": fragment}}]}, 1)


def completion_frames(reply: Reply) -> Iterator[Frame]:
    chunks = _Chunks(reply, "text_completion")
    for index in range(reply.ask.choices):
        for piece in reply.answer.text:
            yield chunks.chunk([_text_choice(index, piece, None)], FrameKind.CONTENT, 1)
        yield chunks.chunk([_text_choice(index, "", reply.answer.finish)], FrameKind.CLOSING)
    yield from chunks.closing()


def list_models(vendor: Vendor) -> Json:
    rows = [
        {"id": model.id, "object": "model", "created": _CREATED_S, "owned_by": vendor.id} for model in vendor.models
    ]
    return {"object": "list", "data": rows}


def error_body(error: ApiError) -> Json:
    return {"error": {"message": error.message, "type": error.kind, "param": error.param, "code": error.code}}


_KINDS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("invalid_request_error", "permission_denied"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def fault_error(fault: Fault) -> ApiError:
    status = fault.status or 500
    kind, code = _KINDS.get(status, ("server_error", None))
    message = fault.message or f"Simulated failure {status}."
    return ApiError(status, message, kind, fault.code or code)


def rate_limit_headers(retry_after_s: float) -> Mapping[str, str]:
    return {
        "retry-after": f"{retry_after_s:g}",
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{retry_after_s:g}s",
    }


OPENAI = WireFormat(
    surfaces={
        "/v1/chat/completions": Surface(read_chat, chat_whole, chat_frames),
        "/v1/completions": Surface(read_completion, completion_whole, completion_frames),
    },
    lookups={"/v1/embeddings": embed},
    models=list_models,
    error_body=error_body,
    error_frame=lambda error: sse(error_body(error)),
    keepalives=(b": keep-alive\n\n",),
    fault_error=fault_error,
    rate_limit_headers=rate_limit_headers,
)
