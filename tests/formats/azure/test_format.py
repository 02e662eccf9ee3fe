"""Azure OpenAI: what differs from OpenAI itself."""

from gateway.formats import registry
from tests.support.formats import endpoint

AZURE = registry.wire_format("azure-openai")


def test_takes_the_keys_of_a_resource() -> None:
    assert AZURE.auth_headers("k") == (("api-key", "k"),)
    assert AZURE.models_path == "/models"


def test_probes_the_deployment() -> None:
    assert AZURE.probe(endpoint("azure-openai")).path == "/chat/completions"
    versioned = endpoint("azure-openai", quirks=frozenset({"api-version=2024-10-21"}))
    assert AZURE.probe(versioned).path == "/deployments/azure-openai-upstream/chat/completions?api-version=2024-10-21"
