"""Recorded requests planned anew: what a configuration changes, and what a record fixes."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.core.catalog import Operation
from gateway.core.policy import Escalate, Label, Objective, Requirement, Route, Variant
from gateway.core.pricing import Override, Price, Rates
from gateway.core.replay import Kind, Log, Out
from gateway.core.replay_cost import Usages, estimates_usd
from gateway.core.replay_sums import Sums
from gateway.core.signals import Signals
from gateway.flow.consider import Planner
from gateway.flow.replay import Plan, Planned, Recorded, Replayer
from gateway.flow.replay_tally import Answers, tally
from gateway.flow.world import World
from tests.support.builders import EPOCH_S, TASK_TIERS, a_price, a_world, an_endpoint

AUTO = Kind("chat", "auto", route="default", task="chat", tier="small", able=("alpha/m", "beta/m"),
            tops=("alpha/m", "beta/m"), first="alpha/m", answered="alpha/m")  # fmt: skip


def planned(world: World, kind: Kind = AUTO, tokens: tuple[int, ...] = (100,), **known: Any) -> Planned:
    """Requests of these sizes; their estimates are those of `then` (or of this world) for 200 tokens of output."""
    sizes, at_s = np.array(tokens, dtype=np.float64), np.full(len(tokens), EPOCH_S)
    prices = known.get("then", world.prices)
    estimates = tuple(
        estimates_usd(prices.get(name) or a_price(), sizes, np.zeros(len(tokens)), np.full(len(tokens), 200.0), at_s)
        for name in kind.tops
    )
    log = Log.of(known.get("kinds", [kind]), world.policy)
    return Replayer(world, log, known.get("ttft_p95_ms", {})).planned(kind, Recorded(sizes, at_s, estimates))


def chosen(world: World, kind: Kind = AUTO, **known: Any) -> str | None:
    found = planned(world, kind, **known)
    plan = found.plans[found.which[0]]
    return plan.favoured if found.stays[0] else plan.first


def plan(world: World, kind: Kind = AUTO) -> Plan:
    return planned(world, kind).plans[0]


def test_the_same_world_gives_the_same_choice() -> None:
    assert plan(a_world("alpha/m", "beta/m")) == Plan("default", ("alpha/m", "beta/m"), "alpha/m", "alpha/m", ())


def test_a_higher_tier_for_the_task_moves_it() -> None:
    world = a_world("alpha/m", an_endpoint("beta/m", tier=2), task_tiers={**TASK_TIERS, "chat": 2})
    assert chosen(world) == "beta/m"
    assert plan(world).excluded == (("tier", 1),)


def test_cheaper_prices_move_it_and_nearly_equal_ones_do_not() -> None:
    for usd, now in ((0.5, "beta/m"), (0.97, "alpha/m")):
        world = a_world("alpha/m", "beta/m", prices={"alpha/m": a_price(1.0), "beta/m": a_price(usd)})
        assert chosen(world) == now


def test_whoever_failed_then_fails_now_and_whoever_was_ill_is_ill() -> None:
    failed = replace(AUTO, passed_over=("alpha/m",), answered="beta/m")
    assert chosen(a_world("alpha/m", "beta/m"), failed) == "beta/m"
    ill = replace(AUTO, out=(Out("alpha/m", ("breaker_open",)),), excluded={"breaker_open": 1}, first="beta/m")
    assert chosen(a_world("alpha/m", "beta/m"), ill) == "beta/m"


def test_what_the_request_ruled_out_keeps_its_reason() -> None:
    kind = replace(AUTO, out=(Out("beta/m", ("capability:logprobs",)),), excluded={"capability:logprobs": 1})
    assert plan(a_world("alpha/m", "beta/m"), kind).excluded == (("capability:logprobs", 1),)


def test_labels_are_judged_by_the_new_configuration() -> None:
    labels = {"pii": Label("pii", Requirement(retention_days=0))}
    found = plan(a_world("alpha/m", labels=labels), replace(AUTO, labels=("pii", "gone")))
    assert (found.first, found.refused, found.excluded) == (None, "no_eligible_endpoint", (("sensitivity", 1),))


def test_a_model_that_is_gone_is_refused() -> None:
    found = plan(a_world("alpha/m"), replace(AUTO, model="gpt-9", route="elsewhere"))
    assert (found.first, found.refused, found.rerouted) == (None, "model_not_found", True)


def test_a_route_that_is_gone_is_chosen_anew() -> None:
    found = plan(a_world("alpha/m"), replace(AUTO, route="elsewhere"))
    assert (found.route, found.first, found.rerouted) == ("default", "alpha/m", True)


def test_escalation_certificate_and_arm_are_as_recorded() -> None:
    ends = (an_endpoint("alpha/m", tier=1), an_endpoint("beta/m", tier=2))
    escalating = a_world(*ends, routes=(Route("default", escalate=Escalate(0.2, 2)),))
    assert chosen(escalating, replace(AUTO, escalated=True)) == "beta/m"
    assert chosen(a_world(*ends), replace(AUTO, escalated=True)) == "alpha/m"
    coding = a_world(*ends, task_tiers={**TASK_TIERS, "chat": 2})
    assert chosen(coding, replace(AUTO, certified=True, tier="medium")) == "alpha/m"
    split = (Variant("control", 1), Variant("candidate", 1, prefer=("beta/m",)))
    arms = a_world(*ends, routes=(Route("default", split=split),))
    assert [chosen(arms, replace(AUTO, variant=name)) for name in ("control", "candidate", "gone")] == [
        "alpha/m", "beta/m", "alpha/m",
    ]  # fmt: skip


def test_a_tier_that_the_request_asked_for_stays() -> None:
    world = a_world("alpha/m", an_endpoint("beta/m", tier=2))
    assert chosen(world, replace(AUTO, tier="large"), kinds=[AUTO, replace(AUTO, tier="large")]) == "beta/m"


def test_a_route_by_latency_goes_by_what_the_log_measured() -> None:
    world = a_world("alpha/m", "beta/m", routes=(Route("default", objective=Objective.LATENCY),))
    assert chosen(world, ttft_p95_ms={"alpha/m": 900.0, "beta/m": 200.0}) == "beta/m"


def test_a_baseline_of_the_route_comes_before_the_recorded_one() -> None:
    ends = ("alpha/m", "beta/m")
    assert plan(a_world(*ends), replace(AUTO, baseline="beta/m")).baseline == "beta/m"
    assert plan(a_world(*ends), replace(AUTO, baseline="gone/m")).baseline == "alpha/m"
    named = a_world(*ends, routes=(Route("default", baseline="alpha/m"),))
    assert plan(named, replace(AUTO, baseline="beta/m")).baseline == "alpha/m"


@pytest.mark.parametrize(("surface", "operation"), [("embeddings", Operation.EMBEDDINGS), ("rerank", Operation.RERANK)])
def test_other_operations_are_planned_by_the_model_that_was_named(surface: str, operation: Operation) -> None:
    world = a_world(an_endpoint("alpha/m", operation=operation), an_endpoint("beta/m"))
    kind = replace(AUTO, surface=surface, model="m", tops=("alpha/m",), task=operation.value)
    assert chosen(world, kind) == "alpha/m"


def test_estimates_by_other_prices_or_none_are_replaced_by_what_the_task_usually_takes() -> None:
    world = a_world("alpha/m", "beta/m", prices={"alpha/m": a_price(1.0), "beta/m": None})
    strange = {"alpha/m": a_price(1.2345), "beta/m": a_price(3.3)}
    assert chosen(world, then=strange) == "alpha/m"
    kind = replace(AUTO, first="beta/m", answered="beta/m")
    assert chosen(world, kind, then=strange) == "alpha/m"


def test_few_plans_are_made_for_many_sizes_and_all_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that cross: beta is cheaper for long prompts, and alpha dearer still from 3,000 tokens on."""
    steep = Price(Rates(2.0, 1.0), (Override(Rates(9.0, 1.0), min_prompt_tokens=3_000),))
    world = a_world(
        "alpha/m", an_endpoint("beta/m"), an_endpoint("gamma/m", context=2_500),
        prices={"alpha/m": steep, "beta/m": Price(Rates(1.0, 8.0)), "gamma/m": a_price(9.0)},
    )  # fmt: skip
    sizes, calls, real = tuple(range(1, 5_000)), [0], Planner.consider

    def counted(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        return real(*given, **named)

    kind = replace(AUTO, first=None, answered=None)
    alone = [planned(world, kind, (size,)) for size in sizes[::7]]
    monkeypatch.setattr(Planner, "consider", counted)
    found = planned(world, kind, sizes)
    assert calls[0] < 80
    together = [found.plans[found.which[place]] for place in range(0, len(sizes), 7)]
    assert together == [one.plans[0] for one in alone]
    assert {one.first for one in together} == {"alpha/m", "beta/m"}


def signals(feedback: float = np.nan, form: float = np.nan, again: bool = False) -> Signals:
    return Signals(np.array([feedback]), np.array([form]), np.array([again]), np.array([False]))


def answers(**changes: Any) -> Answers:
    """One answer of a thousand tokens in and two hundred out, that cost 1 USD."""
    one, usages = np.ones(1), {"input": 1_000.0, "output": 200.0}
    fields = ("input", "cached_input", "cache_write", "output", "reasoning", "requests")
    plain = {
        "answered": one > 0, "counted": one > 0, "usages": Usages(*(one * usages.get(name, 0.0) for name in fields)),
        "cost_usd": one * 1.0, "failed_usd": one * 0.25, "saved_usd": one * np.nan, "at_s": one * EPOCH_S,
        "signals": signals(),
    }  # fmt: skip
    return Answers(**{**plain, **changes})


def summed(world: World, kind: Kind = AUTO, **changes: Any) -> Sums:
    return tally(kind, planned(world, kind), answers(**changes), world.prices)["default", "chat"]


def test_sums_compare_what_an_answer_cost_with_what_it_would() -> None:
    world = a_world("alpha/m", "beta/m")
    found = summed(world, replace(AUTO, baseline="beta/m"))
    assert found == Sums(
        requests=1, answered=1, same=1, priced=1, recorded_usd=1.0, replayed_usd=pytest.approx(1.8e-3), failed_usd=0.25,
        baselined=1, baseline_usd=pytest.approx(3.6e-3), saved_usd=pytest.approx(1.8e-3),
    )  # fmt: skip


def test_quality_is_known_only_where_the_endpoint_is_the_same() -> None:
    liked = signals(feedback=1.0)
    world = a_world("alpha/m", "beta/m")
    stayed = summed(world, signals=liked)
    went = summed(world, replace(AUTO, first="gone/m", answered="gone/m"), signals=liked)
    assert (stayed.signals["feedback"], stayed.same, stayed.known, stayed.good, stayed.bad) == (1, 1, 1, 1, 0)
    assert (went.signals["feedback"], went.same, went.known, went.moved) == (1, 0, 0, 1)
    assert dict(went.moves) == {("gone/m", "alpha/m"): 1}


def test_what_only_ever_speaks_against_an_answer_makes_no_share_of_good_ones() -> None:
    world = a_world("alpha/m", "beta/m")
    found = [summed(world, signals=seen) for seen in (signals(again=True), signals(form=0.0))]
    assert [(one.same, one.known, one.good, one.bad) for one in found] == [(1, 0, 0, 0), (1, 1, 0, 1)]


def test_escalated_answers_say_nothing_of_the_tier_that_others_have() -> None:
    world = a_world("alpha/m", "beta/m")
    poor = signals(feedback=-1.0)
    plain, raised = summed(world, signals=poor), summed(world, replace(AUTO, escalated=True), signals=poor)
    assert [(one.known, one.plain_known, one.plain_poor) for one in (plain, raised)] == [(1, 1, 1), (1, 0, 0)]


def test_an_unknown_price_or_cost_is_counted_and_not_summed() -> None:
    unpriced = summed(a_world("alpha/m", prices={"alpha/m": None, "beta/m": None}), replace(AUTO, tops=()))
    unknown = summed(a_world("alpha/m", "beta/m"), cost_usd=np.full(1, np.nan))
    unserved = summed(a_world("alpha/m", labels={"x": Label("x", Requirement(retention_days=0))}),
                      replace(AUTO, labels=("x",), tops=()))  # fmt: skip
    for found in (unpriced, unknown, unserved):
        assert (found.priced, found.unpriced, found.replayed_usd) == (0, 1, 0.0)
    assert (unserved.unserved, dict(unserved.refusals)) == (1, {"no_eligible_endpoint": 1})
