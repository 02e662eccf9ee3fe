"""Same-format traffic of the Anthropic format: passed event for event, equal but for `model` and `usage.cost`."""

from hashlib import blake2b
from typing import Any

from gateway.formats import codec
from gateway.formats.anthropic import usage as counting
from gateway.formats.anthropic.content import read_finish, read_object
from gateway.formats.relay import SHAPE_ERRORS, Relay, misshapen
from gateway.formats.sse import SseEvent, encode
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class AnthropicRelay(Relay):
    def __init__(self, context: RelayContext) -> None:
        super().__init__(context)
        self._counter = counting.Counter()

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        data = event.data
        body = read_object(data, "an event of the stream")
        kind = body.get("type") or event.name.decode()
        match kind:
            case "content_block_delta":
                self._delta(body["delta"])
            case "content_block_start":
                self._block(body["content_block"])
            case "message_start":
                message = body["message"]
                message["model"] = self._context.model
                self._usage = self._counter.start(message.get("usage"))
                data = codec.dumps(body)
            case "message_delta":
                data = self._message_delta(body, data)
            case "message_stop":
                self.finished = True
            case _:
                pass
        if not self.content_seen:
            self.held_events += 1
        out.append(encode(data, event.name or kind.encode()))

    def _eof(self) -> bytes:
        self.finished = True
        return MESSAGE_STOP

    def _delta(self, delta: dict[str, Any]) -> None:
        match delta.get("type"):
            case "text_delta":
                if delta["text"]:
                    self._text(delta["text"])
            case "thinking_delta":
                if delta["thinking"]:
                    self._other(len(delta["thinking"]))
            case "input_json_delta":
                if delta["partial_json"]:
                    self._other(len(delta["partial_json"]))
            case _:
                pass  # signatures, citations and what comes next belong to content, and are none alone

    def _block(self, block: dict[str, Any]) -> None:
        match block.get("type"):
            case "text":
                if block.get("text"):
                    self._text(block["text"])
            case "thinking":
                pass
            case _:
                self._other(len(block.get("name") or ""))

    def _message_delta(self, body: dict[str, Any], data: bytes) -> bytes:
        self.finish = read_finish((body.get("delta") or {}).get("stop_reason")) or self.finish
        self._usage = self._counter.end(body.get("usage"))
        cost = None if self._usage is None else self._context.price(self._usage)
        if cost is None:
            return data
        body["usage"] = {**(body.get("usage") or {}), "cost": cost}
        return codec.dumps(body)


def whole(body: bytes, context: RelayContext) -> Rendered:
    """A whole message; raises `AttemptError`."""
    answer = read_object(body, "an answer")
    try:
        return _whole(answer, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def whole_count(body: bytes) -> Rendered:
    """The answer of `count_tokens`, as it is."""
    answer = read_object(body, "a token count")
    if not isinstance(answer.get("input_tokens"), int):
        raise malformed("The token count has no input_tokens.")
    return Rendered(body, None, None, blake2b(digest_size=8).hexdigest(), 0)


def _whole(answer: dict[str, Any], context: RelayContext) -> Rendered:
    digest, chars = blake2b(digest_size=8), 0
    for block in answer["content"]:
        match block["type"]:
            case "text":
                digest.update(block["text"].encode("utf-8", "surrogatepass"))
                chars += len(block["text"])
                if context.texts is not None:
                    context.texts.append(block["text"])
            case "thinking":
                chars += len(block["thinking"])
            case "tool_use":
                chars += len(block["name"]) + len(codec.dumps(block["input"]))
            case _:
                pass
    used = counting.read_usage(answer.get("usage") or {})
    cost = None if used is None else context.price(used)
    if cost is not None:
        answer["usage"]["cost"] = cost
    answer["model"] = context.model
    finish = read_finish(answer.get("stop_reason"))
    return Rendered(codec.dumps(answer), used, finish, digest.hexdigest(), chars)
