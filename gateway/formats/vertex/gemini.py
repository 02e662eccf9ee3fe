"""Gemini on Vertex AI: Google's own format at another path, and without its way to embeddings."""

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.formats.gemini.format import GeminiFormat
from gateway.formats.wire import Inexpressible


class VertexGeminiFormat(GeminiFormat):
    api = "vertex-gemini"
    models_path: str | None = None  # Vertex lists publishers' models by a preview of its API alone
    models = "/publishers/google/models"

    def inexpressible(self, ask: Ask, endpoint: Endpoint) -> Inexpressible:
        if ask.chat is None:  # texts become vectors there one by one, by another method for each model
            return Inexpressible(frozenset({"embeddings"}))
        return super().inexpressible(ask, endpoint)
