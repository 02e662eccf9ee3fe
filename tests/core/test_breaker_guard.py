"""One live breaker: the error rate, late news, and the proof by live traffic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import Blame, Breaker, BreakerRules, Guard, State, blame
from gateway.core.failure import FailureKind
from gateway.core.window import NOTHING, Counts

RULES = BreakerRules()
CLIENT_MADE = [kind for kind in FailureKind if blame(kind) is Blame.NONE]


def play(guard: Guard, at_s: float, story: str) -> Guard:
    """One attempt per letter: (s)uccess, (f)ailure, (t)hrottled, (n)obody's fault."""
    for letter in story:
        generation = guard.enter_anyway(at_s)
        if letter == "s":
            guard.succeeded(generation, at_s)
        else:
            guard.failed(generation, {"f": Blame.FAILURE, "t": Blame.RATE_ONLY, "n": Blame.NONE}[letter], at_s)
    return guard


def test_opens_on_the_error_rate_once_there_are_enough_requests() -> None:
    assert play(Guard(RULES), 10.0, "ssssf" * 3 + "ssss").breaker.state is State.CLOSED
    assert play(Guard(RULES), 10.0, "ssssf" * 4).breaker == Breaker(
        State.OPEN, since_s=10.0, generation=1, open_for_s=30.0
    )


def test_stays_closed_below_the_error_rate() -> None:
    assert play(Guard(RULES), 10.0, "sssssssssf" * 10).breaker.state is State.CLOSED


def test_counts_only_the_window() -> None:
    guard = play(Guard(RULES), 10.0, "ssssf" * 3)

    assert play(guard, 50.0, "ssssf").breaker.state is State.CLOSED
    assert guard.counts(50.0) == Counts(ok=4, failed=1)


def test_opens_on_the_rate_of_429s_but_not_on_their_row() -> None:
    assert play(Guard(RULES), 10.0, "t" * 19).breaker.state is State.CLOSED
    assert play(Guard(RULES), 10.0, "t" * 20).breaker.state is State.OPEN


def test_leaves_a_single_429_without_consequence() -> None:
    assert play(Guard(RULES), 10.0, "t").breaker == Breaker()


@pytest.mark.parametrize("blamed", [Blame.ENDPOINT, Blame.PROVIDER])
def test_opens_at_once_where_a_repetition_cannot_cure_it(blamed: Blame) -> None:
    guard = Guard(RULES)
    guard.failed(guard.enter_anyway(1.0), blamed, 1.0)

    assert guard.standing(1.0) is State.OPEN


def test_judges_no_failure_twice() -> None:
    guard = play(Guard(RULES), 10.0, "ssssf" * 4)
    assert guard.counts(10.0) == NOTHING

    play(guard, 41.0, "s")

    assert guard.breaker.state is State.CLOSED
    assert play(guard, 41.0, "f").breaker.state is State.CLOSED


def test_refuses_while_open_and_hands_out_one_trial_afterwards() -> None:
    guard = play(Guard(RULES), 0.0, "fffff")

    assert guard.enter(29.0) is None
    assert guard.enter(30.0) == 2
    assert guard.enter(30.0) is None
    assert guard.enter_anyway(30.0) == 2


def test_ignores_the_end_of_attempts_from_before_a_change() -> None:
    guard = Guard(RULES)
    old = guard.enter_anyway(0.0)
    play(guard, 0.0, "fffff")
    trial = guard.enter(30.0)

    guard.failed(old, Blame.FAILURE, 31.0)
    guard.succeeded(old, 31.0)
    assert guard.breaker.state is State.HALF_OPEN

    assert trial is not None
    guard.succeeded(trial, 32.0)
    assert guard.breaker == Breaker(State.CLOSED, since_s=32.0, generation=3)


def test_closes_on_the_success_of_an_attempt_made_although_open() -> None:
    guard = play(Guard(RULES), 0.0, "fffff")

    assert play(guard, 5.0, "s").breaker.state is State.CLOSED


def test_is_proven_by_three_successes_within_thirty_seconds() -> None:
    guard = play(Guard(RULES), 0.0, "s")
    assert not play(guard, 10.0, "s").proven(10.0)

    assert play(guard, 30.0, "s").proven(30.0)
    assert not guard.proven(30.1)


@pytest.mark.parametrize("failure", ["f", "t"])
def test_is_not_proven_with_a_failure_between(failure: str) -> None:
    assert not play(Guard(RULES), 10.0, f"ss{failure}s").proven(10.0)


def test_stays_proven_through_what_blames_nobody() -> None:
    assert play(Guard(RULES), 10.0, "ssns").proven(10.0)


@given(st.lists(st.tuples(st.sampled_from(CLIENT_MADE), st.floats(0, 10)), max_size=60))
def test_never_opens_on_what_the_client_or_the_gateway_made(history: list[tuple[FailureKind, float]]) -> None:
    guard, now_s = Guard(BreakerRules(failures=1, min_requests=1, error_rate=0.01)), 0.0
    for kind, wait_s in history:
        now_s += wait_s
        guard.failed(guard.enter_anyway(now_s), blame(kind), now_s)

    assert guard.breaker == Breaker()
    assert guard.counts(now_s) == NOTHING


@given(st.lists(st.tuples(st.sampled_from("sftn."), st.floats(0, 40)), max_size=80))
def test_always_lets_a_trial_through_in_the_end(history: list[tuple[str, float]]) -> None:
    guard, now_s = Guard(BreakerRules(open_for_s=10, open_for_max_s=100)), 0.0
    for letter, wait_s in history:
        now_s += wait_s
        if guard.enter(now_s) is not None and letter != ".":  # "." never reports
            play(guard, now_s, letter)

    assert guard.enter(now_s + 100.0) is not None
