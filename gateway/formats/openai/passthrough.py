"""Same-format traffic of the OpenAI format: passed event for event, equal but for `model`, `usage.cost` and usage that
nobody asked for.

The hot path of the gateway. An event is parsed once; where only `model` differs, its bytes are replaced in place;
only the few events with usage are written anew.
"""

from hashlib import blake2b
from typing import Any

from gateway.core.ask import Ask
from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError
from gateway.formats import codec, upstream_errors
from gateway.formats.masking import is_html
from gateway.formats.openai.content import content_text, other_chars, read_finish
from gateway.formats.openai.usage import is_complete, read_usage
from gateway.formats.relay import SHAPE_ERRORS, Relay, misshapen
from gateway.formats.sse import SseEvent, encode
from gateway.formats.surfaces.chat_reply import DONE
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import RelayContext, Rendered

Chunk = dict[str, Any]


def read_object(data: bytes, what: str) -> Chunk:
    """A JSON object that is no error; raises `AttemptError`."""
    try:
        chunk = codec.loads(data)
    except ValueError:
        if is_html(data):
            raise malformed(f"The upstream sent an HTML page for {what}.") from None
        raise malformed(f"The upstream sent something that is not JSON for {what}.") from None
    if not isinstance(chunk, dict):
        raise malformed(f"The upstream sent JSON that is no object for {what}.")
    return chunk


def raise_error(chunk: Chunk, where: str) -> None:
    """Raises what an error in the shape of an answer means: OpenAI's, or vLLM's and Mistral's `object: error`."""
    if chunk.get("error") or chunk.get("object") == "error" or ("detail" in chunk and "choices" not in chunk):
        raise AttemptError(upstream_errors.of_object(chunk, where))


def finished_with_error(choice: Chunk) -> AttemptError:
    """What a choice with the finish reason `error` (OpenRouter) means."""
    return AttemptError(upstream_errors.of_object(choice.get("error") or {}, "the answer finished with an error"))


class OpenAIRelay(Relay):
    """Chat chunks and completion chunks, untranslated."""

    def __init__(self, ask: Ask, context: RelayContext) -> None:
        super().__init__(context)
        self._usage_asked = ask.include_usage
        self._id: str | None = None  # one for the whole stream
        self._upstream_model: Json = None  # whatever it is
        self._model_old = b""
        self._model_new = b'"model":' + codec.dumps(context.model)

    def _event(self, event: SseEvent, out: list[bytes]) -> None:
        data = event.data
        if data == b"[DONE]":
            if self._id is None:
                raise malformed("The stream ended before it began.")
            out.append(self._eof())
            return
        chunk = read_object(data, "an event of the stream")
        choices = chunk.get("choices")
        if event.name == b"error":
            raise AttemptError(upstream_errors.of_object(chunk, "error event in the stream"))
        if not choices or "error" in chunk:
            raise_error(chunk, "error inside the stream")
        for choice in choices or ():
            self._choice(choice)
        usage = chunk.get("usage")
        if usage is not None or choices is None or "x_groq" in chunk:
            if not self._with_usage(chunk, usage, choices):
                return
            written = self._rewritten(chunk)
        else:
            written = self._passed(data, chunk)
        if not self.content_seen:
            self.held_events += 1
        out.append(encode(written, event.name))

    def _eof(self) -> bytes:
        self.finished = True
        return DONE

    def _choice(self, choice: Chunk) -> None:
        reason = choice.get("finish_reason")
        if reason:
            if reason == "error":
                raise finished_with_error(choice)
            self.finish = read_finish(choice)
        delta = choice.get("delta")
        if delta:
            content = delta.get("content")
            if content:
                if type(content) is not str:
                    content, thought = content_text(content)
                    self._other(len(thought))
                self._text(content)
            if content is None or len(delta) > 1:
                chars = other_chars(delta)
                if chars is not None:
                    self._other(chars)
        elif choice.get("text"):
            self._text(choice["text"])

    def _passed(self, data: bytes, chunk: Chunk) -> bytes:
        """The event's own bytes, with the model replaced where that is all that differs."""
        chunk_id, model = chunk.get("id"), chunk.get("model")
        if self._id is None:
            self._id = chunk_id or self._context.reply_id
        if chunk_id != self._id:
            return self._rewritten(chunk)
        if model == self._context.model:
            return data
        if model != self._upstream_model or model is None:
            self._upstream_model = model
            self._model_old = b'"model":' + codec.dumps(model)
        if data.count(self._model_old) == 1:  # quotes inside texts are escaped: this is the key, and no other
            return data.replace(self._model_old, self._model_new)
        return self._rewritten(chunk)

    def _rewritten(self, chunk: Chunk) -> bytes:
        if self._id is None:
            self._id = chunk.get("id") or self._context.reply_id
        chunk["id"] = self._id
        chunk["model"] = self._context.model
        return codec.dumps(chunk)

    def _with_usage(self, chunk: Chunk, usage: Json, choices: Json) -> bool:
        """Keeps the usage of a chunk and makes it fit for the client; False where the chunk is not for the client."""
        found = read_usage(usage or (chunk.get("x_groq") or {}).get("usage"))
        if found is not None:
            self._usage = found
            cost = self._context.price(found)
            if cost is not None and usage:
                usage["cost"] = cost
        if usage is None:
            return True
        if choices:
            if not is_complete(usage):
                chunk["usage"] = None  # a partial object breaks strict clients (cases.md D2)
            return True
        if not self._usage_asked or not is_complete(usage):
            return False
        if choices is None:  # Groq-style frame (cases.md F3), completed
            chunk.setdefault("object", "chat.completion.chunk")
            chunk.setdefault("created", self._context.created_s)
            chunk["choices"] = []
        return True


def whole(body: bytes, context: RelayContext) -> Rendered:
    """A whole chat completion, text completion or embeddings answer; raises `AttemptError`."""
    answer = read_object(body, "an answer")
    raise_error(answer, "error in a 200 answer")
    try:
        return _whole(answer, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _whole(answer: Chunk, context: RelayContext) -> Rendered:
    text, chars, finish = "", 0, None
    choices = answer.get("choices")
    if not choices and "data" not in answer:
        raise malformed("The answer has neither choices nor data.")
    for choice in choices or ():
        message = choice.get("message") or {}
        said = message.get("content") or choice.get("text")
        if type(said) is not str:
            said, thought = content_text(said)
            chars += len(thought)
        text += said
        chars += len(said)
        chars += other_chars(message) or 0
        finish = _finish_of(choice)
    usage = read_usage(answer.get("usage"))
    if usage is not None:
        cost = context.price(usage)
        if cost is not None:
            answer["usage"]["cost"] = cost
    if "model" in answer or choices is not None:
        answer["model"] = context.model
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    if context.texts is not None:
        context.texts.append(text)
    return Rendered(codec.dumps(answer), usage, finish, digest, chars)


def _finish_of(choice: Chunk) -> FinishReason | None:
    if choice.get("finish_reason") == "error":
        raise finished_with_error(choice)
    return read_finish(choice)
