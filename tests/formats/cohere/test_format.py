"""What the Cohere format answers about itself, and what its errors mean."""

import json
from typing import Any

import pytest

from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import FailureKind
from gateway.formats import registry
from tests.support.formats import endpoint

COHERE = registry.wire_format("cohere")


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid request: tools are wrong", FailureKind.REJECTED),
        (400, "too many tokens: total number of tokens exceeds the limit", FailureKind.CONTEXT_LENGTH),
        (401, "invalid api token", FailureKind.CREDENTIAL),
        (402, "Please add a payment method.", FailureKind.BILLING),
        (404, "model 'x' not found", FailureKind.NOT_FOUND),
        (422, "unsupported", FailureKind.REJECTED),
        (429, "You are using a Trial key, which is limited to 10 API calls / minute.", FailureKind.RATE_LIMITED),
        (498, "the request was blocked", FailureKind.REJECTED),
        (500, "internal server error", FailureKind.SERVER_ERROR),
        (503, "service unavailable", FailureKind.OVERLOADED),
        (504, "gateway timeout", FailureKind.SERVER_ERROR),
    ],
)
def test_errors_are_one_kind(status: int, message: str, kind: FailureKind) -> None:
    failure = COHERE.failure(status, {}, json.dumps({"id": "e-1", "message": message}).encode(), 0.0)
    assert failure.error is not None
    assert (failure.kind, failure.error.message) == (kind, message)


def test_answers_about_itself() -> None:
    assert (COHERE.api, COHERE.models_path, COHERE.requires_max_tokens) == ("cohere", "/v1/models", False)
    assert COHERE.auth_headers("k") == (("authorization", "Bearer k"),)
    assert COHERE.horizon_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, 0.0) == 2.0


OK = [{"role": "user", "content": "Reply with OK."}]
WORD = {"texts": ["ok"], "input_type": "search_document", "embedding_types": ["float"]}


@pytest.mark.parametrize(
    ("at", "path", "body"),
    [
        (endpoint("cohere"), "/v2/chat", {"messages": OK, "stream": False, "max_tokens": 16}),
        (
            endpoint("cohere", caps=("reasoning",)),
            "/v2/chat",
            {"messages": OK, "stream": False, "max_tokens": 16, "thinking": {"type": "disabled"}},
        ),
        (endpoint("cohere", operation=Operation.EMBEDDINGS), "/v2/embed", WORD),
    ],
)
def test_probes_are_small_and_do_not_think(at: Endpoint, path: str, body: dict[str, Any]) -> None:
    out = COHERE.probe(at)
    assert (out.path, json.loads(out.body)) == (path, {"model": at.upstream_id, **body})
