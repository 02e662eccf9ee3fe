"""Anthropic messages: answers of other wire formats, written as the client expects them, whole or streamed."""

from collections.abc import Mapping

from gateway.core.chat import ChatReply, FinishReason, Json, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec, sse
from gateway.formats.arguments import read_arguments
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.sealed_reasoning import seal
from gateway.formats.surface import ClientError, Ending, Identity

_OWN = "anthropic"  # the wire format whose signatures this surface has fields for
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
                content.extend(_thinking_blocks(part))
            case ToolCall(id=call_id, name=name, arguments=arguments):
                content.append({"type": "tool_use", "id": call_id, "name": name, "input": read_arguments(arguments)})
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
        "stop_reason": finish_word(ending),
        "stop_sequence": ending.stop_sequence,
        "usage": write_usage(ending.usage or Usage(), ending.cost_usd),
    }
    return codec.dumps(body)


def _thinking_blocks(part: Thinking) -> list[dict[str, Json]]:
    """What another format signed goes into a block of its own, which clients send back as it is."""
    if _is_own(part.format):
        if part.redacted is not None:
            return [{"type": "redacted_thinking", "data": part.redacted}]
        return [{"type": "thinking", "thinking": part.text, "signature": part.signature or ""}]
    sealed = seal(part, _OWN)
    shown: list[dict[str, Json]] = []
    if part.text or sealed is None:
        shown.append({"type": "thinking", "thinking": part.text, "signature": ""})
    if sealed is not None:
        shown.append({"type": "redacted_thinking", "data": sealed})
    return shown


def _is_own(form: str | None) -> bool:
    return form is None or form == _OWN


class MessagesEncoder:
    """One stream of message events. Blocks never overlap, as in Anthropic's own streams.

    While a tool call's arguments are not evidently complete, everything else waits: what still comes for the call would
    have no open block. What waits is written in its order, at the latest at the end.
    """

    next_number = 0

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._index = -1  # of the block last opened
        self._open: str | None = None  # type of the open block
        self._tool = -1  # the call whose block is open
        self._arguments: list[str] = []  # of that call
        self._waiting: list[Delta] = []

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
        mine = isinstance(delta, ToolDelta) and delta.index == self._tool
        if not mine and self._open == "tool_use" and not _complete(self._arguments):
            self._waiting.append(delta)
            return b""
        out = self._write(delta)
        return out + self._resume() if self._waiting and _complete(self._arguments) else out

    def close(self, ending: Ending) -> bytes:
        out = self._end_block()
        while self._waiting:
            out += self._resume() + self._end_block()
        usage = {"output_tokens": 0} if ending.usage is None else write_usage(ending.usage, ending.cost_usd)
        stop = {"stop_reason": finish_word(ending), "stop_sequence": ending.stop_sequence}
        return out + _event("message_delta", {"delta": stop, "usage": usage}) + _event("message_stop", {})

    def _resume(self) -> bytes:
        waiting, self._waiting = self._waiting, []
        return b"".join(map(self.delta, waiting))

    def _write(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text) | RefusalDelta(text):
                out = b"" if self._open == "text" else self._begin({"type": "text", "text": ""})
                return out + self._block_delta({"type": "text_delta", "text": text})
            case ThinkingDelta():
                return self._thinking(delta)
            case ToolStart(index, call_id, name):
                out = self._begin({"type": "tool_use", "id": call_id, "name": name, "input": {}})
                self._tool, self._arguments = index, []
                return out
            case ToolDelta(index, arguments):
                if index != self._tool:
                    return b""  # white space after a call that was complete
                self._arguments.append(arguments)
                return self._input(arguments)

    def _thinking(self, delta: ThinkingDelta) -> bytes:
        own = _is_own(delta.format)
        sealed = delta.redacted if own else seal(Thinking("", delta.signature, delta.redacted, delta.format), _OWN)
        out = self._thought(delta.text, delta.signature if own else None) if delta.text or sealed is None else b""
        if sealed is not None:
            out += self._begin({"type": "redacted_thinking", "data": sealed}) + self._end_block()
        return out

    def _thought(self, text: str, signature: str | None) -> bytes:
        out = b"" if self._open == "thinking" else self._begin({"type": "thinking", "thinking": "", "signature": ""})
        if text:
            out += self._block_delta({"type": "thinking_delta", "thinking": text})
        if signature is not None:
            out += self._block_delta({"type": "signature_delta", "signature": signature}) + self._end_block()
        return out

    def _begin(self, block: dict[str, Json]) -> bytes:
        out = self._end_block()
        self._index += 1
        self._open = block["type"]
        return out + _event("content_block_start", {"index": self._index, "content_block": block})

    def _end_block(self) -> bytes:
        if self._open is None:
            return b""
        out = b""
        if self._open == "tool_use" and not self._arguments:
            out = self._input("{}")  # a call without arguments (cases.md E7)
        self._open, self._tool = None, -1
        return out + _event("content_block_stop", {"index": self._index})

    def _input(self, text: str) -> bytes:
        return self._block_delta({"type": "input_json_delta", "partial_json": text})

    def _block_delta(self, delta: dict[str, Json]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})


def _complete(arguments: list[str]) -> bool:
    if not arguments or not arguments[-1].rstrip().endswith("}"):
        return False
    try:
        codec.loads("".join(arguments).encode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True


def _event(name: str, fields: dict[str, Json]) -> bytes:
    return sse.encode(codec.dumps({"type": name, **fields}), name.encode())
