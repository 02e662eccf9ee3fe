"""Gemini's answers into neutral events: a stream is a row of partial answers, a whole answer a row of one.

Calls come whole, each with a signature of its own or none; ids are made where the API gives none, unique across the
conversation by the reply's id. There is no terminal event but a finish reason.
"""

from typing import Any

from msgspec.structs import replace

from gateway.core.chat import FinishReason, Json
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.anthropic.content import read_object
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.gemini.content import read_finish, read_usage
from gateway.formats.sse import SseEvent


class GeminiDecoder:
    def __init__(self, reply_id: str) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None  # Gemini does not tell which
        self.usage: Usage | None = None
        self.done = False
        self._reply_id = reply_id
        self._begun = False
        self._calls = 0
        self._told: dict[str, Json] = {}

    def read(self, event: SseEvent) -> list[Delta]:
        return self.answer(read_object(event.data, "an event of the stream"))

    def answer(self, body: dict[str, Any]) -> list[Delta]:
        """Raises `AttemptError` and what reading a wrong shape raises."""
        out: list[Delta] = []
        for candidate in body.get("candidates") or ():
            if not candidate.get("index"):
                for part in (candidate.get("content") or {}).get("parts") or ():
                    self._part(part, out)
                reason = candidate.get("finishReason")
                if reason:
                    self.finish = read_finish(reason, candidate.get("finishMessage"), calls=self._calls > 0)
        blocked = (body.get("promptFeedback") or {}).get("blockReason")
        if blocked:
            said = body["promptFeedback"].get("blockReasonMessage")
            out.append(RefusalDelta(said or f"The prompt was blocked ({blocked})."))
            self.finish = FinishReason.CONTENT_FILTER
        self._count(body.get("usageMetadata"))
        self.done = self._begun and self.finish is not None and "usageMetadata" in body  # else the closing is the end
        self._begun = True
        return out

    def close(self) -> None:
        """Nothing is ever missing: calls come whole."""

    def _count(self, told: Json) -> None:
        """Counts are cumulative, and not every event has all; before the end they are of what was made so far."""
        if not isinstance(told, dict):
            return
        self._told |= told
        used = read_usage(self._told)
        self.usage = used if used is None or self.finish is not None else replace(used, estimated=True)

    def _part(self, part: dict[str, Any], out: list[Delta]) -> None:
        signature = part.get("thoughtSignature")
        if part.get("thought"):
            out.append(ThinkingDelta(part.get("text") or "", signature, format="gemini"))
            return
        if signature:
            out.append(ThinkingDelta(signature=signature, format="gemini"))
        if part.get("text"):
            out.append(TextDelta(part["text"]))
        call = part.get("functionCall")
        if call is not None:
            index = self._calls
            self._calls += 1
            out.append(ToolStart(index, call.get("id") or f"call_{self._reply_id}_{index}", call["name"]))
            if call.get("args"):
                out.append(ToolDelta(index, codec.dumps(call["args"]).decode()))
