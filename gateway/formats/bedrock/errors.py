"""What Bedrock's exceptions mean, in the words that `upstream_errors` knows.

The names come in the header `x-amzn-errortype` of an answer, or as the type of a frame inside a stream; statuses are
those of the service's own model (botocore, bedrock-runtime 2023-09-30).
"""

from collections.abc import Mapping

from gateway.core.chat import Json
from gateway.core.failure import Failure
from gateway.formats import codec, upstream_errors
from gateway.formats.sse import SseEvent

_WORDS = {
    "accessdeniedexception": "permission_error",
    "expiredtokenexception": "authentication_error",
    "incompletesignatureexception": "authentication_error",
    "internalserverexception": "api_error",
    "invalidsignatureexception": "authentication_error",
    "missingauthenticationtokenexception": "authentication_error",
    "modelerrorexception": "api_error",
    "modelnotreadyexception": "overloaded_error",
    "modelstreamerrorexception": "api_error",
    "modeltimeoutexception": "api_error",
    "resourcenotfoundexception": "not_found_error",
    "servicequotaexceededexception": "rate_limit_error",
    "serviceunavailableexception": "overloaded_error",
    "throttlingexception": "rate_limit_error",
    "unrecognizedclientexception": "authentication_error",
    "validationexception": "invalid_request_error",
}
# Where the HTTP status says less than the name: a model's own failure is a 424, its being loaded a 429.
_STATUSES = {
    "modelerrorexception": 502,
    "modelstreamerrorexception": 502,
    "modelnotreadyexception": 503,
    "servicequotaexceededexception": 429,
}
_UNKNOWN_MODEL = "model identifier is invalid"  # a 400 that says no more than this (recorded)


def of_answer(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The failure that a non-2xx answer is."""
    name = _short(headers.get("x-amzn-errortype", ""))
    message = _message(body)
    if message is None:
        return upstream_errors.of_answer(status, headers, body, now_s)
    if _UNKNOWN_MODEL in message:
        status = 404
    told = codec.dumps(_error(name, message))
    return upstream_errors.of_answer(_STATUSES.get(name.lower(), status), headers, told, now_s)


def error_event(name: str, payload: bytes) -> SseEvent:
    """An exception inside a stream, as an event in the shape of Anthropic's errors."""
    error = _error(name, _message(payload) or f"{name or 'an exception'} inside the stream")
    return SseEvent(b"error", codec.dumps({"type": "error", **error}))


def _error(name: str, message: str) -> dict[str, Json]:
    said: dict[str, Json] = {"message": message}
    if name:
        said |= {"type": _WORDS.get(name.lower(), "api_error"), "code": name}
    return {"error": said}


def _short(name: str) -> str:
    """`ThrottlingException:http://internal…` and `aws.x#ThrottlingException` are both ThrottlingException."""
    return name.partition(":")[0].rpartition("#")[2].strip()


def _message(body: bytes) -> str | None:
    try:
        found = codec.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    said = found.get("originalMessage") or found.get("message") or found.get("Message")
    return said if isinstance(said, str) and said else None
