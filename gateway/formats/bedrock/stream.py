"""Converse's stream into neutral events.

The last event is `metadata`, with the usage; what stops the answer comes before it. A stream that said how it finished
and closed without `metadata` is whole all the same.
"""

from typing import Any

from gateway.core.chat import FinishReason
from gateway.core.usage import Usage
from gateway.formats.anthropic.content import read_object
from gateway.formats.bedrock.reply import read_finish, read_usage
from gateway.formats.events import Delta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.sse import SseEvent


class ConverseDecoder:
    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None  # Converse does not tell which
        self.usage: Usage | None = None
        self.done = False
        self._tools: dict[int, int] = {}  # block index → call index

    def read(self, event: SseEvent) -> list[Delta]:
        """Raises `AttemptError` for an exception in the stream too, whose event has the shape of an error."""
        body = read_object(event.data, "an event of the stream")
        match event.name:
            case b"contentBlockDelta":
                return self._delta(body["contentBlockIndex"], body["delta"])
            case b"contentBlockStart":
                return self._start(body["contentBlockIndex"], body["start"])
            case b"messageStop":
                self.finish = read_finish(body["stopReason"])
            case b"metadata":
                self.usage = read_usage(body.get("usage"))
                self.done = self.finish is not None
            case _:
                pass
        return []

    def close(self) -> None:
        """Nothing is ever missing: blocks start with all that a call needs."""

    def _start(self, index: int, start: dict[str, Any]) -> list[Delta]:
        if "toolUse" not in start:
            return []
        call = start["toolUse"]
        self._tools[index] = len(self._tools)
        return [ToolStart(self._tools[index], call["toolUseId"], call["name"])]

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Delta]:
        if delta.get("text"):
            return [TextDelta(delta["text"])]
        if "toolUse" in delta:
            pieces = delta["toolUse"].get("input")
            return [ToolDelta(self._tools[index], pieces)] if pieces else []
        if "reasoningContent" in delta:
            return _thinking(delta["reasoningContent"])
        return []


def _thinking(delta: dict[str, Any]) -> list[Delta]:
    if "redactedContent" in delta:
        return [ThinkingDelta(redacted=delta["redactedContent"], format="bedrock")]
    if delta.get("signature"):
        return [ThinkingDelta(signature=delta["signature"], format="bedrock")]
    return [ThinkingDelta(delta["text"], format="bedrock")] if delta.get("text") else []
