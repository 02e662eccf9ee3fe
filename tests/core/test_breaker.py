"""The state machine, event by event, and under any history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import Blame, Breaker, BreakerRules, Event, State, blame, standing, step
from gateway.core.failure import FailureKind

RULES = BreakerRules()


def after(*events: tuple[float, Event], rules: BreakerRules = RULES, start: Breaker | None = None) -> Breaker:
    breaker = start or Breaker()
    for now_s, event in events:
        breaker = step(breaker, event, now_s, rules)
    return breaker


def an_open_one(at_s: float = 0.0) -> Breaker:
    return after((at_s, Event.BROKE))


def test_opens_after_five_failures_in_a_row() -> None:
    assert after(*[(1.0, Event.FAILED)] * 4) == Breaker(row=4)
    assert after(*[(1.0, Event.FAILED)] * 5) == Breaker(State.OPEN, since_s=1.0, generation=1, row=5, open_for_s=30.0)


def test_begins_the_row_anew_after_a_success() -> None:
    assert after(*[(1.0, Event.FAILED)] * 4, (2.0, Event.SUCCEEDED), *[(3.0, Event.FAILED)] * 4) == Breaker(row=4)


def test_neither_counts_nor_ends_the_row_on_a_429_or_on_what_blames_nobody() -> None:
    mixed = [(1.0, Event.FAILED), (1.0, Event.THROTTLED), (1.0, Event.ENDED), (1.0, Event.ENTERED)]

    assert after(*mixed * 3) == Breaker(row=3)


def test_opens_at_once_where_a_repetition_cannot_cure_it() -> None:
    assert after((7.0, Event.BROKE)) == Breaker(State.OPEN, since_s=7.0, generation=1, open_for_s=30.0)


def test_lets_nobody_through_until_its_time_is_over() -> None:
    breaker = an_open_one(100.0)

    assert breaker.retry_at_s == 130.0
    assert standing(breaker, 129.9, RULES) is State.OPEN
    assert standing(breaker, 130.0, RULES) is State.HALF_OPEN


def test_lets_one_trial_through_at_a_time() -> None:
    trying = after((30.0, Event.ENTERED), start=an_open_one())

    assert trying == Breaker(State.HALF_OPEN, since_s=30.0, generation=2, open_for_s=30.0, trials_until_s=(60.0,))
    assert standing(trying, 31.0, RULES) is State.OPEN


def test_lets_as_many_trials_through_as_the_rules_say() -> None:
    rules = BreakerRules(half_open_probes=2)
    one = after((30.0, Event.ENTERED), start=an_open_one(), rules=rules)
    two = step(one, Event.ENTERED, 31.0, rules)

    assert standing(one, 31.0, rules) is State.HALF_OPEN
    assert standing(two, 31.0, rules) is State.OPEN
    assert two.trials_until_s == (60.0, 61.0)


def test_gives_up_a_trial_that_never_reports() -> None:
    trying = after((30.0, Event.ENTERED), start=an_open_one())

    assert standing(trying, 59.9, RULES) is State.OPEN
    assert standing(trying, 60.0, RULES) is State.HALF_OPEN
    assert step(trying, Event.ENTERED, 60.0, RULES).trials_until_s == (90.0,)


def test_takes_back_a_trial_that_blames_nobody() -> None:
    trying = after((30.0, Event.ENTERED), (31.0, Event.ENDED), start=an_open_one())

    assert trying.trials_until_s == ()
    assert standing(trying, 31.0, RULES) is State.HALF_OPEN


def test_closes_when_a_trial_succeeds_and_forgets_how_long_it_was_open() -> None:
    closed = after((30.0, Event.ENTERED), (31.0, Event.SUCCEEDED), start=an_open_one())

    assert closed == Breaker(State.CLOSED, since_s=31.0, generation=3)
    assert step(closed, Event.BROKE, 40.0, RULES).open_for_s == 30.0


@pytest.mark.parametrize("verdict", [Event.FAILED, Event.THROTTLED, Event.BROKE])
def test_stays_open_twice_as_long_after_each_failed_trial_up_to_the_maximum(verdict: Event) -> None:
    breaker, lengths = an_open_one(), []
    for _ in range(6):
        lengths.append(breaker.open_for_s)
        breaker = after((breaker.retry_at_s, Event.ENTERED), (breaker.retry_at_s, verdict), start=breaker)

    assert lengths == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0]


def test_counts_a_failed_trial_in_the_row_but_not_a_throttled_one() -> None:
    trying = after((30.0, Event.ENTERED), start=an_open_one())

    assert step(trying, Event.FAILED, 31.0, RULES).row == 1
    assert step(trying, Event.THROTTLED, 31.0, RULES).row == 0


def test_closes_on_a_success_although_open() -> None:
    assert after((5.0, Event.SUCCEEDED), start=an_open_one()) == Breaker(State.CLOSED, since_s=5.0, generation=2)


@pytest.mark.parametrize("event", [Event.FAILED, Event.THROTTLED, Event.BROKE, Event.ENDED])
def test_waits_no_longer_for_failing_although_open(event: Event) -> None:
    assert after((5.0, event), start=an_open_one()) == an_open_one()


def test_blames_each_kind_of_failure_as_the_contract_says() -> None:
    by_blame = {blamed: {kind for kind in FailureKind if blame(kind) is blamed} for blamed in Blame}

    assert by_blame.pop(Blame.FAILURE) == {
        FailureKind.UNREACHABLE,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.FIRST_TOKEN_TIMEOUT,
        FailureKind.ANSWER_TIMEOUT,
        FailureKind.IDLE_TIMEOUT,
        FailureKind.DISCONNECTED,
        FailureKind.TRUNCATED,
        FailureKind.MALFORMED,
        FailureKind.OVERLOADED,
        FailureKind.SERVER_ERROR,
    }
    assert by_blame == {
        Blame.RATE_ONLY: {FailureKind.RATE_LIMITED},
        Blame.ENDPOINT: {FailureKind.NOT_FOUND},
        Blame.PROVIDER: {FailureKind.CREDENTIAL, FailureKind.BILLING},
        Blame.NONE: {
            FailureKind.REJECTED,
            FailureKind.CONTEXT_LENGTH,
            FailureKind.TOO_LARGE,
            FailureKind.CANCELLED,
            FailureKind.INTERNAL,
            FailureKind.SHUTDOWN,
            FailureKind.TOTAL_TIMEOUT,
        },
    }


ANY_RULES = st.builds(
    BreakerRules,
    failures=st.integers(1, 5),
    window_s=st.floats(1, 60),
    error_rate=st.floats(0.05, 1),
    min_requests=st.integers(1, 20),
    open_for_s=st.floats(1, 60),
    open_for_max_s=st.floats(60, 600),
    half_open_probes=st.integers(1, 3),
)
ANY_HISTORY = st.lists(st.tuples(st.floats(0, 100), st.sampled_from(Event)), max_size=40)


@given(ANY_RULES, ANY_HISTORY)
def test_keeps_its_promises_after_any_history(rules: BreakerRules, history: list[tuple[float, Event]]) -> None:
    breaker, now_s = Breaker(), 0.0
    for wait_s, event in history:
        now_s += wait_s
        if event is Event.ENTERED and standing(breaker, now_s, rules) is State.OPEN:
            continue
        before, breaker = breaker, step(breaker, event, now_s, rules)

        assert breaker.generation == before.generation + (breaker.state is not before.state)
        assert 0.0 <= breaker.open_for_s <= rules.open_for_max_s
        assert sum(until_s > now_s for until_s in breaker.trials_until_s) <= rules.half_open_probes
        if breaker.state is State.OPEN is not before.state:
            assert breaker.open_for_s >= rules.open_for_s

    later_s = now_s + rules.open_for_max_s
    assert standing(breaker, later_s, rules) is not State.OPEN, "a trial is always let through in the end"
    tried = step(step(breaker, Event.ENTERED, later_s, rules), Event.SUCCEEDED, later_s, rules)
    assert (tried.state, tried.row) == (State.CLOSED, 0)
