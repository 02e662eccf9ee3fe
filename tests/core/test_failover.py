"""What follows a failed attempt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failover import Next, Progress, after, cure, maybe_billed, turn_s
from gateway.core.failure import FailureKind as Kind

FRESH = Progress(committed=False, candidates_left=2, attempts_left=2, seconds_left=10.0, budget=True)
FINAL = {Kind.REJECTED, Kind.CANCELLED, Kind.INTERNAL, Kind.SHUTDOWN, Kind.TOTAL_TIMEOUT}


@pytest.mark.parametrize("kind", list(Kind))
def test_another_endpoint_may_cure_all_but_the_clients_own_faults_and_the_end_of_time(kind: Kind) -> None:
    larger = Next.FAIL_OVER_LARGER if kind is Kind.CONTEXT_LENGTH else Next.FAIL_OVER
    assert after(kind, FRESH) == cure(kind) == (Next.GIVE_UP if kind in FINAL else larger)


@pytest.mark.parametrize(
    "progress",
    [
        replace(FRESH, committed=True),
        replace(FRESH, candidates_left=0),
        replace(FRESH, attempts_left=0),
        replace(FRESH, seconds_left=0.0),
        replace(FRESH, budget=False),
    ],
)
def test_gives_up_where_nothing_more_can_be_tried(progress: Progress) -> None:
    assert after(Kind.SERVER_ERROR, progress) is Next.GIVE_UP


@given(st.sampled_from(Kind), st.integers(0, 5), st.integers(0, 5), st.floats(-1, 100), st.booleans())
def test_never_fails_over_after_the_commit_point(
    kind: Kind, candidates: int, attempts: int, seconds: float, budget: bool
) -> None:
    assert after(kind, Progress(True, candidates, attempts, seconds, budget)) is Next.GIVE_UP


def test_bills_nothing_where_the_provider_saw_no_request_or_said_no() -> None:
    unbilled = {
        Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT, Kind.RATE_LIMITED, Kind.OVERLOADED, Kind.SERVER_ERROR, Kind.CREDENTIAL,
        Kind.BILLING, Kind.NOT_FOUND, Kind.TOO_LARGE, Kind.CONTEXT_LENGTH, Kind.REJECTED,
    }  # fmt: skip
    assert {kind for kind in Kind if not maybe_billed(kind)} == unbilled


@pytest.mark.parametrize(("left_s", "candidates", "turn"), [(10.0, 0, 10.0), (10.0, 1, 5.0), (-1.0, 0, 0.0)])
def test_leaves_time_for_another_candidate(left_s: float, candidates: int, turn: float) -> None:
    assert turn_s(left_s, candidates) == turn
