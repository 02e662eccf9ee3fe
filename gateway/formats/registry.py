"""Which wire formats and surfaces there are. A new wire format is one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.ask import Surface
from gateway.core.catalog import PASSED, Endpoint, Operation, family_of
from gateway.formats.anthropic.format import AnthropicFormat
from gateway.formats.azure.format import AzureFormat, AzureResponsesFormat, placed
from gateway.formats.bedrock.claude import BedrockClaudeFormat
from gateway.formats.bedrock.format import BedrockFormat
from gateway.formats.cohere.format import CohereFormat
from gateway.formats.gemini.format import GeminiFormat
from gateway.formats.openai.format import OpenAIFormat
from gateway.formats.passed.format import PassedFormat, as_it_is
from gateway.formats.responses.format import ResponsesFormat
from gateway.formats.surface import ClientSurface
from gateway.formats.surfaces.all import SURFACES, surface_of
from gateway.formats.vertex.claude import VertexClaudeFormat
from gateway.formats.vertex.gemini import VertexGeminiFormat
from gateway.formats.wire import WireFormat

_WIRE_FORMATS: Mapping[str, WireFormat] = MappingProxyType(
    {
        "openai": OpenAIFormat(),
        "anthropic": AnthropicFormat(),
        "responses": ResponsesFormat(),
        "gemini": GeminiFormat(),
        "cohere": CohereFormat(),
        "azure-openai": AzureFormat(),
        "azure-responses": AzureResponsesFormat(),
        "bedrock": BedrockFormat(),
        "bedrock-anthropic": BedrockClaudeFormat(),
        "vertex-anthropic": VertexClaudeFormat(),
        "vertex-gemini": VertexGeminiFormat(),
    }
)


_PASSED: Mapping[str, PassedFormat] = MappingProxyType(
    {
        api: PassedFormat(base, placed if isinstance(base, AzureFormat) else as_it_is)
        for api, base in _WIRE_FORMATS.items()
    }
)
_CHAT = Operation.CHAT


def wire_format(api: str) -> WireFormat:
    """Raises `KeyError` for a name that `wire_formats()` does not list."""
    return _WIRE_FORMATS[api]


def spoken(surface: Surface, endpoint: Endpoint) -> WireFormat:
    """The wire format in which a client's request goes to an endpoint: the client's own, where the endpoint has it."""
    if endpoint.operation is not _CHAT and endpoint.operation in PASSED:
        return _PASSED[endpoint.api]
    if endpoint.also_speaks:
        native = surface_of(surface).native_api
        for api in endpoint.also_speaks:
            if family_of(api) == native:
                return _WIRE_FORMATS[api]
    return _WIRE_FORMATS[endpoint.api]


def is_native(surface: Surface, endpoint: Endpoint) -> bool:
    """Whether a client's request goes to the endpoint in the client's own wire format, or a host's variant of it."""
    return family_of(spoken(surface, endpoint).api) == surface_of(surface).native_api


def wire_formats() -> tuple[str, ...]:
    return tuple(_WIRE_FORMATS)


def surface(name: Surface) -> ClientSurface:
    return surface_of(name)


def surfaces() -> Mapping[Surface, ClientSurface]:
    return SURFACES
