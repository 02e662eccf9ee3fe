"""Every client surface, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.ask import Surface
from gateway.formats.surface import ClientSurface
from gateway.formats.surfaces.chat import ChatSurface
from gateway.formats.surfaces.completions import CompletionsSurface
from gateway.formats.surfaces.embeddings import EmbeddingsSurface
from gateway.formats.surfaces.messages import CountTokensSurface, MessagesSurface
from gateway.formats.surfaces.passed import ROWS, PassedSurface
from gateway.formats.surfaces.responses import ResponsesSurface

SURFACES: Mapping[Surface, ClientSurface] = MappingProxyType(
    {
        Surface.CHAT: ChatSurface(),
        Surface.COMPLETIONS: CompletionsSurface(),
        Surface.MESSAGES: MessagesSurface(),
        Surface.COUNT_TOKENS: CountTokensSurface(),
        Surface.EMBEDDINGS: EmbeddingsSurface(),
        Surface.RESPONSES: ResponsesSurface(),
        **{row.surface: PassedSurface(row) for row in ROWS},
    }
)


def surface_of(surface: Surface) -> ClientSurface:
    return SURFACES[surface]
