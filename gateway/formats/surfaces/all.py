"""Every client surface, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.ask import Surface
from gateway.formats.surface import ClientSurface
from gateway.formats.surfaces.chat import ChatSurface

SURFACES: Mapping[Surface, ClientSurface] = MappingProxyType(
    {
        Surface.CHAT: ChatSurface(),
    }
)


def surface_of(surface: Surface) -> ClientSurface:
    return SURFACES[surface]
