"""Cohere's stream events into neutral ones."""

from typing import Any

from gateway.core.chat import FinishReason
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import upstream_errors
from gateway.formats.anthropic.content import read_object
from gateway.formats.cohere.content import read_finish, read_usage
from gateway.formats.events import Delta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.sse import SseEvent


class CohereDecoder:
    def __init__(self, reply_id: str) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None  # Cohere does not tell which
        self.usage: Usage | None = None
        self.done = False
        self._reply_id = reply_id
        self._tools: dict[int, int] = {}  # Cohere's index → call index

    def read(self, event: SseEvent) -> list[Delta]:
        if event.data == b"[DONE]":  # after the end, if it comes at all
            self.done = True
            return []
        body = read_object(event.data, "an event of the stream")
        kind = body.get("type")
        if kind is None and "message" in body:
            raise AttemptError(upstream_errors.of_object(body, "error inside the stream"))
        delta = body.get("delta") or {}
        match kind:
            case "content-start" | "content-delta":
                return _said(delta["message"]["content"])
            case "tool-plan-delta":
                plan = delta["message"].get("tool_plan")
                return [ThinkingDelta(plan)] if plan else []
            case "tool-call-start":
                return self._call(body["index"], delta["message"]["tool_calls"])
            case "tool-call-delta":
                pieces = delta["message"]["tool_calls"]["function"].get("arguments")
                return [ToolDelta(self._tools[body["index"]], pieces)] if pieces else []
            case "message-end":
                self.usage = read_usage(delta.get("usage"))
                self.finish = read_finish(delta.get("finish_reason"), delta.get("error"))
                self.done = True
            case _:
                pass
        return []

    def close(self) -> None:
        """Nothing is ever missing: calls start with all that they need."""

    def _call(self, index: int, call: dict[str, Any]) -> list[Delta]:
        number = self._tools.setdefault(index, len(self._tools))
        function = call["function"]
        out: list[Delta] = [ToolStart(number, call.get("id") or f"call_{self._reply_id}_{number}", function["name"])]
        if function.get("arguments"):
            out.append(ToolDelta(number, function["arguments"]))
        return out


def _said(content: dict[str, Any]) -> list[Delta]:
    if content.get("thinking"):
        return [ThinkingDelta(content["thinking"])]
    return [TextDelta(content["text"])] if content.get("text") else []
