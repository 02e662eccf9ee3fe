"""`/v1/completions`: the legacy text API; translated, it is one user message and a text."""

from collections.abc import Mapping
from typing import ClassVar

from gateway.core.ask import Ask, Surface, survey_chat
from gateway.core.chat import ChatReply, ChatRequest, Json, Message, Role, Text
from gateway.formats import codec, readers, sse
from gateway.formats.events import Delta, RefusalDelta, TextDelta
from gateway.formats.hints import words
from gateway.formats.surface import BadRequest, ClientError, Ending, Identity
from gateway.formats.surfaces.chat_reply import DONE, finish_word, write_error, write_usage
from gateway.formats.surfaces.chat_request import include_usage, unplaced_fields

PLACED = words(
    """model prompt max_tokens temperature top_p top_k stop seed frequency_penalty presence_penalty user n stream
    stream_options"""
)


class CompletionsSurface:
    surface: ClassVar[Surface] = Surface.COMPLETIONS
    path = "/v1/completions"
    native_api = "openai"

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        model = readers.filled(body.get("model"), "model")
        chat = _read(body)
        return Ask(self.surface, model, chat.stream, body, survey_chat(chat), chat, None, size)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps({"error": write_error(error)})

    def error_event(self, error: ClientError) -> bytes:
        choice = {"index": 0, "text": "", "finish_reason": "error"}
        event = {"id": "", "object": "text_completion", "created": 0, "model": "", "choices": [choice]}
        return sse.encode(codec.dumps({**event, "error": write_error(error)}))

    def encoder(self, ask: Ask, identity: Identity) -> "CompletionsEncoder":
        return CompletionsEncoder(identity, ask.include_usage)

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        text = "".join(part.text for part in reply.parts if isinstance(part, Text)) + (reply.refusal or "")
        body = _head(Identity(reply.id, reply.created_s or 0, reply.model))
        body["choices"] = [_choice(text, finish_word(ending.finish))]
        if ending.usage is not None:
            body["usage"] = write_usage(ending.usage, ending.cost_usd)
        return codec.dumps(body)


class CompletionsEncoder:
    """Text chunks; this API has no place for reasoning."""

    next_number = 0

    def __init__(self, identity: Identity, usage_asked: bool) -> None:
        self._head = _head(identity)
        self._usage_asked = usage_asked

    def open(self) -> bytes:
        return b""

    def delta(self, delta: Delta) -> bytes:
        if isinstance(delta, TextDelta | RefusalDelta):
            return self._chunk([_choice(delta.text, None)])
        return b""

    def close(self, ending: Ending) -> bytes:
        out = self._chunk([_choice("", finish_word(ending.finish))])
        if self._usage_asked and ending.usage is not None:
            usage = write_usage(ending.usage, ending.cost_usd)
            out += sse.encode(codec.dumps({**self._head, "choices": [], "usage": usage}))
        return out + DONE

    def _chunk(self, choices: list[dict[str, Json]]) -> bytes:
        return sse.encode(codec.dumps({**self._head, "choices": choices}))


def _head(identity: Identity) -> dict[str, Json]:
    return {"id": identity.id, "object": "text_completion", "created": identity.created_s, "model": identity.model}


def _choice(text: str, finish: str | None) -> dict[str, Json]:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


def _read(body: Mapping[str, Json]) -> ChatRequest:
    unplaced = unplaced_fields(body, PLACED)
    texts = _prompt(body.get("prompt"), unplaced)
    return ChatRequest(
        messages=(Message(Role.USER, tuple(map(Text, texts))),),
        max_tokens=readers.positive_int(body, "max_tokens"),
        temperature=readers.optional_number(body, "temperature"),
        top_p=readers.optional_number(body, "top_p"),
        top_k=readers.optional_int(body, "top_k"),
        stop=tuple(entry for entry in readers.texts(body.get("stop"), "stop") if entry),
        seed=readers.optional_int(body, "seed"),
        frequency_penalty=readers.optional_number(body, "frequency_penalty"),
        presence_penalty=readers.optional_number(body, "presence_penalty"),
        user=readers.optional_text(body, "user"),
        n=readers.positive_int(body, "n") or 1,
        stream=bool(readers.flag(body, "stream")),
        include_usage=include_usage(body),
        unplaced=frozenset(unplaced),
    )


def _prompt(value: Json, unplaced: set[str]) -> tuple[str, ...]:
    """The texts of the prompt; several prompts, or tokens, only a native endpoint can take."""
    if value is None or value == []:
        raise BadRequest("prompt is missing: it must be a string or an array of one string.", "prompt")
    if isinstance(value, str):
        return (value,)
    prompts = readers.items(value, "prompt")
    if len(prompts) == 1 and isinstance(prompts[0], str):
        return (prompts[0],)
    unplaced.add("prompt[]")
    if isinstance(prompts[0], str):
        return readers.texts(value, "prompt")
    for index, item in enumerate(prompts):
        if not isinstance(item, int | list):
            raise readers.wrong(f"prompt[{index}]", "a string, a token or an array of tokens", item)
    return ()
