"""What follows a failed attempt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.extras import NO_EXTRAS, Extras, OnlyAfter
from gateway.core.failover import Next, Progress, after, cure, maybe_billed, turn_s, wanted
from gateway.core.failure import FailureKind as Kind
from tests.support.builders import a_step

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


AGAIN, NAMED, OTHER = a_step("beta/m"), a_step("gamma/m"), a_step("beta/n")
BOTH = OnlyAfter(again=frozenset({429}), elsewhere=frozenset({429, 503}))


@pytest.mark.parametrize(
    ("only_after", "status", "left"),
    [
        (None, 500, [AGAIN, NAMED, OTHER]),
        (BOTH, 429, [AGAIN, NAMED, OTHER]),
        (BOTH, 503, [NAMED, OTHER]),
        (BOTH, 500, []),
        (BOTH, None, [AGAIN, NAMED, OTHER]),
        (OnlyAfter(again=frozenset({429})), 500, [NAMED, OTHER]),
        (OnlyAfter(elsewhere=frozenset({429})), 500, [AGAIN]),
    ],
)
def test_goes_on_only_after_the_statuses_that_the_client_named(
    only_after: OnlyAfter | None, status: int | None, left: list[object]
) -> None:
    extras = Extras(models=("gamma/m", "n"), only_after=only_after)
    assert wanted([AGAIN, NAMED, OTHER], a_step("alpha/m"), status, extras) == left


def test_goes_on_after_any_status_where_none_was_named() -> None:
    assert wanted([AGAIN], a_step("alpha/m"), 500, NO_EXTRAS) == [AGAIN]


def test_bills_nothing_where_the_provider_saw_no_request_or_said_no() -> None:
    unbilled = {
        Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT, Kind.RATE_LIMITED, Kind.OVERLOADED, Kind.SERVER_ERROR, Kind.CREDENTIAL,
        Kind.BILLING, Kind.NOT_FOUND, Kind.TOO_LARGE, Kind.CONTEXT_LENGTH, Kind.REJECTED,
    }  # fmt: skip
    assert {kind for kind in Kind if not maybe_billed(kind)} == unbilled


@pytest.mark.parametrize(("left_s", "candidates", "turn"), [(10.0, 0, 10.0), (10.0, 1, 5.0), (-1.0, 0, 0.0)])
def test_leaves_time_for_another_candidate(left_s: float, candidates: int, turn: float) -> None:
    assert turn_s(left_s, candidates) == turn
