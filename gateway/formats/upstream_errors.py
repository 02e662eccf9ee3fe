"""What an upstream's error means: status and body, or an error object inside a 200, to one `Failure`.

The one place that reads provider codes and, where a provider has no code for it, its words. Tables first; the few
phrases at the bottom are those that OpenAI-compatible servers send without any code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.core.chat import Json
from gateway.core.failure import AttemptError, Failure, FailureKind, UpstreamError
from gateway.formats import horizon
from gateway.formats.masking import is_html, safe

_BY_STATUS = {
    401: FailureKind.CREDENTIAL,
    402: FailureKind.BILLING,
    403: FailureKind.CREDENTIAL,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.SERVER_ERROR,
    413: FailureKind.TOO_LARGE,
    425: FailureKind.OVERLOADED,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.OVERLOADED,
    529: FailureKind.OVERLOADED,
}
# Codes and types that say more than the status they come with.
_BY_WORD = {
    "context_length_exceeded": FailureKind.CONTEXT_LENGTH,
    "exceed_context_size_error": FailureKind.CONTEXT_LENGTH,  # llama.cpp
    "model_context_window_exceeded": FailureKind.CONTEXT_LENGTH,
    "context_window_exceeded": FailureKind.CONTEXT_LENGTH,
    "insufficient_quota": FailureKind.BILLING,
    "billing_hard_limit_reached": FailureKind.BILLING,
    "billing_not_active": FailureKind.BILLING,
    "billing_error": FailureKind.BILLING,
    "insufficient_balance": FailureKind.BILLING,
    "insufficient_credits": FailureKind.BILLING,
    "credit_balance_too_low": FailureKind.BILLING,
    "payment_required": FailureKind.BILLING,
    "invalid_api_key": FailureKind.CREDENTIAL,
    "api_key_invalid": FailureKind.CREDENTIAL,
    "authentication_error": FailureKind.CREDENTIAL,
    "permission_error": FailureKind.CREDENTIAL,
    "account_deactivated": FailureKind.CREDENTIAL,
    "model_not_found": FailureKind.NOT_FOUND,
    "unknown_model": FailureKind.NOT_FOUND,
    "not_found_error": FailureKind.NOT_FOUND,
    "request_too_large": FailureKind.TOO_LARGE,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "overloaded_error": FailureKind.OVERLOADED,
    "unavailable_error": FailureKind.OVERLOADED,  # llama.cpp while it loads
    "service_unavailable": FailureKind.OVERLOADED,
    "content_policy_violation": FailureKind.REJECTED,
    "content_filter": FailureKind.REJECTED,
}
# For errors without a status of their own: those that blame the request. What is named nowhere is the server's fault.
_REJECTING = frozenset(
    {
        "invalid_request_error", "badrequesterror", "invalid_request", "validation_error", "tool_use_failed",
        # of a response that failed (OpenAI API reference, `response.error.code`)
        "invalid_prompt", "bio_policy", "misalignment_policy_violation", "data_residency_mismatch", "invalid_image",
        "invalid_image_format", "invalid_base64_image", "invalid_image_url", "image_too_large", "image_too_small",
        "image_parse_error", "image_content_policy_violation", "invalid_image_mode", "image_file_too_large",
        "unsupported_image_media_type", "empty_image_file", "failed_to_download_image", "image_file_not_found",
    }
)  # fmt: skip
_STATUS_OF = {
    FailureKind.CONTEXT_LENGTH: 400,
    FailureKind.REJECTED: 400,
    FailureKind.CREDENTIAL: 401,
    FailureKind.BILLING: 402,
    FailureKind.NOT_FOUND: 404,
    FailureKind.TOO_LARGE: 413,
    FailureKind.RATE_LIMITED: 429,
    FailureKind.OVERLOADED: 529,
}
_CONTEXT_WORDS = re.compile(
    r"(?i)maximum context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens"
    r"|input (?:is|length|tokens?) .{0,40}(?:too long|exceed)|exceeds? the (?:model'?s? )?max(?:imum)? .{0,20}tokens"
)
_BILLING_WORDS = re.compile(
    r"(?i)credit balance is too low|insufficient (?:balance|credits|funds)|exceeded your current quota"
)


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """An error body's content, whichever of the known shapes it had."""

    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int | None = None  # where the body itself names one
    moderated: bool = False  # OpenRouter's 403 about the client's text
    html: bool = False


def of_answer(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The failure that a non-2xx answer is."""
    words = _read_body(status, body)
    kind = _kind(status, words)
    retry_after_s = horizon.retry_after_s(headers, now_s)
    if retry_after_s is None and kind is FailureKind.RATE_LIMITED:
        retry_after_s = horizon.exhausted_s(headers, now_s)
    error = _safe(status, words)
    said = error.message if words.html else f"{status}: {error.message}"
    return Failure(kind, said[:500], status, retry_after_s, error)


def of_object(error: Json, where: str) -> Failure:
    """The failure that an error object inside a 200 is; its status is the one it would have come with."""
    words = read_words(error)
    status = words.status or 0
    if status >= 400:
        kind = _kind(status, words)
    else:
        kind = _kind_by_words(words)
        status = _STATUS_OF.get(kind, 500)
    error = _safe(status, words)
    return Failure(kind, f"{where}: {error.message}"[:500], status, None, error)


def malformed(what: str) -> AttemptError:
    return AttemptError(Failure(FailureKind.MALFORMED, what))


def read_words(error: Json) -> ErrorWords:
    """The words of an error in any known shape: OpenAI, Anthropic, Mistral, FastAPI, Cohere, OpenRouter, llama.cpp."""
    if isinstance(error, Mapping) and isinstance(error.get("error"), Mapping):
        error = error["error"]
    elif isinstance(error, Mapping) and isinstance(error.get("error"), str):
        error = {**error, "message": error["error"]}
    if not isinstance(error, Mapping):
        return ErrorWords(error if isinstance(error, str) and error else "no message")
    code, metadata = error.get("code"), error.get("metadata")
    return ErrorWords(
        message=_message(error),
        type=_word(error.get("type")),
        code=_word(code),
        param=_word(error.get("param")),
        status=_status(code) or _status(error.get("status")) or _status(error.get("status_code")),
        moderated=isinstance(metadata, Mapping) and bool(metadata.get("reasons")),
    )


def _read_body(status: int, body: bytes) -> ErrorWords:
    if is_html(body):
        return ErrorWords("an HTML page", html=True)
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[:8192].decode("utf-8", "replace").strip()
        return ErrorWords(text or f"an empty body with status {status}")
    if isinstance(parsed, list) and len(parsed) == 1:  # Google's OpenAI-compatible endpoint wraps errors in a list
        parsed = parsed[0]
    return read_words(parsed)


def _message(error: Mapping[str, Json]) -> str:
    for key in ("message", "detail", "msg", "error_description"):
        value = error.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping) and isinstance(value.get("detail"), list):
            value = value["detail"]
        if isinstance(value, list) and value:  # FastAPI: [{loc, msg, type}]
            return "; ".join(map(_detail, value[:5]))
    return _word(error.get("type")) or _word(error.get("code")) or "no message"


def _detail(item: Json) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    where = ".".join(str(step) for step in item.get("loc") or ())
    return f"{where}: {item.get('msg')}" if where else str(item.get("msg"))


def _word(value: Json) -> str | None:
    if isinstance(value, bool) or value is None or value == "":
        return None
    return safe(str(value))[:200] if isinstance(value, str | int) else None


def _status(value: Json) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


def _kind(status: int, words: ErrorWords) -> FailureKind:
    named = _BY_WORD.get((words.code or "").lower()) or _BY_WORD.get((words.type or "").lower())
    if status in (400, 409, 413, 422, 500) and (
        named is FailureKind.CONTEXT_LENGTH or (status != 500 and _CONTEXT_WORDS.search(words.message))
    ):
        return FailureKind.CONTEXT_LENGTH
    if named is FailureKind.BILLING or (400 <= status < 500 and _BILLING_WORDS.search(words.message)):
        return FailureKind.BILLING
    if words.moderated:
        return FailureKind.REJECTED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return FailureKind.SERVER_ERROR
    if status < 400:
        return FailureKind.NOT_FOUND  # a redirect: our base URL is wrong
    return named or FailureKind.REJECTED


def _kind_by_words(words: ErrorWords) -> FailureKind:
    for word in ((words.code or "").lower(), (words.type or "").lower()):
        if word in _BY_WORD:
            return _BY_WORD[word]
    if _CONTEXT_WORDS.search(words.message):
        return FailureKind.CONTEXT_LENGTH
    if _BILLING_WORDS.search(words.message):
        return FailureKind.BILLING
    rejecting = {(words.code or "").lower(), (words.type or "").lower()} & _REJECTING
    return FailureKind.REJECTED if rejecting else FailureKind.SERVER_ERROR


def _safe(status: int, words: ErrorWords) -> UpstreamError:
    message = f"{status} with an HTML page" if words.html else safe(words.message)
    return UpstreamError(status, message, words.type, words.code, words.param)
