"""OpenAI stream chunks into neutral events, for clients of other formats.

Tool calls are told apart by index *and* id: some servers number every call 0, send a call whole, repeat its id, leave
ids out, or send the name late (cases.md E3, E6, E8). Only the first choice counts: `n > 1` never comes here.
"""

from typing import Any

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import codec, upstream_errors
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.openai.content import content_text, matched_stop, read_finish
from gateway.formats.openai.passthrough import finished_with_error, raise_error, read_object
from gateway.formats.openai.usage import read_usage
from gateway.formats.reasoning_details import read_detail
from gateway.formats.sse import SseEvent


class _Call:
    """One tool call as it comes in."""

    __slots__ = ("held", "id", "index", "name")

    def __init__(self, index: int, call_id: str) -> None:
        self.index = index  # in our counting
        self.id = call_id
        self.name = ""
        self.held = ""  # arguments that came before the name


class OpenAIDecoder:
    def __init__(self, reply_id: str) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None
        self.usage: Usage | None = None
        self.done = False
        self._reply_id = reply_id
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}  # the upstream's counting

    def read(self, event: SseEvent) -> list[Delta]:
        if event.data == b"[DONE]":
            self.done = True
            return []
        chunk = read_object(event.data, "an event of the stream")
        if event.name == b"error":
            raise AttemptError(upstream_errors.of_object(chunk, "error event in the stream"))
        raise_error(chunk, "error inside the stream")
        found = read_usage(chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"))
        if found is not None:
            self.usage = found
        for choice in chunk.get("choices") or ():
            if not choice.get("index"):
                return self._choice(choice)
        return []

    def close(self) -> None:
        nameless = [call.index for call in self._calls if not call.name]
        if nameless:
            raise upstream_errors.malformed(f"Tool call {nameless[0]} never got a name.")

    def _choice(self, choice: dict[str, Any]) -> list[Delta]:
        delta = choice.get("delta") or {}
        out = _thinking(delta)
        said, thought = content_text(delta.get("content"))
        if thought:
            out.append(ThinkingDelta(thought))
        if said:
            out.append(TextDelta(said))
        if delta.get("refusal"):
            out.append(RefusalDelta(delta["refusal"]))
        for position, fragment in enumerate(delta.get("tool_calls") or ()):
            self._fragment(fragment, position, out)
        if choice.get("finish_reason") == "error":
            raise finished_with_error(choice)
        finish = read_finish(choice)
        if finish is not None:
            self.finish, self.stop_sequence = finish, matched_stop(choice)
        return out

    def _fragment(self, fragment: dict[str, Any], position: int, out: list[Delta]) -> None:
        index, call_id = fragment.get("index"), fragment.get("id")
        key = index if isinstance(index, int) else position
        function = fragment.get("function") or {}
        call = self._by_index.get(key)
        if call is None or (call_id and call_id != call.id):
            number = len(self._calls)
            call = _Call(number, call_id or f"call_{self._reply_id}_{number}")
            self._calls.append(call)
            self._by_index[key] = call
        arguments = _arguments(function.get("arguments"))
        if call.name:
            if arguments:
                out.append(ToolDelta(call.index, arguments))
            return
        call.held += arguments
        call.name = function.get("name") or ""
        if call.name:
            out.append(ToolStart(call.index, call.id, call.name))
            if call.held:
                out.append(ToolDelta(call.index, call.held))


def _arguments(value: Json) -> str:
    """Argument text; some servers send the object itself."""
    return codec.dumps(value).decode() if isinstance(value, dict) else value or ""


def _thinking(delta: dict[str, Any]) -> list[Delta]:
    details = delta.get("reasoning_details")
    if details:
        found = [read_detail(item) for item in details]
        return [ThinkingDelta(part.text, part.signature, part.redacted, part.format) for part in found]
    shown = delta.get("reasoning_content") or delta.get("reasoning")
    return [ThinkingDelta(shown)] if shown else []
