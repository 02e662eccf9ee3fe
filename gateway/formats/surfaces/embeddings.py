"""`/v1/embeddings`: writes errors only; answers of other wire formats are written by `formats.embeddings`."""

from collections.abc import Mapping
from typing import ClassVar

from gateway.core.ask import Ask, EmbedRequest, Surface, survey_embed
from gateway.core.chat import ChatReply, Json
from gateway.formats import codec, readers
from gateway.formats.surface import BadRequest, ClientError, Ending, Identity, StreamEncoder
from gateway.formats.surfaces.chat import ChatSurface
from gateway.formats.surfaces.chat_reply import write_error


class EmbeddingsSurface:
    surface: ClassVar[Surface] = Surface.EMBEDDINGS
    path = "/v1/embeddings"
    native_api = "openai"

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        model = readers.filled(body.get("model"), "model")
        form = readers.optional_text(body, "encoding_format")  # any word: some providers have their own
        texts, tokens = _inputs(body.get("input"))
        embed = EmbedRequest(texts, tokens, readers.positive_int(body, "dimensions"), form)
        return Ask(self.surface, model, False, body, survey_embed(embed), None, embed, size)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps({"error": write_error(error)})

    def error_event(self, error: ClientError) -> bytes:
        return ChatSurface().error_event(error)  # no embeddings stream exists; whoever asks gets a shape SDKs know

    def encoder(self, ask: Ask, identity: Identity) -> StreamEncoder:
        raise NotImplementedError("embeddings are not translated")

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        raise NotImplementedError("embeddings are not translated")


def _inputs(value: Json) -> tuple[tuple[str, ...], int]:
    """Texts, and how many tokens came as numbers."""
    if value is None or value == []:
        raise BadRequest("input is missing: it must be a string, or an array of strings or tokens.", "input")
    if isinstance(value, str):
        return (value,), 0
    texts: list[str] = []
    tokens = 0
    for index, item in enumerate(readers.items(value, "input")):
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, list):
            tokens += len(item)
        elif isinstance(item, int) and not isinstance(item, bool):
            tokens += 1
        else:
            raise readers.wrong(f"input[{index}]", "a string, a token or an array of tokens", item)
    return tuple(texts), tokens
