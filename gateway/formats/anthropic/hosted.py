"""Anthropic's messages at another company's address: the same JSON, but for where model, version and betas stand.

A host's format says its paths and its envelope; whatever is said between client and model is `AnthropicFormat`'s. Hosts
fetch nothing: images and documents by URL or by file id cannot go there.
"""

import orjson

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import Image, Json, Media, Message, Part, ToolResult
from gateway.formats.anthropic import request
from gateway.formats.anthropic.format import AnthropicFormat
from gateway.formats.wire import Inexpressible, Outgoing

Headers = tuple[tuple[str, str], ...]


class HostedAnthropic(AnthropicFormat):
    """Subclasses say `_counted`, `_asked` and what they need besides."""

    models_path: str | None = None

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        found = request.inexpressible(ask, endpoint)
        remote = set() if ask.chat is None or not ask.survey.remote else _remote_fields(ask.chat.messages)
        return Inexpressible(found.fields | remote, found.hints) if remote else found

    def build(self, ask: Ask, endpoint: Endpoint, max_output: int | None) -> Outgoing:
        assert ask.chat is not None
        body, dropped = request.compose(ask, ask.chat, endpoint, max_output)
        betas = _betas(ask.chat.native_headers) if request.speaks(ask) else ()
        if ask.surface is Surface.COUNT_TOKENS:
            return self._counted(body, endpoint, betas, dropped)
        return self._asked(body, endpoint, betas, dropped)

    def probe(self, endpoint: Endpoint) -> Outgoing:
        return self._asked(orjson.loads(request.probe(endpoint).body), endpoint, (), ())

    def _asked(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        """A request for an answer, from a body as Anthropic itself takes it."""
        raise NotImplementedError

    def _counted(
        self, body: dict[str, Json], endpoint: Endpoint, betas: tuple[str, ...], dropped: tuple[str, ...]
    ) -> Outgoing:
        """A request for a count of tokens."""
        raise NotImplementedError


def _betas(native: Headers) -> tuple[str, ...]:
    given = next((value for name, value in native if name == "anthropic-beta"), "")
    return tuple(beta for part in given.split(",") if (beta := part.strip()))


def _remote_fields(messages: tuple[Message, ...]) -> set[str]:
    return {field for message in messages for part in message.parts for field in _remote(part)}


def _remote(part: Part) -> set[str]:
    match part:
        case Image(data=None):
            return {"image_url"}
        case Media(data=None, url=url):
            return {"file_id" if url is None else "file_url"}
        case ToolResult(parts=parts):
            return {field for inner in parts for field in _remote(inner)}
        case _:
            return set()
