"""From eligible endpoints to the order in which they are tried."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.catalog import Endpoint
from gateway.core.extras import MaxPrice
from gateway.core.plan import Health, Ill, Ordered, Sizes, Step, Wishes, affordable, order, useful_output
from gateway.core.policy import Objective
from gateway.core.pricing import Price, upper_bound_usd
from tests.support.builders import EPOCH_S, a_price, an_endpoint

SIZES = Sizes(input=1_000, output=500, input_bound=5_000)
REASONING = frozenset({"reasoning"})


def wishes(objective: Objective = Objective.COST, session: str = "s", **fields: Any) -> Wishes:
    return Wishes(objective=objective, session=session, at_s=EPOCH_S, **fields)


def ordered(
    prices: Mapping[str, Price | None], wished: Wishes | None = None, health: Health | None = None,
    sizes: Sizes = SIZES, **endpoint: Any,
) -> Ordered:  # fmt: skip
    eligible = [an_endpoint(name, **endpoint) for name in prices]
    return order(eligible, prices, sizes, health or Health(), wished or wishes())


def names(steps: tuple[Step, ...]) -> list[str]:
    return [step.endpoint.id for step in steps]


def test_orders_by_what_this_very_request_would_cost() -> None:
    prices = {"a/dear-output": a_price(1.0, 10.0), "b/dear-input": a_price(3.0, 3.0), "c/unknown": None}
    found = ordered(prices)
    assert found == Ordered(
        steps=(
            Step(an_endpoint("b/dear-input"), pytest.approx(0.0045)),
            Step(an_endpoint("a/dear-output"), pytest.approx(0.006)),
            Step(an_endpoint("c/unknown"), None),
        ),
        ill=(),
        excluded={},
    )
    longer = Sizes(input=100_000, output=500, input_bound=500_000)
    assert names(ordered(prices, sizes=longer).steps) == ["a/dear-output", "b/dear-input", "c/unknown"]


def test_excludes_what_the_prompt_does_not_fit_into() -> None:
    assert ordered({"a/m": a_price()}, context=1_000).excluded == {"a/m": "context"}
    assert ordered({"a/m": a_price()}, context=1_001).excluded == {}
    assert ordered({"a/m": a_price()}, context=None).excluded == {}


@pytest.mark.parametrize(
    ("limit", "price", "within"),
    [
        (MaxPrice(input=1.0), a_price(1.0), True),
        (MaxPrice(input=0.9), a_price(1.0), False),
        (MaxPrice(output=3.9), a_price(1.0), False),
        (MaxPrice(request=0.0), a_price(1.0), True),
        (MaxPrice(request=0.0), a_price(1.0, per_request=0.01), False),
        (MaxPrice(), None, False),
    ],
)
def test_keeps_to_the_highest_price_accepted(limit: MaxPrice, price: Price | None, within: bool) -> None:
    assert ordered({"a/m": price}, wishes(max_price=limit)).excluded == ({} if within else {"a/m": "price"})


def test_says_the_lowest_estimate_of_those_that_only_the_cost_limit_excludes() -> None:
    prices = {"a/m": a_price(10.0), "b/m": a_price(20.0), "c/unknown": None}
    found = ordered(prices, wishes(budget_usd=0.001))
    assert found.excluded == {"a/m": "cost_limit", "b/m": "cost_limit", "c/unknown": "cost_limit"}
    assert found.lowest_usd == pytest.approx((5_000 * 10 + 256 * 40) / 1e6)  # the bound, where it is above the estimate
    roomy = Sizes(input=1_000, output=2_000, input_bound=1_000)
    assert ordered(prices, wishes(budget_usd=0.001), sizes=roomy).lowest_usd == pytest.approx(0.09)


@pytest.mark.parametrize("max_tokens", [None, 5, 100_000])
def test_the_lowest_estimate_is_a_limit_that_would_do(max_tokens: int | None) -> None:
    prices = {"a/m": a_price(10.0), "b/m": a_price(0.7, per_request=0.1)}
    found = ordered(prices, wishes(budget_usd=1e-6, max_tokens=max_tokens))
    assert found.lowest_usd is not None
    steps = ordered(prices, wishes(budget_usd=found.lowest_usd, max_tokens=max_tokens)).steps
    assert names(steps) == ["a/m"]


def test_no_limit_would_do_where_the_input_has_no_bound() -> None:
    unbounded = Sizes(input=1000, output=500, input_bound=None)
    assert ordered({"a/m": a_price(10.0)}, wishes(budget_usd=1.0), sizes=unbounded).lowest_usd is None


def test_sets_the_ill_apart_the_least_bad_first() -> None:
    health = Health({"a/m": Ill("breaker_open", badness=3.0), "b/m": Ill("rate_limited", 7.0, badness=2.0)})
    found = ordered({"a/m": a_price(), "b/m": a_price(), "c/m": a_price()}, health=health)
    assert (names(found.steps), names(found.ill)) == (["c/m"], ["b/m", "a/m"])
    assert found.excluded == {"a/m": "breaker_open", "b/m": "rate_limited"}


def test_does_not_call_ill_what_is_excluded_anyway() -> None:
    health = Health({"a/m": Ill("breaker_open")})
    found = ordered({"a/m": a_price(1_000.0)}, wishes(budget_usd=0.001), health)
    assert (found.ill, found.excluded) == ((), {"a/m": "cost_limit"})


# -- cost promises ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("caps", "tokens"), [(frozenset(), 256), (REASONING, 2_048)])
def test_knows_how_few_tokens_are_useless(caps: frozenset[str], tokens: int) -> None:
    assert useful_output(an_endpoint(caps=caps)) == tokens


def bought(endpoint: Endpoint, tokens: int, sizes: Sizes = SIZES, **wished: Any) -> int | None:
    """What a budget buys that pays for exactly so many output tokens in all."""
    price = a_price()
    budget = upper_bound_usd(price, sizes.input_bound or 0, tokens, EPOCH_S) + 1e-12
    return affordable(endpoint, price, sizes, wishes(**wished), budget)


@pytest.mark.parametrize(
    ("caps", "tokens", "wished", "cap"),
    [
        (frozenset(), 256, {}, 256),
        (frozenset(), 255, {}, None),
        (REASONING, 2_047, {}, None),
        (REASONING, 2_048, {}, 2_048),
        (frozenset(), 10, {"max_tokens": 10}, 10),
        (frozenset(), 9, {"max_tokens": 10}, None),
        (frozenset(), 300, {"max_tokens": 10}, 300),
    ],
)
def test_buys_a_useful_answer_or_none(
    caps: frozenset[str], tokens: int, wished: dict[str, int], cap: int | None
) -> None:
    assert bought(an_endpoint(caps=caps), tokens, **wished) == cap


def test_shares_the_budget_among_the_choices_asked_for() -> None:
    three = Sizes(input=1_000, output=500, input_bound=5_000, choices=3)
    assert (bought(an_endpoint(), 900, three), bought(an_endpoint(), 767, three)) == (300, None)


def test_promises_nothing_without_a_price_or_a_bound() -> None:
    boundless = Sizes(input=1_000, output=500, input_bound=None)
    assert affordable(an_endpoint(), None, SIZES, wishes(), 1.0) is None
    assert affordable(an_endpoint(), a_price(), boundless, wishes(), 1.0) is None


@pytest.mark.parametrize(("budget_usd", "cap"), [(0.005, 0), (0.0049, None)])
def test_pays_for_embeddings_by_their_input_alone(budget_usd: float, cap: int | None) -> None:
    embed = Sizes(input=1_000, output=0, input_bound=5_000)
    assert affordable(an_endpoint(), a_price(), embed, wishes(), budget_usd) == cap


# -- other objectives ------------------------------------------------------------------------------------------------

THREE = {"a/m": a_price(3.0), "b/m": a_price(2.0), "c/m": a_price(1.0)}
FAST = Health(ttft_p95_ms={"a/m": 100.0, "b/m": 300.0, "c/m": 2_000.0}, total_p50_ms={"b/m": 50.0})


@pytest.mark.parametrize(
    ("wished", "plan"),
    [
        (wishes(Objective.COST), ["c/m", "b/m", "a/m"]),
        (wishes(Objective.LATENCY), ["a/m", "b/m", "c/m"]),
        (wishes(Objective.BALANCED), ["a/m", "b/m", "c/m"]),
        (wishes(first_token_p95_ms=1_500.0), ["b/m", "a/m", "c/m"]),
        (wishes(by_throughput=True), ["b/m", "c/m", "a/m"]),
        (wishes(prefer=("a", "b/m")), ["a/m", "b/m", "c/m"]),
    ],
)
def test_orders_as_wished(wished: Wishes, plan: list[str]) -> None:
    assert names(ordered(THREE, wished, FAST).steps) == plan


def test_prefers_among_equally_fast_ones_the_cheaper() -> None:
    assert names(ordered(THREE, wishes(Objective.LATENCY)).steps) == ["c/m", "b/m", "a/m"]


def test_gives_a_newcomer_without_samples_a_neutral_place() -> None:  # cases.md P2
    health = Health(ttft_p95_ms={"a/m": 300.0, "c/m": 2_000.0})
    assert names(ordered(THREE, wishes(Objective.LATENCY), health).steps) == ["a/m", "b/m", "c/m"]


def test_balances_free_endpoints_too() -> None:
    prices = {"a/m": a_price(0.0), "b/m": a_price(1.0)}
    assert names(ordered(prices, wishes(Objective.BALANCED)).steps) == ["a/m", "b/m"]


def test_balances_by_speed_alone_where_no_price_is_known() -> None:
    assert names(ordered(dict.fromkeys(THREE), wishes(Objective.BALANCED), FAST).steps) == ["a/m", "b/m", "c/m"]


# -- sessions --------------------------------------------------------------------------------------------------------

EQUAL = {f"{letter}/m": a_price(1.0) for letter in "abcdef"}


def home(session: str, prices: Mapping[str, Price | None] = EQUAL, **fields: Any) -> str:
    return names(ordered(prices, wishes(session=session), **fields).steps)[0]


def test_spreads_sessions_over_nearly_equal_endpoints_and_keeps_each_where_it_is() -> None:
    near = {**EQUAL, "a/m": a_price(1.04), "z/dear": a_price(1.06)}
    homes = {f"s{n}": home(f"s{n}", near) for n in range(300)}
    assert {*homes.values()} == set(EQUAL)
    assert homes == {session: home(session, near) for session in homes}


def test_moves_only_the_sessions_of_an_endpoint_that_leaves() -> None:
    left = {name: price for name, price in EQUAL.items() if name != "c/m"}
    for n in range(300):
        before = home(f"s{n}")
        assert home(f"s{n}", left) == before or before == "c/m"


def test_lets_the_warm_cache_of_the_home_decide() -> None:
    """At full price `b` is dearer than near; with what its cache saves it is the cheapest."""
    cached = a_price(1.0, cached_input=0.1)
    prices = {"a/m": a_price(0.97), "b/m": cached}
    session = next(s for s in map(str, range(100)) if home(s, prices) == "b/m")
    later = Sizes(input=20_000, output=500, input_bound=90_000, cached_if_home=19_000, opening_input=1_000,
                  opening_output=500)  # fmt: skip
    found = ordered(prices, wishes(session=session), sizes=later)
    assert [(step.endpoint.id, step.estimate_usd) for step in found.steps] == [
        ("b/m", pytest.approx(1_000e-6 + 19_000e-7 + 500 * 4e-6)),
        ("a/m", pytest.approx(20_500e-6 * 0.97 + 1_500e-6 * 0.97)),
    ]


def test_judges_the_home_by_the_first_request_however_long_the_conversation_grew() -> None:
    """Output prices decide short requests, input prices long ones; the home stays where the first request went."""
    prices = {"a/m": a_price(1.0, 1.0, cached_input=0.1), "b/m": a_price(0.9, 4.0, cached_input=0.1)}
    first = Sizes(input=100, output=500, input_bound=500)
    later = Sizes(input=11_000, output=100, input_bound=60_000, cached_if_home=10_900, opening_input=100,
                  opening_output=500)  # fmt: skip
    assert home("s", prices, sizes=first) == "a/m"
    assert home("s", prices, sizes=later) == "a/m"


def test_judges_the_home_by_the_answer_that_the_first_request_expected() -> None:
    prices = {"a/m": a_price(1.0, 1.0, cached_input=0.1), "b/m": a_price(0.1, 1.5)}
    later = Sizes(input=11_000, output=100, input_bound=60_000, cached_if_home=10_900, opening_input=100,
                  opening_output=500)  # fmt: skip
    assert home("s", prices, sizes=Sizes(input=100, output=500, input_bound=500)) == "a/m"
    assert home("s", prices, sizes=later) == "a/m"


def test_looks_for_the_home_among_the_tier_of_the_first_request() -> None:
    small, large = an_endpoint("a/small", tier=0), an_endpoint("b/large", tier=2)
    prices = {"a/small": a_price(1.0, cached_input=0.1), "b/large": a_price(1.04, cached_input=0.1)}
    later = Sizes(input=9_000, output=100, input_bound=60_000, cached_if_home=8_000, opening_input=500,
                  opening_output=100)  # fmt: skip
    found = order([small, large], prices, later, Health(), wishes(home_tier=2))
    assert names(found.steps) == ["b/large", "a/small"]
    nowhere = order([small], prices, later, Health(), wishes(home_tier=2))
    assert names(nowhere.steps) == ["a/small"]


def test_keeps_sessions_at_home_among_endpoints_of_unknown_price() -> None:
    unknown: dict[str, Price | None] = dict.fromkeys(EQUAL)
    later = Sizes(input=9_000, output=100, input_bound=None, cached_if_home=8_000, opening_input=500)
    assert len({home(f"s{n}", unknown, sizes=later) for n in range(100)}) == len(unknown)


def test_falls_to_the_cheapest_where_the_home_has_become_too_dear() -> None:
    prices = {"a/m": a_price(1.0, 1.0), "b/m": a_price(0.5, 4.0)}
    later = Sizes(input=100_000, output=100, input_bound=600_000, cached_if_home=0, opening_input=100,
                  opening_output=500)  # fmt: skip
    assert home("s", prices, sizes=later) == "b/m"
