"""Anthropic messages: answers of other wire formats, written as the client expects them, whole or streamed."""

from collections.abc import Mapping

from gateway.core.chat import ChatReply, FinishReason, Json, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec, sse
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.surface import ClientError, Ending, Identity

_FINISH: Mapping[FinishReason, str] = {
    FinishReason.STOP: "end_turn",
    FinishReason.STOP_SEQUENCE: "stop_sequence",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.REFUSAL: "refusal",
    FinishReason.PAUSE: "pause_turn",
}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def finish_word(ending: Ending) -> str:
    """A stop sequence is reported only where it is known which one matched."""
    if ending.finish is FinishReason.STOP_SEQUENCE and ending.stop_sequence is None:
        return "end_turn"
    return _FINISH[ending.finish]


def write_usage(usage: Usage, cost_usd: float | None) -> dict[str, Json]:
    """Anthropic's counting: input tokens leave cached and written ones out."""
    shown: dict[str, Json] = {
        "input_tokens": usage.input - usage.cached_input - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached_input,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        shown["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if cost_usd is not None:
        shown["cost"] = cost_usd
    return shown


def write_error(error: ClientError) -> dict[str, Json]:
    kind = _ERROR_TYPES.get(error.status) or ("invalid_request_error" if error.status < 500 else "api_error")
    inner: dict[str, Json] = {"type": kind, "message": error.message}
    if error.code is not None:
        inner["code"] = error.code
    if error.param is not None:
        inner["param"] = error.param
    if error.extra:
        inner["metadata"] = dict(error.extra)
    return {"type": "error", "error": inner}


def write_reply(reply: ChatReply, ending: Ending) -> bytes:
    content: list[dict[str, Json]] = []
    for part in reply.parts:
        match part:
            case Text(text=text):
                content.append({"type": "text", "text": text})
            case Thinking():
                content.append(_thinking_block(part))
            case ToolCall(id=call_id, name=name, arguments=arguments):
                call_input = codec.loads(arguments.encode() or b"{}")
                content.append({"type": "tool_use", "id": call_id, "name": name, "input": call_input})
            case _:
                pass
    if reply.refusal is not None:
        content.append({"type": "text", "text": reply.refusal})
    body: dict[str, Json] = {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": "refusal" if reply.refusal is not None else finish_word(ending),
        "stop_sequence": ending.stop_sequence,
        "usage": write_usage(ending.usage or Usage(), ending.cost_usd),
    }
    return codec.dumps(body)


def _thinking_block(part: Thinking) -> dict[str, Json]:
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    signature = part.signature if part.format == "anthropic" else None
    return {"type": "thinking", "thinking": part.text, "signature": signature or ""}


class MessagesEncoder:
    """One stream of message events. Blocks never overlap, as in Anthropic's own streams.

    A tool call that begins while the one before it is not evidently complete waits: arguments that still come for the
    earlier call would have no open block. What waits is written when its turn comes, at the latest at the end.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._index = -1  # of the block last opened
        self._open: str | None = None  # "text" | "thinking" | "tool"
        self._tool = -1  # the call whose block is open
        self._arguments: dict[int, list[str]] = {}
        self._starts: dict[int, ToolStart] = {}
        self._waiting: list[int] = []
        self._refused = False

    def open(self) -> bytes:
        message: dict[str, Json] = {
            "id": self._identity.id,
            "type": "message",
            "role": "assistant",
            "model": self._identity.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _event("message_start", {"message": message})

    def delta(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text):
                return self._settle() + self._text(text)
            case RefusalDelta(text):
                self._refused = True
                return self._settle() + self._text(text)
            case ThinkingDelta():
                return self._settle() + self._thinking(delta)
            case ToolStart(index):
                self._starts[index] = delta
                self._arguments[index] = []
                return self._tool_start(index)
            case ToolDelta(index, arguments):
                self._arguments[index].append(arguments)
                return self._tool_arguments(arguments) if index == self._tool else b""

    def close(self, ending: Ending) -> bytes:
        out = self._settle() + self._end_block()
        reason = "refusal" if self._refused else finish_word(ending)
        usage = {"output_tokens": 0} if ending.usage is None else write_usage(ending.usage, ending.cost_usd)
        stop = {"stop_reason": reason, "stop_sequence": ending.stop_sequence}
        return out + _event("message_delta", {"delta": stop, "usage": usage}) + _event("message_stop", {})

    def _text(self, text: str) -> bytes:
        out = b"" if self._open == "text" else self._begin("text", {"type": "text", "text": ""})
        return out + self._block_delta({"type": "text_delta", "text": text})

    def _thinking(self, delta: ThinkingDelta) -> bytes:
        if delta.redacted is not None:
            return self._begin("redacted", {"type": "redacted_thinking", "data": delta.redacted}) + self._end_block()
        out = b""
        if self._open != "thinking":
            out = self._begin("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if delta.text:
            out += self._block_delta({"type": "thinking_delta", "thinking": delta.text})
        if delta.signature is not None and delta.format == "anthropic":
            out += self._block_delta({"type": "signature_delta", "signature": delta.signature}) + self._end_block()
        return out

    def _tool_start(self, index: int) -> bytes:
        if self._waiting or (self._open == "tool" and not _complete(self._arguments[self._tool])):
            self._waiting.append(index)
            return b""
        return self._begin_tool(index)

    def _begin_tool(self, index: int) -> bytes:
        start = self._starts[index]
        block = {"type": "tool_use", "id": start.id, "name": start.name, "input": {}}
        out = self._begin("tool", block)
        self._tool = index
        return out

    def _tool_arguments(self, text: str) -> bytes:
        return self._block_delta({"type": "input_json_delta", "partial_json": text})

    def _settle(self) -> bytes:
        """Writes every call that waits, whole; nothing more can come for the calls before it."""
        out = b""
        for index in self._waiting:
            out += self._begin_tool(index)
            if self._arguments[index]:
                out += self._tool_arguments("".join(self._arguments[index]))
        self._waiting = []
        return out

    def _begin(self, kind: str, block: dict[str, Json]) -> bytes:
        out = self._end_block()
        self._index += 1
        self._open = kind
        return out + _event("content_block_start", {"index": self._index, "content_block": block})

    def _end_block(self) -> bytes:
        if self._open is None:
            return b""
        out = b""
        if self._open == "tool" and not self._arguments[self._tool]:
            out = self._tool_arguments("{}")  # a call without arguments (cases.md E7)
        self._open, self._tool = None, -1
        return out + _event("content_block_stop", {"index": self._index})

    def _block_delta(self, delta: dict[str, Json]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})


def _complete(arguments: list[str]) -> bool:
    if not arguments or not arguments[-1].rstrip().endswith("}"):
        return False
    try:
        codec.loads("".join(arguments).encode())
    except ValueError:
        return False
    return True


def _event(name: str, fields: dict[str, Json]) -> bytes:
    return sse.encode(codec.dumps({"type": name, **fields}), name.encode())
