"""OpenAI responses: a stream of another wire format, written in the events of this one.

Every event has the next `sequence_number`. Items are told apart by `output_index`, so that calls which come in pieces
of each other need no waiting: they stay open until the end, while text and reasoning close when something else begins.
"""

from collections.abc import Mapping

from gateway.core.chat import Json, Thinking, ToolCall
from gateway.formats import codec, sse
from gateway.formats.events import Delta, RefusalDelta, TextDelta, ThinkingDelta, ToolDelta, ToolStart
from gateway.formats.surface import Ending, Identity
from gateway.formats.surfaces.responses_reply import (
    Item,
    call_item,
    ended,
    head,
    item_id,
    message_item,
    reasoning_item,
    refusal_part,
    text_part,
)


class _Call:
    """One tool call as it is written."""

    __slots__ = ("arguments", "call", "index", "name")

    def __init__(self, index: int, name: str, call: ToolCall) -> None:
        self.index = index  # of the item in the output
        self.name = name  # of the item
        self.call = call
        self.arguments: list[str] = []


class ResponsesEncoder:
    """Keeps what it wrote, since the last event repeats all of it."""

    def __init__(self, identity: Identity, asked: Mapping[str, Json]) -> None:
        self.next_number = 0
        self._identity = identity
        self._head = head(identity, asked)
        self._output: list[Item] = []
        self._kind = ""  # of the open item: "message" | "reasoning" | ""
        self._part = ""  # of the open message's last part: "text" | "refusal" | ""
        self._texts: list[str] = []  # of the open part, or of the open reasoning
        self._content: list[Item] = []  # finished parts of the open message
        self._refused = False
        self._calls: dict[int, _Call] = {}

    def open(self) -> bytes:
        created = self._event("response.created", response=self._head)
        return created + self._event("response.in_progress", response=self._head)

    def delta(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text):
                return self._said("text", text)
            case RefusalDelta(text):
                self._refused = True
                return self._said("refusal", text)
            case ThinkingDelta():
                return self._thought(delta)
            case ToolStart(index, call_id, name):
                return self._call(index, ToolCall(call_id, name, ""))
            case ToolDelta(index, arguments):
                return self._arguments(self._calls[index], arguments)

    def close(self, ending: Ending) -> bytes:
        out = self._end_item()
        for call in self._calls.values():
            if not call.arguments:
                out += self._arguments(call, "{}")  # cases.md E7
            arguments = "".join(call.arguments)
            item = call_item(call.name, ToolCall(call.call.id, call.call.name, arguments))
            out += self._in_item("response.function_call_arguments.done", call.index, call.name, arguments=arguments)
            out += self._item_done(call.index, item)
        response = ended(self._head, self._output, self._refused, ending)
        return out + self._event(f"response.{response['status']}", response=response)

    def _said(self, part: str, text: str) -> bytes:
        out = b""
        if self._kind != "message":
            out = self._begin("message", "msg", {"role": "assistant", "content": []})
        if self._part != part:
            out += self._end_part()
            self._part = part
            out += self._in_part("response.content_part.added", part=_part(part, ""))
        self._texts.append(text)
        if part == "text":
            return out + self._in_part("response.output_text.delta", delta=text, logprobs=[])
        return out + self._in_part("response.refusal.delta", delta=text)

    def _thought(self, delta: ThinkingDelta) -> bytes:
        out = b""
        if self._kind != "reasoning":
            out = self._begin("reasoning", "rs", {"summary": []})
        if delta.text:
            if not self._texts:
                out += self._in_summary("response.reasoning_summary_part.added", part=_summary(""))
            self._texts.append(delta.text)
            out += self._in_summary("response.reasoning_summary_text.delta", delta=delta.text)
        if delta.signature is not None or delta.redacted is not None:
            out += self._end_reasoning(Thinking("", delta.signature, delta.redacted, delta.format))
        return out

    def _call(self, number: int, call: ToolCall) -> bytes:
        out = self._end_item()
        index = len(self._output)
        name = item_id(self._identity, "fc", index)
        self._calls[number] = _Call(index, name, call)
        item = {**call_item(name, call), "status": "in_progress", "arguments": ""}
        self._output.append(item)
        return out + self._event("response.output_item.added", output_index=index, item=item)

    def _arguments(self, call: _Call, arguments: str) -> bytes:
        call.arguments.append(arguments)
        return self._in_item("response.function_call_arguments.delta", call.index, call.name, delta=arguments)

    def _begin(self, kind: str, prefix: str, fields: Item) -> bytes:
        out = self._end_item()
        self._kind = kind
        index = len(self._output)
        item = {"id": item_id(self._identity, prefix, index), "type": kind, "status": "in_progress", **fields}
        self._output.append(item)
        return out + self._event("response.output_item.added", output_index=index, item=item)

    def _end_item(self) -> bytes:
        if self._kind == "reasoning":
            return self._end_reasoning(Thinking(""))
        if self._kind == "":
            return b""
        out = self._end_part()
        self._kind = ""
        index, content = len(self._output) - 1, self._content
        self._content = []
        return out + self._item_done(index, message_item(self._output[index]["id"], content))

    def _end_part(self) -> bytes:
        if not self._part:
            return b""
        text, part = "".join(self._texts), self._part
        said = {"text": text, "logprobs": []} if part == "text" else {"refusal": text}
        name = "response.output_text.done" if part == "text" else "response.refusal.done"
        out = self._in_part(name, **said) + self._in_part("response.content_part.done", part=_part(part, text))
        self._content.append(_part(part, text))
        self._texts, self._part = [], ""
        return out

    def _end_reasoning(self, seal: Thinking) -> bytes:
        text, out = "".join(self._texts), b""
        if text:
            out = self._in_summary("response.reasoning_summary_text.done", text=text)
            out += self._in_summary("response.reasoning_summary_part.done", part=_summary(text))
        index = len(self._output) - 1
        self._texts, self._kind = [], ""
        whole = Thinking(text, seal.signature, seal.redacted, seal.format)
        return out + self._item_done(index, reasoning_item(self._output[index]["id"], whole))

    def _item_done(self, index: int, item: Item) -> bytes:
        self._output[index] = item
        return self._event("response.output_item.done", output_index=index, item=item)

    def _in_part(self, name: str, **fields: Json) -> bytes:
        index = len(self._output) - 1
        return self._in_item(name, index, self._output[index]["id"], content_index=len(self._content), **fields)

    def _in_summary(self, name: str, **fields: Json) -> bytes:
        index = len(self._output) - 1
        return self._in_item(name, index, self._output[index]["id"], summary_index=0, **fields)

    def _in_item(self, name: str, index: int, item: str, **fields: Json) -> bytes:
        return self._event(name, item_id=item, output_index=index, **fields)

    def _event(self, name: str, **fields: Json) -> bytes:
        event = {"type": name, "sequence_number": self.next_number, **fields}
        self.next_number += 1
        return sse.encode(codec.dumps(event), name.encode())


def _part(kind: str, text: str) -> Item:
    return text_part(text) if kind == "text" else refusal_part(text)


def _summary(text: str) -> Item:
    return {"type": "summary_text", "text": text}
