"""Same-format traffic of the responses format: passed event for event, equal but for `model` and `usage.cost`."""

from hashlib import blake2b

from gateway.core.chat import Json
from gateway.core.failure import AttemptError
from gateway.formats import codec, upstream_errors
from gateway.formats.relay import SHAPE_ERRORS, Relay, misshapen
from gateway.formats.responses.content import (
    Object,
    item_texts,
    other_chars,
    raise_failed,
    read_finish,
    read_object,
)
from gateway.formats.responses.usage import read_usage
from gateway.formats.sse import SseEvent, encode
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

DONE = b"[DONE]"  # said by some servers after the last event; this format has no such end
_OTHERS = frozenset({"message", "reasoning"})  # items that are no content before their first delta


class ResponsesRelay(Relay):
    def __init__(self, context: RelayContext) -> None:
        super().__init__(context)
        self._number = 0

    @property
    def next_number(self) -> int:
        return self._number

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        data = event.data
        if data == DONE:
            return
        body = read_object(data, "an event of the stream")
        kind = body.get("type") or event.name.decode()
        if kind == "error" or body.get("error"):
            raise AttemptError(upstream_errors.of_object(body, "error event in the stream"))
        number = body.get("sequence_number")
        self._number = number + 1 if isinstance(number, int) else self._number + 1
        response = body.get("response")
        if response is not None:
            raise_failed(response, "the response failed")
            self._response(response, kind)
            data = codec.dumps(body)
        elif kind.endswith(".delta"):
            self._delta(kind, body.get("delta"))
        elif kind == "response.output_item.added" and body["item"].get("type") not in _OTHERS:
            self._other(other_chars(body["item"]))
        if not self.content_seen:
            self.held_events += 1
        out.append(encode(data, event.name or kind.encode()))

    def _delta(self, kind: str, delta: Json) -> None:
        if not isinstance(delta, str) or not delta:
            return
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            self._text(delta)
        else:
            self._other(len(delta))

    def _response(self, response: Object, kind: str) -> None:
        """Reads and completes the response that an event carries; one that has ended ends the stream."""
        response["model"] = self._context.model
        finish = read_finish(response, kind)
        used = read_usage(response.get("usage"))
        if used is not None:
            self._usage = used
            _price(response, self._context.price(used))
        if finish is not None:
            self.finish, self.finished = finish, True


def _price(response: Object, cost_usd: float | None) -> None:
    if cost_usd is not None:
        response["usage"]["cost"] = cost_usd


def whole(body: bytes, context: RelayContext) -> Rendered:
    """A whole response; raises `AttemptError`."""
    answer = read_object(body, "an answer")
    raise_failed(answer, "the response failed")
    try:
        return _whole(answer, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _whole(answer: Object, context: RelayContext) -> Rendered:
    if not isinstance(answer.get("output"), list):
        raise malformed("The answer has no output.")
    digest, chars = blake2b(digest_size=8), 0
    for item in answer["output"]:
        text = item_texts(item)
        digest.update(text.encode("utf-8", "surrogatepass"))
        if context.texts is not None:
            context.texts.append(text)
        chars += len(text) if item.get("type") == "message" else other_chars(item)
    used = read_usage(answer.get("usage"))
    if used is not None:
        _price(answer, context.price(used))
    answer["model"] = context.model
    return Rendered(codec.dumps(answer), used, read_finish(answer), digest.hexdigest(), chars)
