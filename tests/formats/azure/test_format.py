"""Azure OpenAI: what differs from OpenAI itself."""

import json
from dataclasses import replace

from gateway.formats import registry
from tests.support.formats import ask, context, endpoint, unpriced
from tests.support.vectors import exchanges, needs_vectors

AZURE = registry.wire_format("azure-openai")


def test_takes_the_keys_of_a_resource() -> None:
    assert AZURE.auth_headers("k") == (("api-key", "k"),)
    assert AZURE.models_path == "/models"


def test_probes_the_deployment() -> None:
    assert AZURE.probe(endpoint("azure-openai")).path == "/chat/completions"
    versioned = endpoint("azure-openai", quirks=frozenset({"api-version=2024-10-21"}))
    assert AZURE.probe(versioned).path == "/deployments/azure-openai-upstream/chat/completions?api-version=2024-10-21"


@needs_vectors
def test_asks_as_was_recorded_and_passes_the_answer() -> None:
    (one,) = [one for one in exchanges() if "cognitiveservices.azure.com" in one.host]
    deployment = one.path.split("/")[3]
    at = replace(endpoint("azure-openai", quirks=frozenset({"api-version=2024-10-21"})), upstream_id=deployment)
    asked = ask(one.request)
    assert f"/openai{AZURE.build(asked, at, asked.survey.max_tokens).path}".partition("?")[0] == one.path
    told = json.loads(one.body)
    assert json.loads(AZURE.reply(asked, at, one.body, context(unpriced)).body) == {**told, "model": "told-model"}
