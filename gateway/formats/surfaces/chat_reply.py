"""OpenAI chat completions: answers of other wire formats, written as the client expects them, whole or streamed."""

from collections.abc import Mapping

from gateway.core.chat import ChatReply, FinishReason, Json, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec, sse
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.reasoning_details import write_detail
from gateway.formats.surface import ClientError, Ending, Identity

DONE = b"data: [DONE]\n\n"

_FINISH: Mapping[FinishReason, str] = {
    FinishReason.STOP: "stop",
    FinishReason.STOP_SEQUENCE: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.REFUSAL: "content_filter",
    FinishReason.PAUSE: "stop",
}


def finish_word(finish: FinishReason) -> str:
    return _FINISH[finish]


def write_usage(usage: Usage, cost_usd: float | None) -> dict[str, Json]:
    """OpenAI's counting: prompt tokens include cached ones, completion tokens include reasoning."""
    shown: dict[str, Json] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    if cost_usd is not None:
        shown["cost"] = cost_usd
    return shown


def write_error(error: ClientError) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    if error.extra:
        shown["metadata"] = dict(error.extra)
    return shown


def write_reply(reply: ChatReply, ending: Ending, created_s: int) -> bytes:
    message: dict[str, Json] = {"role": "assistant"}
    said = "".join(part.text for part in reply.parts if isinstance(part, Text))
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    message["content"] = said if said or not calls else None
    message["refusal"] = reply.refusal
    thoughts = [part for part in reply.parts if isinstance(part, Thinking)]
    if thoughts:
        message["reasoning_content"] = message["reasoning"] = "".join(part.text for part in thoughts)
        message["reasoning_details"] = [write_detail(part, index) for index, part in enumerate(thoughts)]
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_word(ending.finish)}
    body: dict[str, Json] = {
        "id": reply.id,
        "object": "chat.completion",
        "created": created_s,
        "model": reply.model,
        "choices": [choice],
    }
    if ending.usage is not None:
        body["usage"] = write_usage(ending.usage, ending.cost_usd)
    return codec.dumps(body)


class ChatEncoder:
    """One stream of chat completion chunks: the role first, then content, finish, usage (if asked for) and `[DONE]`."""

    next_number = 0

    def __init__(self, identity: Identity, usage_asked: bool) -> None:
        self._head: dict[str, Json] = {
            "id": identity.id,
            "object": "chat.completion.chunk",
            "created": identity.created_s,
            "model": identity.model,
        }
        self._usage_asked = usage_asked
        self._thought = 0  # index of the reasoning block being written
        self._tools: set[int] = set()
        self._written: set[int] = set()  # tools whose arguments began

    def open(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text):
                return self._chunk({"content": text})
            case RefusalDelta(text):
                return self._chunk({"refusal": text})
            case ThinkingDelta():
                return self._thinking(delta)
            case ToolStart(index, call_id, name):
                self._tools.add(index)
                function = {"name": name, "arguments": ""}
                return self._call({"index": index, "id": call_id, "type": "function", "function": function})
            case ToolDelta(index, arguments):
                self._written.add(index)
                return self._call({"index": index, "function": {"arguments": arguments}})

    def close(self, ending: Ending) -> bytes:
        bare = sorted(self._tools - self._written)  # calls without arguments (cases.md E7)
        out = [self._call({"index": tool, "function": {"arguments": "{}"}}) for tool in bare]
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_word(ending.finish)}
        out.append(sse.encode(codec.dumps({**self._head, "choices": [choice]})))
        if self._usage_asked and ending.usage is not None:
            usage = write_usage(ending.usage, ending.cost_usd)
            out.append(sse.encode(codec.dumps({**self._head, "choices": [], "usage": usage})))
        out.append(DONE)
        return b"".join(out)

    def _thinking(self, delta: ThinkingDelta) -> bytes:
        part = Thinking(delta.text, delta.signature, delta.redacted, delta.format)
        shown: dict[str, Json] = {"reasoning_details": [write_detail(part, self._thought)]}
        if delta.text:
            shown["reasoning_content"] = shown["reasoning"] = delta.text
        if delta.signature is not None or delta.redacted is not None:
            self._thought += 1
        return self._chunk(shown)

    def _call(self, call: dict[str, Json]) -> bytes:
        return self._chunk({"tool_calls": [call]})

    def _chunk(self, delta: dict[str, Json]) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        return sse.encode(codec.dumps({**self._head, "choices": [choice]}))
