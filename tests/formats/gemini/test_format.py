"""What the Gemini format answers about itself, and what its errors mean."""

import json
from typing import Any

import pytest

from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import FailureKind
from gateway.formats import registry
from tests.support.formats import endpoint

GEMINI = registry.wire_format("gemini")
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def error(code: int, status: str, message: str, *details: Any) -> bytes:
    inner = {"code": code, "message": message, "status": status, "details": list(details)}
    return json.dumps({"error": inner}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(400, "INVALID_ARGUMENT", "Bad schema."), FailureKind.REJECTED),
        (
            400,
            error(400, "INVALID_ARGUMENT", "API key not valid.", {"@type": INFO, "reason": "API_KEY_INVALID"}),
            FailureKind.CREDENTIAL,
        ),
        (400, error(400, "FAILED_PRECONDITION", "User location is not supported."), FailureKind.CREDENTIAL),
        (
            400,
            error(400, "INVALID_ARGUMENT", "The input token count (1048577) exceeds the maximum number of tokens."),
            FailureKind.CONTEXT_LENGTH,
        ),
        (
            403,
            error(403, "PERMISSION_DENIED", "Billing is off.", "odd", {"@type": INFO, "reason": "BILLING_DISABLED"}),
            FailureKind.BILLING,
        ),
        (403, error(403, "PERMISSION_DENIED", "No."), FailureKind.CREDENTIAL),
        (404, error(404, "NOT_FOUND", "models/x is not found."), FailureKind.NOT_FOUND),
        (429, error(429, "RESOURCE_EXHAUSTED", "Too many."), FailureKind.RATE_LIMITED),
        (500, error(500, "INTERNAL", "Sorry."), FailureKind.SERVER_ERROR),
        (503, error(503, "UNAVAILABLE", "The model is overloaded."), FailureKind.OVERLOADED),
        (504, error(504, "DEADLINE_EXCEEDED", "Slow."), FailureKind.SERVER_ERROR),
    ],
)
def test_errors_are_one_kind(status: int, body: bytes, kind: FailureKind) -> None:
    assert GEMINI.failure(status, {}, body, 0.0).kind is kind


def test_errors_keep_googles_own_word_for_them() -> None:
    found = GEMINI.failure(429, {}, error(429, "RESOURCE_EXHAUSTED", "Too many."), 0.0).error
    assert found is not None
    assert (found.type, found.code, found.message) == ("RESOURCE_EXHAUSTED", "429", "Too many.")


@pytest.mark.parametrize(
    ("details", "wait_s"),
    [
        ([{"@type": RETRY, "retryDelay": "34.5s"}], 34.5),
        ([{"@type": INFO}, {"@type": RETRY, "retryDelay": "0.5s"}], 0.5),
        ([{"@type": RETRY, "retryDelay": "900000s"}], 86_400.0),
        ([{"@type": RETRY, "retryDelay": "soon"}], None),
        ([], None),
    ],
)
def test_the_body_tells_how_long_to_wait(details: list[Any], wait_s: float | None) -> None:
    body = error(429, "RESOURCE_EXHAUSTED", "Too many.", *details)
    assert GEMINI.failure(429, {}, body, 0.0).retry_after_s == wait_s


def test_a_header_that_tells_it_wins() -> None:
    body = error(429, "RESOURCE_EXHAUSTED", "Too many.", {"@type": RETRY, "retryDelay": "34s"})
    assert GEMINI.failure(429, {"retry-after": "3"}, body, 0.0).retry_after_s == 3.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[7]", b'{"error":"x"}', b'{"error":{"details":7}}'])
def test_errors_without_googles_shape_are_read_by_their_status(body: bytes) -> None:
    assert GEMINI.failure(503, {}, body, 0.0).kind is FailureKind.OVERLOADED


def test_errors_in_a_list_are_read_as_well() -> None:
    body = b"[" + error(400, "INVALID_ARGUMENT", "No.", {"@type": INFO, "reason": "API_KEY_INVALID"}) + b"]"
    assert GEMINI.failure(400, {}, body, 0.0).kind is FailureKind.CREDENTIAL


def test_the_key_goes_into_googles_header() -> None:
    assert GEMINI.auth_headers("k") == (("x-goog-api-key", "k"),)


def test_limits_are_not_told_before_they_are_reached() -> None:
    assert GEMINI.horizon_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, 0.0) is None


OK = [{"role": "user", "parts": [{"text": "Reply with OK."}]}]


@pytest.mark.parametrize(
    ("at", "config"),
    [
        (endpoint("gemini"), {"maxOutputTokens": 16}),
        (
            endpoint("gemini", caps=("reasoning",)),
            {"maxOutputTokens": 16, "thinkingConfig": {"thinkingLevel": "LOW"}},
        ),
        (
            endpoint("gemini", caps=("reasoning",), quirks=frozenset({"reasoning_minimal"})),
            {"maxOutputTokens": 16, "thinkingConfig": {"thinkingLevel": "MINIMAL"}},
        ),
    ],
)
def test_probes_are_small_and_hardly_think(at: Endpoint, config: dict[str, Any]) -> None:
    out = GEMINI.probe(at)
    assert out.path == "/models/gemini-upstream:generateContent"
    assert json.loads(out.body) == {"contents": OK, "generationConfig": config}


def test_embeddings_are_probed_by_one_word() -> None:
    out = GEMINI.probe(endpoint("gemini", operation=Operation.EMBEDDINGS))
    assert out.path == "/models/gemini-upstream:batchEmbedContents"
    part = {"content": {"parts": [{"text": "ok"}]}, "model": "models/gemini-upstream"}
    assert json.loads(out.body) == {"requests": [part]}
