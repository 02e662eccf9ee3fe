"""How refusals and failures look to a client: the only file that knows the gateway's statuses.

A refusal is the gateway's own no. A failure is what became of the last attempt, when no candidate was left: the
client's own faults pass through with the provider's words, a sole provider's 429 too, and everything else is one 503
that lists the attempts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.decision import AttemptRow
from gateway.core.failure import Failure, FailureKind
from gateway.core.refusal import Refusal, RefusalKind
from gateway.flow import ending
from gateway.formats.surface import BadRequest, ClientError

STATUS = {
    RefusalKind.INVALID_REQUEST: 400,
    RefusalKind.UNAUTHORIZED: 401,
    RefusalKind.COST_LIMIT: 402,
    RefusalKind.MODEL_NOT_FOUND: 404,
    RefusalKind.TOO_LARGE: 413,
    RefusalKind.NO_ELIGIBLE_ENDPOINT: 422,
    RefusalKind.RATE_LIMITED: 429,
    RefusalKind.ALL_ATTEMPTS_FAILED: 503,
    RefusalKind.OVERLOADED: 503,
}

# `error.type` words of OpenAI; the Anthropic surface has its own for each status.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "cost_limit_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "api_error",
}

CLIENTS_FAULT = frozenset({FailureKind.REJECTED, FailureKind.CONTEXT_LENGTH, FailureKind.TOO_LARGE})
CLIENT_CLOSED = 499  # nginx's word for a client that left; only in records, nobody is there to read it
DEFAULT_RETRY_AFTER_S = 5.0  # where a provider gives none: the shortest cool-down in use in the field (LiteLLM's)


@dataclass(frozen=True, slots=True)
class Fault:
    """An error ready to be shown, with the headers that belong to it."""

    error: ClientError
    headers: tuple[tuple[str, str], ...] = field(default_factory=tuple)


def of_refusal(refusal: Refusal) -> Fault:
    status = STATUS[refusal.kind]
    code, details = refusal.kind.value, dict(refusal.details)
    error = ClientError(status, refusal.message, TYPES[status], code=code, param=refusal.param, extra=details)
    return Fault(error, _retry_after(refusal.retry_after_s))


def of_bad_request(bad: BadRequest) -> Fault:
    return Fault(ClientError(400, bad.message, TYPES[400], code=bad.code or "invalid_request", param=bad.param))


def of_failures(
    last: Failure, attempts: Sequence[AttemptRow], retry_after_s: float | None, excluded: Mapping[str, int]
) -> Fault:
    """What the client is told when no candidate is left.

    Args:
        last: the failure of the last attempt.
        attempts: all of them.
        retry_after_s: the earliest time at which one of them may be tried again, where it is known.
        excluded: how many endpoints were never candidates, by reason.
    """
    if last.kind in CLIENTS_FAULT:
        return _passed_through(last)
    if last.kind is FailureKind.SHUTDOWN:
        return of_refusal(ending.REFUSAL)
    wait_s = retry_after_s if retry_after_s is not None else DEFAULT_RETRY_AFTER_S
    kinds = {row.outcome for row in attempts}
    if kinds == {FailureKind.RATE_LIMITED.value}:
        message = last.error.message if last.error and len(attempts) == 1 else "every provider tried is rate-limited"
        error = ClientError(429, message, TYPES[429], code="rate_limited", extra=_listed(attempts))
        return Fault(error, _retry_after(wait_s))
    tried = [f"{row.endpoint}: {row.error or row.outcome}" for row in attempts]
    details = _listed(attempts)
    if excluded:
        tried.append(f"not tried: {', '.join(f'{count} by {why}' for why, count in excluded.items())}")
        details["excluded"] = dict(excluded)
    message = f"all attempts failed: {'; '.join(tried)}"
    error = ClientError(503, message, TYPES[503], code="all_attempts_failed", extra=details)
    # The gateway has tried all there is: an SDK that repeats the request at once only multiplies the load.
    return Fault(error, (*_retry_after(wait_s), ("x-should-retry", "false")))


def _passed_through(last: Failure) -> Fault:
    given = last.error
    if given is None:
        return Fault(ClientError(last.status or 400, last.message, TYPES[400], code=last.kind.value))
    status = given.status if 400 <= given.status < 500 else 400
    code = given.code or (last.kind.value if last.kind is not FailureKind.REJECTED else None)
    return Fault(ClientError(status, given.message, given.type or TYPES[400], code=code, param=given.param))


def in_stream(failure: Failure, endpoint: str, place: int = 0) -> ClientError:
    """The one error event of a stream that broke after the commit point; `place` is its number, if it has one."""
    given = failure.error
    message = given.message if given is not None else failure.message
    error = ClientError(502, message, "api_error", code=failure.kind.value)
    return replace(error, extra={"endpoint": endpoint, "kind": failure.kind.value}, place=place)


def _listed(attempts: Sequence[AttemptRow]) -> dict[str, object]:
    return {
        "attempts": [
            {"endpoint": row.endpoint, "outcome": row.outcome, "status": row.status, "error": row.error}
            for row in attempts
        ]
    }


def _retry_after(seconds: float | None) -> tuple[tuple[str, str], ...]:
    """`Retry-After` in whole seconds, rounded up: a client that comes too early is turned away again."""
    return () if seconds is None else (("retry-after", str(max(1, -int(-seconds // 1)))),)
