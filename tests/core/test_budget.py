"""Extra tries: a share of the requests, with a floor."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.budget import FLOOR_PER_S, SHARE, SPAN_S, RetryBudget


def test_has_ten_a_second_where_nothing_is_asked() -> None:
    assert RetryBudget().left(1_000.0) == 100


def test_has_a_fifth_of_the_last_ten_seconds_requests() -> None:
    budget = RetryBudget()
    for _ in range(1_000):
        budget.request(1_000.0)
    assert (budget.left(1_000.0), budget.left(1_011.0)) == (200, 100)


def test_refuses_what_is_not_left_and_grants_it_again_ten_seconds_later() -> None:
    budget = RetryBudget()
    granted = [budget.take(1_000.0) for _ in range(101)]
    assert granted == [True] * 100 + [False]
    assert budget.take(1_011.0)


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=400))
def test_never_grants_more_than_the_share_in_any_ten_seconds(steps: list[tuple[float, bool]]) -> None:
    budget, now_s = RetryBudget(), 1_000.0
    requests: list[float] = []
    tries: list[float] = []
    for wait_s, is_request in steps:
        now_s += wait_s
        if is_request:
            budget.request(now_s)
            requests.append(now_s)
        elif budget.take(now_s):
            tries.append(now_s)
        recent = sum(at > now_s - SPAN_S for at in requests)
        assert sum(at > now_s - SPAN_S + 1 for at in tries) <= max(SHARE * recent, FLOOR_PER_S * SPAN_S)
