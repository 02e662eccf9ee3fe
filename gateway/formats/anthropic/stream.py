"""Anthropic stream events into neutral ones, for clients of other formats."""

from typing import Any

from gateway.core.chat import FinishReason
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.anthropic import usage as counting
from gateway.formats.anthropic.content import read_finish, read_object
from gateway.formats.events import Delta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.sse import SseEvent


class AnthropicDecoder:
    """Tool calls are counted from 0 across the answer, whatever their block's index (cases.md E1)."""

    def __init__(self) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None
        self.usage: Usage | None = None
        self.done = False
        self._counter = counting.Counter()
        self._tools: dict[int, int] = {}  # block index → call index
        self._given: dict[int, str] = {}  # block index → input that came whole with the block's start

    def read(self, event: SseEvent) -> list[Delta]:
        body = read_object(event.data, "an event of the stream")
        match body.get("type") or event.name.decode():
            case "content_block_delta":
                return self._delta(body["index"], body["delta"])
            case "content_block_start":
                return self._block(body["index"], body["content_block"])
            case "content_block_stop":
                given = self._given.pop(body["index"], "")
                return [ToolDelta(self._tools[body["index"]], given)] if given else []
            case "message_start":
                self.usage = self._counter.start(body["message"].get("usage"))
            case "message_delta":
                stop = body.get("delta") or {}
                self.finish = read_finish(stop.get("stop_reason")) or self.finish
                self.stop_sequence = stop.get("stop_sequence") or self.stop_sequence
                self.usage = self._counter.end(body.get("usage"))
            case "message_stop":
                self.done = True
            case _:
                pass
        return []

    def close(self) -> None:
        """Nothing is ever missing: blocks start with all that a call needs."""

    def _block(self, index: int, block: dict[str, Any]) -> list[Delta]:
        match block.get("type"):
            case "text":
                return [TextDelta(block["text"])] if block.get("text") else []
            case "redacted_thinking":
                return [ThinkingDelta(redacted=block["data"], format="anthropic")]
            case "tool_use":
                self._tools[index] = len(self._tools)
                if block.get("input"):
                    self._given[index] = codec.dumps(block["input"]).decode()
                return [ToolStart(self._tools[index], block["id"], block["name"])]
            case _:
                return []

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Delta]:
        match delta.get("type"):
            case "text_delta":
                return [TextDelta(delta["text"])] if delta["text"] else []
            case "thinking_delta":
                return [ThinkingDelta(delta["thinking"], format="anthropic")] if delta["thinking"] else []
            case "signature_delta":
                return [ThinkingDelta(signature=delta["signature"], format="anthropic")]
            case "input_json_delta" if index in self._tools and delta["partial_json"]:
                self._given.pop(index, None)
                return [ToolDelta(self._tools[index], delta["partial_json"])]
            case _:
                return []
