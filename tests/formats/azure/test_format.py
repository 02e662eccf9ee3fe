"""Azure OpenAI: what differs from OpenAI itself."""

import json
from dataclasses import replace

from gateway.core.ask import Surface
from gateway.formats import registry
from tests.support.formats import ask, context, endpoint, unpriced
from tests.support.vectors import exchanges, needs_vectors

AZURE = registry.wire_format("azure-openai")
RESPONSES = registry.wire_format("azure-responses")


def test_takes_the_keys_of_a_resource() -> None:
    assert AZURE.auth_headers("k") == RESPONSES.auth_headers("k") == (("api-key", "k"),)
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


def test_probes_responses_by_the_name_of_the_model() -> None:
    assert RESPONSES.probe(endpoint("azure-responses")).path == "/responses"
    versioned = endpoint("azure-responses", quirks=frozenset({"api-version=2025-03-01-preview"}))
    assert RESPONSES.probe(versioned).path == "/responses?api-version=2025-03-01-preview"


def test_is_asked_for_responses_by_clients_of_responses_alone() -> None:
    at = endpoint("azure-openai", also_speaks=("azure-responses",))
    spoken = {surface: registry.spoken(surface, at).api for surface in (Surface.RESPONSES, Surface.CHAT)}
    assert spoken == {Surface.RESPONSES: "azure-responses", Surface.CHAT: "azure-openai"}
    assert registry.is_native(Surface.RESPONSES, at)


@needs_vectors
def test_asks_for_responses_as_was_recorded_and_passes_the_answer() -> None:
    found = [one for one in exchanges() if "openai.azure.com" in one.host and one.path.endswith("/responses")]
    for one in found:
        at = replace(endpoint("azure-responses"), upstream_id=one.request["model"])
        asked = ask(one.request, Surface.RESPONSES)
        out = RESPONSES.build(asked, at, asked.survey.max_tokens)
        assert (f"/openai/v1{out.path}", json.loads(out.body)) == (one.path, one.request)
        answer = json.loads(RESPONSES.reply(asked, at, one.body, context(unpriced)).body)
        assert answer == {**json.loads(one.body), "model": "told-model"}
    assert len(found) == 2
