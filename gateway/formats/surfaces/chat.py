"""`/v1/chat/completions`."""

from collections.abc import Mapping
from typing import ClassVar

from gateway.core.ask import Ask, Surface, survey_chat
from gateway.core.chat import ChatReply, Json
from gateway.formats import codec, readers, sse
from gateway.formats.surface import ClientError, Ending, Identity
from gateway.formats.surfaces.chat_reply import ChatEncoder, write_error, write_reply
from gateway.formats.surfaces.chat_request import read_chat


class ChatSurface:
    surface: ClassVar[Surface] = Surface.CHAT
    path = "/v1/chat/completions"
    native_api = "openai"

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        model = readers.filled(body.get("model"), "model")
        chat = read_chat(body)
        return Ask(self.surface, model, chat.stream, body, survey_chat(chat), chat, None, size)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps({"error": write_error(error)})

    def error_event(self, error: ClientError) -> bytes:
        """The shape of OpenRouter's in-stream errors: SDKs raise on `error`, other clients see the finish reason."""
        choice = {"index": 0, "delta": {}, "finish_reason": "error"}
        event = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [choice]}
        return sse.encode(codec.dumps({**event, "error": write_error(error)}))

    def encoder(self, ask: Ask, identity: Identity) -> ChatEncoder:
        return ChatEncoder(identity, ask.include_usage)

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        return write_reply(reply, ending, reply.created_s or 0)
