"""Why the gateway itself says no, as a type. Statuses and error shapes belong to `gateway.web.faults`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RefusalKind(StrEnum):
    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED = "unauthorized"
    COST_LIMIT = "cost_limit"
    MODEL_NOT_FOUND = "model_not_found"
    TOO_LARGE = "too_large"
    NO_ELIGIBLE_ENDPOINT = "no_eligible_endpoint"
    RATE_LIMITED = "rate_limited"
    ALL_ATTEMPTS_FAILED = "all_attempts_failed"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True)
class Refusal:
    kind: RefusalKind
    message: str  # says what to do
    param: str | None = None
    retry_after_s: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)  # shown to the client under `metadata`


class Refused(Exception):
    """The request ends here; carries the `Refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
