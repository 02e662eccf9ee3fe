"""Google's errors: `google.rpc.Status`, whose details say more than its status.

A wrong key is a 400 there, and how long to wait stands in the body (`RetryInfo`), never in a header.
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.chat import Json
from gateway.core.failure import Failure, FailureKind
from gateway.formats import codec, horizon, upstream_errors
from gateway.formats.hints import words

_CREDENTIAL = words(
    """API_KEY_INVALID API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED
    ACCESS_TOKEN_EXPIRED CONSUMER_INVALID CONSUMER_SUSPENDED SERVICE_DISABLED USER_PROJECT_DENIED"""
)  # google.api.ErrorReason
_BILLING = frozenset({"BILLING_DISABLED"})


def of_answer(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The failure that a non-2xx answer is."""
    failure = upstream_errors.of_answer(status, headers, body, now_s)
    error = _error(body)
    kind = _kind(failure.kind, error)
    wait_s = failure.retry_after_s if failure.retry_after_s is not None else _retry_s(error, now_s)
    said = failure.error
    if said is not None and said.type is None and isinstance(error.get("status"), str):
        said = replace(said, type=error["status"][:100])
    return replace(failure, kind=kind, retry_after_s=wait_s, error=said)


def _error(body: bytes) -> Mapping[str, Json]:
    """The status object; some endpoints wrap it in a list."""
    try:
        found = codec.loads(body)
    except ValueError:
        return {}
    if isinstance(found, list) and found:
        found = found[0]
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    details = error.get("details")
    return [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []


def _kind(kind: FailureKind, error: Mapping[str, Json]) -> FailureKind:
    reasons = {str(item.get("reason")) for item in _details(error)}
    if reasons & _BILLING:
        return FailureKind.BILLING
    if reasons & _CREDENTIAL:
        return FailureKind.CREDENTIAL
    if error.get("status") == "FAILED_PRECONDITION" and kind is FailureKind.REJECTED:
        return FailureKind.CREDENTIAL  # the account's place or plan is refused, not the request ("Troubleshooting")
    return kind


def _retry_s(error: Mapping[str, Json], now_s: float) -> float | None:
    for item in _details(error):
        told = item.get("retryDelay")
        wait_s = horizon.reset_s(told, now_s) if isinstance(told, str) else None
        if wait_s is not None:
            return min(max(wait_s, 0.0), horizon.MAX_HORIZON_S)
    return None
