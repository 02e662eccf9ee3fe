"""Events of a response's stream as neutral ones, for clients of other formats.

Servers differ in how much they stream: deltas, or only what is done, or only the whole response at the end (cases.md
E6). So whatever an item holds beyond what was delivered is delivered when it is done.
"""

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import upstream_errors
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.responses.content import (
    Object,
    raise_failed,
    read_finish,
    read_object,
    reasoning_text,
)
from gateway.formats.responses.passthrough import DONE
from gateway.formats.responses.usage import read_usage
from gateway.formats.sealed_reasoning import NATIVE
from gateway.formats.sse import SseEvent

_THOUGHTS = ("response.reasoning_text.delta", "response.reasoning_summary_text.delta")


class _Item:
    """How much of one output item was delivered."""

    __slots__ = ("call", "chars", "done", "summaries")

    def __init__(self) -> None:
        self.call: int | None = None  # index among the answer's calls
        self.chars = 0
        self.summaries = 0  # index of the summary being streamed
        self.done = False


class ResponsesDecoder:
    def __init__(self, reply_id: str) -> None:
        self.finish: FinishReason | None = None
        self.stop_sequence: str | None = None
        self.usage: Usage | None = None
        self.done = False
        self._reply_id = reply_id
        self._items: dict[Json, _Item] = {}  # by place in the output, or by id where an event tells no place
        self._calls = 0

    def read(self, event: SseEvent) -> list[Delta]:
        if event.data == DONE:
            return []
        body = read_object(event.data, "an event of the stream")
        kind = body.get("type") or event.name.decode()
        if kind == "error" or body.get("error"):
            raise AttemptError(upstream_errors.of_object(body, "error event in the stream"))
        if body.get("response") is not None:
            return self._response(body["response"], kind)
        if kind == "response.output_item.added":
            return self._begun(self._item(body), body["item"])
        if kind == "response.output_item.done":
            return self._settled(self._item(body), body["item"])
        delta = body.get("delta")
        return self._delta(kind, body, delta) if isinstance(delta, str) and delta else []

    def close(self) -> None:
        """Nothing is ever missing: items begin with all that a call needs."""

    def _item(self, body: Object) -> _Item:
        key = body.get("output_index")
        if key is None:
            key = body.get("item_id") or (body.get("item") or {}).get("id")
        return self._items.setdefault(key, _Item())

    def _delta(self, kind: str, body: Object, delta: str) -> list[Delta]:
        item = self._item(body)
        if kind in _THOUGHTS:
            place = body.get("summary_index") or 0
            apart = "\n\n" if place != item.summaries else ""
            item.summaries = place
            delta = apart + delta
            item.chars += len(delta)
            return [ThinkingDelta(delta, format=NATIVE)]
        if kind == "response.function_call_arguments.delta" and item.call is not None:
            item.chars += len(delta)
            return [ToolDelta(item.call, delta)]
        if kind == "response.output_text.delta":
            item.chars += len(delta)
            return [TextDelta(delta)]
        if kind == "response.refusal.delta":
            item.chars += len(delta)
            return [RefusalDelta(delta)]
        return []

    def _begun(self, known: _Item, item: Object) -> list[Delta]:
        if item.get("type") != "function_call" or known.call is not None:
            return []
        known.call = self._calls
        self._calls += 1
        call_id = item.get("call_id") or f"call_{self._reply_id}_{known.call}"
        return [ToolStart(known.call, call_id, item["name"])]

    def _settled(self, known: _Item, item: Object) -> list[Delta]:
        """Whatever of an item was not delivered."""
        if known.done:
            return []
        known.done = True
        out = self._begun(known, item)
        match item.get("type"):
            case "function_call":
                assert known.call is not None
                if not known.chars and item.get("arguments"):
                    out.append(ToolDelta(known.call, item["arguments"]))
            case "message" if not known.chars:
                for part in item.get("content") or ():
                    if part.get("text"):
                        out.append(TextDelta(part["text"]))
                    elif part.get("refusal"):
                        out.append(RefusalDelta(part["refusal"]))
            case "reasoning":
                text = "" if known.chars else reasoning_text(item)
                sealed = item.get("encrypted_content") or None
                if text or sealed:
                    out.append(ThinkingDelta(text, sealed, format=NATIVE))
            case _:
                pass
        return out

    def _response(self, response: Object, kind: str) -> list[Delta]:
        raise_failed(response, "the response failed")
        used = read_usage(response.get("usage"))
        if used is not None:
            self.usage = used
        finish = read_finish(response, kind)
        if finish is None:
            return []
        self.finish, self.done = finish, True
        out: list[Delta] = []
        for place, item in enumerate(response.get("output") or ()):
            known = self._items.get(place) or self._items.get(item.get("id")) or self._items.setdefault(place, _Item())
            out += self._settled(known, item)
        return out
