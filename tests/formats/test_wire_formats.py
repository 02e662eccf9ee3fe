"""What every wire format answers about itself, and what differs."""

import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Endpoint, Operation
from gateway.core.chat import ChatReply, FinishReason
from gateway.core.failure import FailureKind
from gateway.formats import registry
from gateway.formats.surface import ClientError, Ending, Identity
from gateway.formats.surfaces.messages import count_tokens_body
from tests.support.formats import ask, endpoint, outgoing_body


def test_registry_knows_formats_and_surfaces() -> None:
    clouds = ("bedrock", "bedrock-anthropic", "vertex-anthropic", "vertex-gemini")
    hosted = ("azure-openai", "azure-responses", *clouds)
    assert registry.wire_formats() == ("openai", "anthropic", "responses", "gemini", "cohere", *hosted)
    assert {name: found.path for name, found in registry.surfaces().items()} == {
        Surface.CHAT: "/v1/chat/completions",
        Surface.COMPLETIONS: "/v1/completions",
        Surface.MESSAGES: "/v1/messages",
        Surface.COUNT_TOKENS: "/v1/messages/count_tokens",
        Surface.EMBEDDINGS: "/v1/embeddings",
        Surface.RESPONSES: "/v1/responses",
        Surface.RERANK: "/v1/rerank",
        Surface.MODERATIONS: "/v1/moderations",
        Surface.IMAGES: "/v1/images/generations",
        Surface.SPEECH: "/v1/audio/speech",
        Surface.TRANSCRIPTIONS: "/v1/audio/transcriptions",
        Surface.TRANSLATIONS: "/v1/audio/translations",
    }
    for name, found in registry.surfaces().items():
        assert found.surface is name
        assert found.native_api in (*registry.wire_formats(), None)  # None: what passes as it is
        assert registry.surface(name) is found
    with pytest.raises(KeyError):
        registry.wire_format("morse")


@pytest.mark.parametrize("api", registry.wire_formats())
def test_formats_say_what_the_walk_needs(api: str) -> None:
    form = registry.wire_format(api)
    listed = None if api.startswith(("bedrock", "vertex")) else "/v1/models" if api == "cohere" else "/models"
    assert (form.api, form.models_path) == (api, listed)
    assert form.requires_max_tokens == api.endswith("anthropic")
    assert form.failure(503, {}, b"{}", 0.0).kind is FailureKind.OVERLOADED


def test_keys_go_where_each_format_wants_them() -> None:
    assert registry.wire_format("openai").auth_headers("k") == (("authorization", "Bearer k"),)
    keyed = (("x-api-key", "k"), ("anthropic-version", "2023-06-01"))
    assert registry.wire_format("anthropic").auth_headers("k") == keyed


def test_horizons_are_read_from_each_formats_headers() -> None:
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}
    assert registry.wire_format("openai").horizon_s(spent, 0.0) == 2.0
    spent = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "1970-01-01T00:00:09Z",
    }
    assert registry.wire_format("anthropic").horizon_s(spent, 0.0) == 9.0


OK = [{"role": "user", "content": "Reply with OK."}]


@pytest.mark.parametrize(
    ("at", "path", "body"),
    [
        (endpoint(), "/chat/completions", {"messages": OK, "max_tokens": 16}),
        (
            endpoint(quirks=frozenset({"max_completion_tokens", "reasoning_minimal"})),
            "/chat/completions",
            {"messages": OK, "max_completion_tokens": 16, "reasoning_effort": "minimal"},
        ),
        (endpoint(operation=Operation.EMBEDDINGS), "/embeddings", {"input": "ok"}),
        (
            endpoint(operation=Operation.COMPLETIONS),
            "/completions",
            {"prompt": "Reply with OK.", "max_tokens": 16},
        ),
        (endpoint("anthropic"), "/messages", {"messages": OK, "max_tokens": 16}),
        (
            endpoint("anthropic", quirks=frozenset({"adaptive_thinking"})),
            "/messages",
            {"messages": OK, "max_tokens": 16, "thinking": {"type": "disabled"}},
        ),
    ],
)
def test_probes_are_small_and_do_not_think(at: Endpoint, path: str, body: dict[str, Any]) -> None:
    out = registry.wire_format(at.api).probe(at)
    assert (out.path, json.loads(out.body)) == (path, {"model": at.upstream_id, **body})
    versioned = (("anthropic-version", "2023-06-01"),) if at.api == "anthropic" else ()
    assert out.headers == (("content-type", "application/json"), ("accept", "application/json"), *versioned)


def test_embeddings_are_nothing_for_anthropic() -> None:
    asked = ask({"input": "a"}, Surface.EMBEDDINGS)
    assert registry.wire_format("anthropic").inexpressible(asked, endpoint("anthropic")).fields == {"embeddings"}
    assert registry.wire_format("openai").inexpressible(asked, endpoint()).fields == set()
    surface = registry.surface(Surface.EMBEDDINGS)
    with pytest.raises(NotImplementedError):
        surface.encoder(asked, Identity("id", 0, "model"))
    with pytest.raises(NotImplementedError):
        surface.encode(asked, ChatReply("id", "model", (), FinishReason.STOP), Ending(FinishReason.STOP))


def test_a_completions_endpoint_gets_completions_natively() -> None:
    asked = ask({"prompt": ["a", "b"], "max_completion_tokens": 4}, Surface.COMPLETIONS)
    native = endpoint(caps=(), operation=Operation.COMPLETIONS)
    assert registry.wire_format("openai").inexpressible(asked, native).fields == set()
    assert outgoing_body(asked, native, 5) == {"model": "openai-upstream", "prompt": ["a", "b"], "max_tokens": 5}


def test_a_count_is_asked_without_the_fields_of_an_answer() -> None:
    counted = ask({"max_tokens": 5, "stream": True}, Surface.COUNT_TOKENS)
    assert outgoing_body(counted, endpoint("anthropic"), 5).keys() == {"model", "messages"}


def test_counting_for_other_formats_is_the_walks() -> None:
    counted = ask({}, Surface.COUNT_TOKENS)
    assert registry.wire_format("openai").inexpressible(counted, endpoint()).fields == set()
    assert json.loads(count_tokens_body(7)) == {"input_tokens": 7}


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.COMPLETIONS, Surface.EMBEDDINGS])
def test_openai_errors_have_their_shape(surface: Surface) -> None:
    body = registry.surface(surface).error_body(ClientError(400, "No.", "invalid_request", "c", "p"))
    assert json.loads(body) == {"error": {"message": "No.", "type": "invalid_request", "param": "p", "code": "c"}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (404, "not_found_error"),
        (409, "invalid_request_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic_errors_have_their_type(status: int, kind: str) -> None:
    body = registry.surface(Surface.MESSAGES).error_body(ClientError(status, "No.", "whatever"))
    assert json.loads(body) == {"type": "error", "error": {"type": kind, "message": "No."}}
