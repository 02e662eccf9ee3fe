"""How refusals and failures look, apart from any walk."""

import pytest

from gateway.core.decision import AttemptRow
from gateway.core.failure import Failure, FailureKind, UpstreamError
from gateway.core.refusal import Refusal, RefusalKind
from gateway.flow.faults import STATUS, TYPES, in_stream, of_bad_request, of_failures, of_refusal
from gateway.formats.surface import BadRequest, ClientError


def row(outcome: str = "rate_limited") -> AttemptRow:
    return AttemptRow("alpha/m", 0.0, None, 1.0, outcome, 429, None, 0.0)


def test_every_refusal_has_a_status_and_every_status_a_type() -> None:
    assert set(STATUS) == set(RefusalKind)
    assert set(TYPES) == set(STATUS.values())


def test_a_refusal_says_its_code_position_details_and_time() -> None:
    fault = of_refusal(Refusal(RefusalKind.OVERLOADED, "busy", "model", 1.2, {"x": 1}))
    assert fault.error == ClientError(503, "busy", "api_error", "overloaded", "model", {"x": 1})
    assert fault.headers == (("retry-after", "2"),)


def test_a_bad_request_is_a_400_with_its_position() -> None:
    error = of_bad_request(BadRequest("wrong", "messages[2]")).error
    assert error == ClientError(400, "wrong", "invalid_request_error", "invalid_request", "messages[2]")
    assert of_bad_request(BadRequest("wrong", code=None)).error.code == "invalid_request"


@pytest.mark.parametrize(("seconds", "header"), [(0.0, "1"), (0.2, "1"), (2.0, "2"), (2.01, "3"), (None, "5")])
def test_a_time_is_told_in_whole_seconds_and_never_too_early(seconds: float | None, header: str) -> None:
    fault = of_failures(Failure(FailureKind.RATE_LIMITED, "429"), [row()], seconds, {})
    assert fault.headers == (("retry-after", header),)


def test_several_rate_limits_are_told_as_one() -> None:
    failure = Failure(FailureKind.RATE_LIMITED, "429", error=UpstreamError(429, "slow down"))
    assert of_failures(failure, [row(), row()], 1.0, {}).error.message == "every provider tried is rate-limited"


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure(FailureKind.TOO_LARGE, "413"), ClientError(400, "413", "invalid_request_error", "too_large")),
        (
            Failure(FailureKind.REJECTED, "x", error=UpstreamError(422, "bad", "t", "c", "p")),
            ClientError(422, "bad", "t", "c", "p"),
        ),
        (
            Failure(FailureKind.REJECTED, "x", error=UpstreamError(500, "bad")),
            ClientError(400, "bad", "invalid_request_error"),
        ),
        (
            Failure(FailureKind.CONTEXT_LENGTH, "x", error=UpstreamError(400, "long")),
            ClientError(400, "long", "invalid_request_error", "context_length"),
        ),
    ],
)
def test_the_clients_own_fault_passes_through(failure: Failure, error: ClientError) -> None:
    fault = of_failures(failure, [row("rejected")], None, {})
    assert (fault.error, fault.headers) == (error, ())


def test_a_break_in_mid_stream_names_endpoint_and_kind() -> None:
    spoken = Failure(FailureKind.OVERLOADED, "x", error=UpstreamError(529, "Overloaded"))
    assert in_stream(spoken, "alpha/m") == ClientError(
        502, "Overloaded", "api_error", "overloaded", None, {"endpoint": "alpha/m", "kind": "overloaded"}
    )
    assert in_stream(Failure(FailureKind.TRUNCATED, "cut"), "alpha/m").message == "cut"
