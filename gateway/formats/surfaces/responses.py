"""`/v1/responses`."""

from collections.abc import Mapping
from typing import ClassVar

from gateway.core.ask import Ask, Surface, survey_chat
from gateway.core.chat import ChatReply, Json
from gateway.formats import codec, readers, sse
from gateway.formats.surface import ClientError, Ending, Identity
from gateway.formats.surfaces import chat_reply
from gateway.formats.surfaces.responses_reply import write_error, write_reply
from gateway.formats.surfaces.responses_request import read_responses
from gateway.formats.surfaces.responses_stream import ResponsesEncoder


class ResponsesSurface:
    surface: ClassVar[Surface] = Surface.RESPONSES
    path = "/v1/responses"
    native_api = "responses"

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        model = readers.filled(body.get("model"), "model")
        chat = read_responses(body)
        return Ask(self.surface, model, chat.stream, body, survey_chat(chat), chat, None, size)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps({"error": chat_reply.write_error(error)})

    def error_event(self, error: ClientError) -> bytes:
        return sse.encode(codec.dumps(write_error(error)), b"error")

    def encoder(self, ask: Ask, identity: Identity) -> ResponsesEncoder:
        return ResponsesEncoder(identity, ask.body)

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        return write_reply(ask.body, reply, ending)
