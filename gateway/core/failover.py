"""What happens after a failed attempt: the next candidate, or the end.

A pure decision over the kind of failure and how far the request has come; the walk carries it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from gateway.core.extras import Extras
from gateway.core.failure import FailureKind as Kind
from gateway.core.plan import Step


class Next(StrEnum):
    FAIL_OVER = "fail_over"
    FAIL_OVER_LARGER = "fail_over_larger"  # only to an endpoint with a larger context
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Progress:
    committed: bool  # the client has content
    candidates_left: int
    attempts_left: int
    seconds_left: float  # of the deadline
    budget: bool  # the retry budget grants another try


def after(kind: Kind, progress: Progress) -> Next:
    """Say what follows a failure of `kind`."""
    if progress.committed or min(progress.candidates_left, progress.attempts_left) <= 0:
        return Next.GIVE_UP
    if progress.seconds_left <= 0 or not progress.budget:
        return Next.GIVE_UP
    return cure(kind)


def cure(kind: Kind) -> Next:
    """Whether another endpoint could do better, whatever the progress."""
    match kind:
        case Kind.CONTEXT_LENGTH:
            return Next.FAIL_OVER_LARGER
        case Kind.REJECTED | Kind.CANCELLED | Kind.INTERNAL | Kind.SHUTDOWN | Kind.TOTAL_TIMEOUT:
            return Next.GIVE_UP
        case (
            Kind.UNREACHABLE | Kind.CONNECT_TIMEOUT | Kind.FIRST_TOKEN_TIMEOUT | Kind.ANSWER_TIMEOUT
            | Kind.IDLE_TIMEOUT | Kind.DISCONNECTED | Kind.TRUNCATED | Kind.MALFORMED | Kind.RATE_LIMITED
            | Kind.OVERLOADED | Kind.SERVER_ERROR | Kind.CREDENTIAL | Kind.BILLING | Kind.NOT_FOUND | Kind.TOO_LARGE
        ):  # fmt: skip
            return Next.FAIL_OVER
        case _:
            assert_never(kind)


def wanted(candidates: Sequence[Step], failed: Step, status: int | None, extras: Extras) -> list[Step]:
    """The candidates that the client wants tried, now that `failed` answered with this status.

    An endpoint that the request names is one to go on to, even where it has the same model. A failure without a status
    (no answer, a broken one) has none that the client could have left out.
    """
    rules = extras.only_after
    if rules is None or status is None:
        return list(candidates)
    again = rules.again is None or status in rules.again
    elsewhere = rules.elsewhere is None or status in rules.elsewhere
    return [step for step in candidates if (again if _same(step, failed, extras) else elsewhere)]


def _same(step: Step, failed: Step, extras: Extras) -> bool:
    return step.endpoint.model == failed.endpoint.model and step.endpoint.id not in extras.models


def maybe_billed(kind: Kind) -> bool:
    """Whether the provider may charge for an attempt that failed so: it accepted the request and did not say no."""
    return kind in {
        Kind.FIRST_TOKEN_TIMEOUT, Kind.ANSWER_TIMEOUT, Kind.IDLE_TIMEOUT, Kind.TOTAL_TIMEOUT, Kind.DISCONNECTED,
        Kind.TRUNCATED, Kind.MALFORMED, Kind.CANCELLED, Kind.INTERNAL, Kind.SHUTDOWN,
    }  # fmt: skip


def turn_s(deadline_left_s: float, candidates_left: int) -> float:
    """Longest time one attempt may have of what is left until the deadline: never so long that no other gets a turn.

    Args:
        deadline_left_s: what is left until the request's deadline.
        candidates_left: endpoints that could still be tried after this one.
    """
    return max(0.0, deadline_left_s / 2 if candidates_left > 0 else deadline_left_s)
