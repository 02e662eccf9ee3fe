"""Invariants of the order, for any catalog, prices, health and wishes."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.catalog import Endpoint
from gateway.core.extras import MaxPrice
from gateway.core.plan import NEAR, Health, Ill, Sizes, Wishes, order
from gateway.core.policy import Objective
from gateway.core.pricing import Price, upper_bound_usd
from tests.support.builders import EPOCH_S, a_price, an_endpoint


@dataclass(frozen=True)
class Case:
    endpoints: list[Endpoint]
    prices: dict[str, Price | None]
    health: Health
    sizes: Sizes
    wishes: Wishes


ILLS = st.none() | st.builds(Ill, st.sampled_from(["breaker_open", "rate_limited"]), badness=st.floats(0, 5))
PRICES = st.none() | st.builds(
    a_price, st.floats(0, 100), st.floats(0, 100), cached_input=st.none() | st.floats(0, 10)
)


@st.composite
def cases(draw: st.DrawFn, objective: Objective | None = None) -> Case:
    count = draw(st.integers(0, 8))
    endpoints = [
        an_endpoint(
            f"p{n % 3}/m{n}",
            tier=draw(st.none() | st.integers(0, 2)),
            context=draw(st.none() | st.sampled_from([500, 50_000])),
        )
        for n in range(count)
    ]
    ids = [endpoint.id for endpoint in endpoints]
    ill = {name: one for name in ids if (one := draw(ILLS)) is not None}
    tokens = draw(st.integers(1, 2_000))
    later = draw(st.booleans())
    return Case(
        endpoints,
        {name: draw(PRICES) for name in ids},
        Health(ill, {name: draw(st.floats(1, 5_000)) for name in ids if draw(st.booleans())}),
        Sizes(
            input=tokens, output=draw(st.integers(0, 2_000)), input_bound=draw(st.none() | st.just(5 * tokens)),
            cached_if_home=tokens // 2 if later else 0, opening_input=10 if later else 0,
            choices=draw(st.integers(1, 3)),
        ),
        Wishes(
            objective=objective or draw(st.sampled_from(Objective)),
            session=draw(st.text(max_size=3)),
            at_s=EPOCH_S,
            first_token_p95_ms=None if objective else draw(st.none() | st.just(800.0)),
            budget_usd=draw(st.none() | st.floats(1e-6, 1.0)),
            max_price=draw(st.none() | st.builds(MaxPrice, st.none() | st.floats(0, 100))),
            max_tokens=draw(st.none() | st.integers(1, 4_000)),
            prefer=() if objective else tuple(draw(st.lists(st.sampled_from(["p0", "p1", "p0/m0"]), max_size=2))),
            home_tier=draw(st.integers(0, 2)),
        ),
    )  # fmt: skip


@given(cases())
def test_puts_every_endpoint_in_one_place_and_names_a_reason_for_each_that_is_not_in_the_plan(case: Case) -> None:
    found = order(case.endpoints, case.prices, case.sizes, case.health, case.wishes)
    planned = [step.endpoint.id for step in found.steps]
    assert sorted([*planned, *found.excluded]) == sorted(endpoint.id for endpoint in case.endpoints)
    assert {step.endpoint.id for step in found.ill} <= set(found.excluded)


@given(cases())
def test_plans_no_ill_endpoint_and_none_that_breaks_a_limit(case: Case) -> None:
    found = order(case.endpoints, case.prices, case.sizes, case.health, case.wishes)
    for step in (*found.steps, *found.ill):
        endpoint, price, wishes = step.endpoint, case.prices[step.endpoint.id], case.wishes
        assert (endpoint.id in case.health.ill) == (step in found.ill)
        assert endpoint.context is None or case.sizes.input < endpoint.context
        if wishes.max_price is not None and wishes.max_price.input is not None:
            assert price is not None
            assert price.base.input <= wishes.max_price.input
        if wishes.budget_usd is not None:
            assert price is not None
            assert case.sizes.input_bound is not None
            assert upper_bound_usd(price, case.sizes.input_bound, 0, EPOCH_S) <= wishes.budget_usd


@given(cases(Objective.COST))
def test_rises_in_cost_but_for_a_nearly_equal_home(case: Case) -> None:
    found = order(case.endpoints, case.prices, case.sizes, case.health, case.wishes)
    costs = [float("inf") if step.estimate_usd is None else step.estimate_usd for step in found.steps]
    assert costs[1:] == sorted(costs[1:])
    if costs:
        assert costs[0] <= min(costs) * NEAR


@given(cases())
def test_orders_the_ill_from_the_least_bad(case: Case) -> None:
    found = order(case.endpoints, case.prices, case.sizes, case.health, case.wishes)
    badness = [case.health.ill[step.endpoint.id].badness for step in found.ill]
    assert badness == sorted(badness)
