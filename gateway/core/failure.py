"""Why one attempt failed, as a type.

Owns the vocabulary of failures. Foreign exceptions, statuses and error bodies are translated into a `FailureKind`
once, at the edge that saw them (`upstream` for sockets, `formats` for bodies); from there on nobody reads a message
to decide anything.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class FailureKind(StrEnum):
    """What went wrong with one attempt; the value is the word used in records, logs and metrics."""

    UNREACHABLE = "unreachable"  # DNS, refused, TLS: the upstream saw no request
    CONNECT_TIMEOUT = "connect_timeout"  # as above, after waiting
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a word, not a secret: headers or pings perhaps, but no content in time
    ANSWER_TIMEOUT = "answer_timeout"  # a whole reply did not come in time
    IDLE_TIMEOUT = "idle_timeout"  # the stream fell silent
    TOTAL_TIMEOUT = "total_timeout"  # the request's own total limit ran out
    DISCONNECTED = "disconnected"  # the upstream closed before it answered
    TRUNCATED = "truncated"  # the answer began and never ended
    MALFORMED = "malformed"  # bytes that are not the wire format (HTML pages, broken JSON, endless lines)
    RATE_LIMITED = "rate_limited"  # 429
    OVERLOADED = "overloaded"  # 425, 503, 529
    SERVER_ERROR = "server_error"  # 408, other 5xx
    CREDENTIAL = "credential"  # 401, 403: our key is at fault
    BILLING = "billing"  # 402 and billing codes: our balance is at fault
    NOT_FOUND = "not_found"  # 404: our mapping is at fault
    TOO_LARGE = "too_large"  # 413
    CONTEXT_LENGTH = "context_length"  # 400 because the prompt does not fit
    REJECTED = "rejected"  # another 400-class answer: the client's request is at fault
    CANCELLED = "cancelled"  # the client left; blames nobody
    INTERNAL = "internal"  # the gateway's own fault; blames nobody
    SHUTDOWN = "shutdown"  # the gateway ended before the answer did; blames nobody


@dataclass(frozen=True, slots=True)
class UpstreamError:
    """A provider's own words about a failure, made safe: never HTML, never a key, at most 2,000 characters."""

    status: int
    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed, with all that the next step needs to know."""

    kind: FailureKind
    message: str  # for people: what happened, in one sentence, safe to show
    status: int | None = None  # the upstream's HTTP status, where one was seen
    retry_after_s: float | None = None  # the horizon the provider gave
    error: UpstreamError | None = field(default=None)  # the provider's body, where it had one


class AttemptError(Exception):
    """One attempt failed; carries the `Failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure
