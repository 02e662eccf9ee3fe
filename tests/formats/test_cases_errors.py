"""Public failure cases of gateways, developer set: group L (error mapping)."""

import json

import pytest

from gateway.core.ask import Surface
from gateway.core.failure import FailureKind
from gateway.formats import registry
from tests.support.formats import (
    ask,
    chunk,
    endpoint,
    relay,
    sse,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
DONE = chunk(finish="stop"), "[DONE]"


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_l1_retry_after_is_kept(api: str) -> None:
    failure = registry.wire_format(api).failure(429, {"retry-after": "30"}, b"{}", 0.0)
    assert (failure.kind, failure.retry_after_s) == (FailureKind.RATE_LIMITED, 30.0)


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_l2_context_length_keeps_status_and_message(api: str) -> None:
    body = {"error": {"message": "Too long by 5.", "code": "context_length_exceeded"}}
    failure = registry.wire_format(api).failure(400, {}, json.dumps(body).encode(), 0.0)
    assert (failure.kind, failure.status) == (FailureKind.CONTEXT_LENGTH, 400)
    assert failure.error is not None
    assert failure.error.message == "Too long by 5."


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
def test_l4_real_cause_of_an_error_frame_is_seen(surface: Surface) -> None:
    stream = relay(ask({"stream": True}, surface), OPENAI)
    stream.feed(sse({"error": {"code": 400, "message": "context length exceeded"}}))
    assert stream.failure is not None
    assert (stream.failure.kind, stream.failure.status) == (FailureKind.CONTEXT_LENGTH, 400)
    assert "context length exceeded" in stream.failure.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>502 Bad Gateway</html>", FailureKind.MALFORMED),
        (b'{"error": {"message": "Overloaded", "type": "overloaded_error"}}', FailureKind.OVERLOADED),
        (b'{"choices": []}', FailureKind.MALFORMED),
        (b"what", FailureKind.MALFORMED),
        (b"", FailureKind.TRUNCATED),
    ],
)
def test_l4_body_that_is_no_stream_is_understood(body: bytes, kind: FailureKind) -> None:
    stream = relay(ask({"stream": True}), OPENAI)
    assert stream.feed(body) + stream.end() == b""
    assert stream.failure is not None
    assert stream.failure.kind is kind
