import json
from typing import Any

import pytest

from gateway.core.failure import Failure, FailureKind, UpstreamError
from gateway.formats.upstream_errors import of_answer, of_object

K = FailureKind


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Failure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return of_answer(status, headers or {}, raw, 0.0)


def openai(message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": None, "param": None, "code": None, **more}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, K.NOT_FOUND),
        (400, K.REJECTED),
        (401, K.CREDENTIAL),
        (402, K.BILLING),
        (403, K.CREDENTIAL),
        (404, K.NOT_FOUND),
        (405, K.REJECTED),
        (408, K.SERVER_ERROR),
        (409, K.REJECTED),
        (413, K.TOO_LARGE),
        (422, K.REJECTED),
        (425, K.OVERLOADED),
        (429, K.RATE_LIMITED),
        (500, K.SERVER_ERROR),
        (501, K.SERVER_ERROR),
        (502, K.SERVER_ERROR),
        (503, K.OVERLOADED),
        (504, K.SERVER_ERROR),
        (520, K.SERVER_ERROR),
        (529, K.OVERLOADED),
    ],
)
def test_reads_the_status_where_the_body_says_nothing_more(status: int, kind: FailureKind) -> None:
    assert answer(status, openai()) == Failure(kind, f"{status}: No.", status, None, UpstreamError(status, "No."))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, openai(code="insufficient_quota", type="insufficient_quota"), K.BILLING),
        (400, openai(code="billing_hard_limit_reached"), K.BILLING),
        (403, openai(code="billing_not_active"), K.BILLING),
        (429, openai("You exceeded your current quota, please check your plan."), K.BILLING),
        (
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
            K.BILLING,
        ),
        (402, {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}, K.BILLING),
        (400, openai(code="context_length_exceeded"), K.CONTEXT_LENGTH),
        (400, openai("This model's maximum context length is 8192 tokens."), K.CONTEXT_LENGTH),
        (
            400,
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size",
                    "type": "exceed_context_size_error",
                }
            },
            K.CONTEXT_LENGTH,
        ),
        (
            400,
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "prompt is too long: 210000 tokens > 200000 maximum",
                },
            },
            K.CONTEXT_LENGTH,
        ),
        (413, openai("Input tokens exceed the configured limit"), K.CONTEXT_LENGTH),
        (422, openai("too many input tokens"), K.CONTEXT_LENGTH),
        (500, openai(code="context_length_exceeded"), K.CONTEXT_LENGTH),
        (500, openai("Lost the context window of the user"), K.SERVER_ERROR),
        (400, openai(code="invalid_api_key"), K.CREDENTIAL),
        (400, openai(code="model_not_found"), K.NOT_FOUND),
        (400, openai(code="tool_use_failed", type="invalid_request_error"), K.REJECTED),
        (403, {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["hate"]}}}, K.REJECTED),
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, K.OVERLOADED),
        (501, {"error": {"code": 501, "message": "not supported", "type": "not_supported_error"}}, K.SERVER_ERROR),
    ],
)
def test_reads_codes_that_say_more_than_the_status(status: int, body: Any, kind: FailureKind) -> None:
    assert answer(status, body).kind is kind


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (openai(type="a", code="b", param="c"), UpstreamError(400, "No.", "a", "b", "c")),
        ({"error": {"message": "No.", "code": 400}}, UpstreamError(400, "No.", None, "400")),
        ({"error": "No."}, UpstreamError(400, "No.")),
        ([openai()], UpstreamError(400, "No.")),
        (
            {"object": "error", "message": "No.", "type": "BadRequestError", "code": 400},
            UpstreamError(400, "No.", "BadRequestError", "400"),
        ),
        ({"id": "1", "message": "No."}, UpstreamError(400, "No.")),
        ({"detail": "No."}, UpstreamError(400, "No.")),
        (
            {"detail": [{"loc": ["body", "messages", 0], "msg": "No."}, {"msg": "Never."}, "Odd"]},
            UpstreamError(400, "body.messages.0: No.; Never.; Odd"),
        ),
        ({"object": "error", "message": {"detail": [{"msg": "No."}]}}, UpstreamError(400, "No.")),
        ({"error": {"type": "weird"}}, UpstreamError(400, "weird", "weird")),
        ({"error": {"code": "odd", "type": True}}, UpstreamError(400, "odd", None, "odd")),
        ({"error": {"message": [], "type": {"a": 1}}}, UpstreamError(400, "no message")),
        ({}, UpstreamError(400, "no message")),
        (["a", "b"], UpstreamError(400, "no message")),
        ("No.", UpstreamError(400, "No.")),
        (b"plain No.", UpstreamError(400, "plain No.")),
        (b"", UpstreamError(400, "an empty body with status 400")),
    ],
)
def test_reads_every_known_shape_of_an_error_body(body: Any, error: UpstreamError) -> None:
    assert answer(400, body).error == error


def test_never_shows_a_page() -> None:
    page = b"<html><body>502 Bad Gateway nginx</body></html>"
    shown = "502 with an HTML page"
    assert answer(502, page) == Failure(K.SERVER_ERROR, shown, 502, None, UpstreamError(502, shown))


def test_never_shows_a_key() -> None:
    failure = answer(401, openai("Incorrect API key provided: sk-canary-123456.", code="sk-canary-123456"))
    assert "canary" not in repr(failure)


def test_gives_the_horizon_of_retry_after() -> None:
    assert answer(503, openai(), {"retry-after": "30"}).retry_after_s == 30.0


def test_gives_the_horizon_of_exhausted_limits_for_a_429_only() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7s"}
    assert answer(429, openai(), headers).retry_after_s == 7.0
    assert answer(500, openai(), headers).retry_after_s is None


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, K.OVERLOADED, 529),
        ({"error": {"type": "rate_limit_error", "message": "x"}}, K.RATE_LIMITED, 429),
        ({"error": {"code": "insufficient_quota", "message": "x"}}, K.BILLING, 402),
        ({"error": {"code": 400, "message": "context length exceeded"}}, K.CONTEXT_LENGTH, 400),
        ({"error": {"code": "502", "message": "x"}}, K.SERVER_ERROR, 502),
        ({"error": {"code": 429, "message": "x"}}, K.RATE_LIMITED, 429),
        ({"error": {"status_code": 503, "message": "x"}}, K.OVERLOADED, 503),
        ({"error": {"message": "maximum context length is 10"}}, K.CONTEXT_LENGTH, 400),
        ({"error": {"message": "Your credit balance is too low"}}, K.BILLING, 402),
        ({"error": {"type": "authentication_error", "message": "x"}}, K.CREDENTIAL, 401),
        ({"error": {"type": "invalid_request_error", "message": "x"}}, K.REJECTED, 400),
        (
            {"error": {"type": "invalid_request_error", "code": "tool_use_failed", "status_code": 400, "message": "x"}},
            K.REJECTED,
            400,
        ),
        ({"error": {"type": "api_error", "message": "x"}}, K.SERVER_ERROR, 500),
        ({"error": {"code": 200, "message": "x"}}, K.SERVER_ERROR, 500),
        ("words", K.SERVER_ERROR, 500),
        (None, K.SERVER_ERROR, 500),
    ],
)
def test_gives_an_error_object_in_a_200_the_status_it_would_have_come_with(
    error: Any, kind: FailureKind, status: int
) -> None:
    failure = of_object(error, "in the stream")
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.error is not None
    assert failure.error.status == status
