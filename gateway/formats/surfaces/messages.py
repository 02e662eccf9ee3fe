"""`/v1/messages` and `/v1/messages/count_tokens`."""

from collections.abc import Mapping
from typing import ClassVar

from gateway.core.ask import Ask, Surface, survey_chat
from gateway.core.chat import ChatReply, Json
from gateway.formats import codec, readers, sse
from gateway.formats.surface import BadRequest, ClientError, Ending, Identity
from gateway.formats.surfaces.messages_reply import MessagesEncoder, write_error, write_reply
from gateway.formats.surfaces.messages_request import read_messages


class MessagesSurface:
    surface: ClassVar[Surface] = Surface.MESSAGES
    path = "/v1/messages"
    native_api = "anthropic"

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        model = readers.filled(body.get("model"), "model")
        chat = read_messages(body, headers)
        if chat.max_tokens is None and self.surface is Surface.MESSAGES:
            raise BadRequest("max_tokens is missing: it must be a positive integer.", "max_tokens")
        stream = chat.stream and self.surface is Surface.MESSAGES  # a count is one number
        return Ask(self.surface, model, stream, body, survey_chat(chat), chat, None, size)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps(write_error(error))

    def error_event(self, error: ClientError) -> bytes:
        return sse.encode(codec.dumps(write_error(error)), b"error")

    def encoder(self, ask: Ask, identity: Identity) -> MessagesEncoder:
        return MessagesEncoder(identity)

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        return write_reply(reply, ending)


class CountTokensSurface(MessagesSurface):
    """Counts a prompt; answered by Anthropic endpoints themselves, and from an estimate for all others."""

    surface: ClassVar[Surface] = Surface.COUNT_TOKENS
    path = "/v1/messages/count_tokens"


def count_tokens_body(tokens: int) -> bytes:
    """The answer of `count_tokens` where the gateway itself estimated."""
    return codec.dumps({"input_tokens": tokens})
