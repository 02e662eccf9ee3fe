"""A cost limit is a promise: no usage within the request's limits, and no number of attempts, breaks it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.breaker import BreakerRules
from gateway.core.catalog import REASONING, Operation
from gateway.core.failover import maybe_billed
from gateway.core.failure import FailureKind
from gateway.core.plan import Sizes, Wishes, affordable
from gateway.core.policy import Objective
from gateway.core.pricing import Override, Price, Rates, cost_usd, upper_bound_usd
from gateway.core.usage import Usage
from gateway.flow.caps import DEFAULT_MAX_OUTPUT, Unaffordable, cost_cap, max_output
from tests.support.builders import EPOCH_S, a_body, a_price, a_world, an_ask, an_endpoint
from tests.support.openai_scripts import an_answer, an_embedding, an_error
from tests.support.scripted_upstream import HANG, Asked, Script
from tests.support.virtual_time import VirtualLoop
from tests.support.walking import Walking

rates = st.builds(
    Rates, input=st.floats(0, 50), output=st.floats(0, 100), cached_input=st.none() | st.floats(0, 50),
    cache_write=st.none() | st.floats(0, 60), reasoning=st.none() | st.floats(0, 120),
    per_request=st.sampled_from([0.0, 0.001]),
)  # fmt: skip
prices = st.builds(
    Price, rates, st.lists(st.builds(Override, rates, st.sampled_from([0, 500, 100_000])), max_size=2).map(tuple)
)
FAILURES = [FailureKind.TRUNCATED, FailureKind.DISCONNECTED, FailureKind.SERVER_ERROR, FailureKind.UNREACHABLE]


@dataclass(frozen=True)
class Case:
    prices: list[Price]
    failing: list[FailureKind]
    limit_usd: float
    body: dict[str, Any]
    text: str
    split: tuple[float, float, float]  # shares of cached, written and reasoning tokens


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 4))
    fields: dict[str, Any] = {"stream": draw(st.booleans())}
    if draw(st.booleans()):
        fields["max_tokens"] = draw(st.integers(1, 5_000))
    if draw(st.booleans()):
        fields["n"] = draw(st.integers(2, 3))
    return Case(
        [draw(prices) for _ in range(count)],
        [draw(st.sampled_from(FAILURES)) for _ in range(count)],
        draw(st.sampled_from([0.0005, 0.002, 0.01, 0.05, 1.0])),
        fields,
        "x" * draw(st.integers(1, 3_000)),
        (draw(st.floats(0, 1)), draw(st.floats(0, 1)), draw(st.floats(0, 1))),
    )


def worst_bill(asked: Asked, price: Price, case: Case) -> float:
    """The most the provider can bill for the call: the request's bytes as tokens, and every output token allowed."""
    tokens = len(json.dumps(asked.body["messages"]).encode())
    cap = asked.body.get("max_tokens", 10**9) * asked.body.get("n", 1)
    cached = int(tokens * case.split[0])
    written = int((tokens - cached) * case.split[1])
    usage = Usage(tokens, cached, written, cap, int(cap * case.split[2]))
    return cost_usd(price, usage, EPOCH_S)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_all_that_may_be_billed_for_a_request_stays_within_its_limit(case: Case) -> None:
    names = [f"p{n}/m" for n in range(len(case.prices))]
    by_name = dict(zip(names, case.prices, strict=True))
    world = a_world(*names, prices=by_name, breaker=BreakerRules(failures=10**6))
    scripts: dict[str, list[Script]] = {
        name.partition("/")[0]: [[kind]] for name, kind in zip(names, case.failing, strict=True)
    }

    async def walk() -> list[Asked]:
        walking = Walking(world, scripts)
        await walking.ask(case.text, headers={"x-pointsman-max-cost": str(case.limit_usd)}, **case.body)
        return walking.upstream.calls

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        calls = runner.run(walk())
    kinds = dict(zip(names, case.failing, strict=True))
    billed = [worst_bill(one, by_name[one.endpoint], case) for one in calls if maybe_billed(kinds[one.endpoint])]
    last = worst_bill(calls[-1], by_name[calls[-1].endpoint], case) if calls else 0.0
    unbilled_last = 0.0 if not calls or maybe_billed(kinds[calls[-1].endpoint]) else last
    assert sum(billed) + unbilled_last <= case.limit_usd * (1 + 1e-9)


@pytest.mark.virtual_time
async def test_each_attempt_is_sent_with_a_cap_that_leaves_something_for_another() -> None:
    world = a_world("alpha/m", "beta/m", prices=dict.fromkeys(("alpha/m", "beta/m"), a_price(1.0)))
    walking = Walking(world, {"alpha": [[HANG]], "beta": [[HANG]]})
    await walking.ask(headers={"x-pointsman-max-cost": "0.02"})
    first, second = (one.body["max_tokens"] for one in walking.upstream.calls)
    assert first == second
    bound = upper_bound_usd(a_price(1.0), 2_100, first, EPOCH_S)
    assert 0.009 < bound <= 0.0101


@pytest.mark.virtual_time
async def test_an_attempt_that_cannot_be_billed_takes_nothing_from_the_promise() -> None:
    world = a_world("alpha/m", "beta/m", prices={"alpha/m": a_price(1.0), "beta/m": a_price(1.1)})
    walking = Walking(world, {"alpha": [an_error(429)], "beta": [an_answer()]})
    sink = await walking.ask(headers={"x-pointsman-max-cost": "0.0035"})
    assert (sink.status, len(walking.upstream.calls)) == (200, 2)


@pytest.mark.virtual_time
async def test_embeddings_keep_the_promise_over_several_attempts_too() -> None:
    rows = [an_endpoint(f"{name}/e", base_model="e", operation=Operation.EMBEDDINGS) for name in ("a", "b")]
    world = a_world(*rows, prices={"a/e": a_price(1.0), "b/e": a_price(1.0)})
    walking = Walking(world, {"a": [[HANG]], "b": [an_embedding()]})
    body = {"model": "e", "input": "x"}
    for limit, tried in (("0.003", 1), ("0.006", 2)):
        before = len(walking.upstream.calls)
        await walking.send(body, surface=Surface.EMBEDDINGS, headers={"x-pointsman-max-cost": limit})
        assert len(walking.upstream.calls) - before == tried


# -- caps ------------------------------------------------------------------------------------------------------------

SIZES = Sizes(input=1_000, output=500, input_bound=1_000)
WISHES = Wishes(objective=Objective.COST, session="", at_s=EPOCH_S)


def budget_for(tokens: int) -> float:
    return upper_bound_usd(a_price(1.0), 1_000, tokens, EPOCH_S) + 1e-12


def test_takes_all_that_is_left_for_the_last_candidate() -> None:
    assert cost_cap(an_endpoint(), a_price(1.0), SIZES, WISHES, budget_for(1_000), 0) == 1_000


def test_leaves_half_for_another_as_long_as_that_buys_something_useful() -> None:
    half = affordable(an_endpoint(), a_price(1.0), SIZES, WISHES, budget_for(1_000) / 2)
    assert cost_cap(an_endpoint(), a_price(1.0), SIZES, WISHES, budget_for(1_000), 1) == half == 375
    assert cost_cap(an_endpoint(), a_price(1.0), SIZES, WISHES, budget_for(500), 1) == 500
    thinking = an_endpoint(caps=frozenset({REASONING}))
    assert cost_cap(thinking, a_price(1.0), SIZES, WISHES, budget_for(3_000), 1) == 3_000


def test_gives_up_where_nothing_useful_is_left() -> None:
    with pytest.raises(Unaffordable):
        cost_cap(an_endpoint(), a_price(1.0), SIZES, WISHES, budget_for(255), 0)


@pytest.mark.parametrize(
    ("asked", "endpoint", "required", "cap", "sent"),
    [
        (None, {}, False, None, None),
        (500, {}, False, None, 500),
        (50_000, {}, False, None, 16_000),
        (None, {}, True, None, 16_000),
        (None, {"max_output": None}, True, None, DEFAULT_MAX_OUTPUT),
        (None, {}, False, 700, 700),
        (500, {}, False, 700, 500),
        (900, {"max_output": None}, False, 700, 700),
        (5_000, {"context": 4_000}, False, None, 3_000),
        (5_000, {"context": 900}, False, None, 1),
        (5_000, {"context": None}, False, None, 5_000),
    ],
)
def test_sends_the_lowest_of_all_limits(
    asked: int | None, endpoint: dict[str, Any], required: bool, cap: int | None, sent: int | None
) -> None:
    ask = an_ask(a_body(**({} if asked is None else {"max_tokens": asked})))
    assert max_output(ask, an_endpoint(**endpoint), required, 1_000, cap) == sent
