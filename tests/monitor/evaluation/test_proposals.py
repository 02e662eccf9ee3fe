"""What judged pairs let the monitor propose, and what they do not."""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.config.edit import Change
from gateway.core.policy import Evaluate, Route
from monitor.evaluation.certify import State, certified
from monitor.evaluation.pairs import Drawn, Judged
from monitor.evaluation.proposals import MOST_LINES, Proposal, Seen, proposals
from tests.support.builders import a_catalog, a_policy
from tests.support.certifying import EVERY_S, ROUTE, a_log, terms
from tests.support.keeping import always_needed, none_needed

TIERS = ("small", "medium", "large")
DAY_S = 86_400.0
COSTS = (0.001, 0.01)


def a_route(name: str = ROUTE, rule: Evaluate | None = None, **fields: Any) -> Route:
    return Route(name, evaluate=terms() if rule is None else rule, **fields)


def on(route: str, pairs: Sequence[Judged]) -> list[Judged]:
    return [replace(one, facts=replace(one.facts, route=route)) for one in pairs]


def drawn_of(pairs: Sequence[Judged], lower: Callable[[Judged], bool] = lambda _: False) -> list[Drawn]:
    return [Drawn(one.facts, lower(one), COSTS) for one in pairs]


def seen(pairs: Sequence[Judged], *routes: Route, drawn: Sequence[Drawn] | None = None, tier: int = 2) -> Seen:
    """As it looks one pair's time after the last of them; e-mails are of `tier`."""
    policy = a_policy(a_catalog(), routes=routes or (a_route(),), tiers=TIERS, task_tiers={"email": tier, "chat": 0})
    rules = {route.name: route.evaluate for route in policy.routes if route.evaluate is not None}
    now_s = max(one.facts.time_s for one in pairs) + EVERY_S
    state = certified(pairs, rules, State(), now_s)
    return Seen(policy, state, pairs, drawn_of(pairs) if drawn is None else drawn, now_s)


def titles(found: Sequence[Proposal]) -> list[str]:
    return [one.title for one in found]


def test_a_whole_task_that_is_certified_goes_a_tier_lower() -> None:
    [found] = proposals(seen(a_log(1, 400, none_needed)))
    a_day = DAY_S / EVERY_S / 0.1
    assert changed(found, saving=None) == Proposal(
        "email: large → medium on route support",
        (
            "route support: at most 0.2 % worse with 90 % confidence, 400 judged pairs (400 by people), "
            "measured: 2.5 % gained",
        ),
        (),
        None,
        Change(("classify", "task_tiers", "email"), "medium"),
    )
    assert found.saving is not None
    assert astuple(found.saving) == (pytest.approx(a_day * 0.009), pytest.approx(0.9), 400)


def test_proposes_nothing_that_is_not_proven() -> None:
    assert proposals(seen(a_log(2, 99, none_needed))) == []
    assert proposals(seen(a_log(2, 400, lambda _: 0.2))) == []
    assert proposals(seen(a_log(2, 400, none_needed), tier=1)) == [], "its pairs are of another step"
    assert proposals(seen(a_log(2, 400, none_needed), Route(ROUTE))) == [], "it is no longer evaluated"


def test_what_later_pairs_lose_counts() -> None:
    pairs = a_log(3, 400, none_needed)
    turned = [*pairs, *a_log(3, 60, always_needed, first=400)]
    calm = seen(pairs)
    assert len(proposals(calm)) == 1
    assert proposals(changed(calm, judged=turned)) == []


def test_pairs_from_before_an_alarm_prove_nothing() -> None:
    calm = seen(a_log(4, 400, none_needed))
    pairs = [*calm.judged, *a_log(4, 100, always_needed, first=400)]
    state = certified(pairs, {ROUTE: terms()}, calm.state, calm.now_s + 100 * EVERY_S)
    assert len(state.alarms) == 1
    assert proposals(changed(calm, state=state)) == []


def test_pairs_of_another_score_than_the_present_one_prove_nothing() -> None:
    pairs = a_log(5, 400, none_needed)
    last = replace(pairs[-1], facts=replace(pairs[-1].facts, model="model-b"))
    assert proposals(seen([*pairs[:-1], last])) == []


def test_every_route_that_has_such_requests_must_be_certified() -> None:
    mine, theirs = a_log(6, 800, none_needed), on("other", a_log(6, 800, lambda _: 0.2))
    both = a_route(), a_route("other")
    assert proposals(seen([*mine, *theirs], *both)) == []
    waiting = drawn_of(on("other", mine[:1]))
    assert proposals(seen(mine, *both, drawn=[*drawn_of(mine), *waiting])) == [], "nobody judged it"
    alone = proposals(seen(mine, *both))
    assert titles(alone) == ["email: large → medium on route support"], "no such request came by the other one"
    twice = proposals(seen([*mine, *on("other", a_log(7, 800, none_needed))], *both))
    assert titles(twice) == ["email: large → medium on routes support and other"]
    assert len(twice[0].evidence) == 2


def test_names_routes_of_which_nothing_is_known_and_no_others() -> None:
    routes = (
        a_route(), Route("one"), Route("two"), Route("high", tier_min=2), Route("low", tier_max=1),
        Route("fixed", models=("m",)),
    )  # fmt: skip
    [found] = proposals(seen(a_log(8, 400, none_needed), *routes))
    [caution] = found.cautions
    assert caution.startswith("A task has one tier on all routes. Not evaluated: one and two. ")
    many = (a_route(), *(Route(f"r{number}") for number in range(9)))
    [found] = proposals(seen(a_log(8, 400, none_needed), *many))
    assert "Not evaluated: r0, r1, r2 and 6 more." in found.cautions[0]


def test_money_is_of_requests_that_do_not_go_lower_already() -> None:
    pairs = a_log(9, 400, none_needed)
    whole, half = (
        proposals(seen(pairs, drawn=drawn_of(pairs, lower)))[0].saving
        for lower in (lambda _: False, lambda one: int(one.facts.decision[:8]) % 2 == 1)
    )
    assert whole is not None
    assert half is not None
    assert half.pairs == 200
    assert half.usd_per_day == pytest.approx(whole.usd_per_day / 2)


def test_says_nothing_of_money_that_is_not_known() -> None:
    pairs = a_log(10, 400, none_needed)
    priceless = [replace(one, costs_usd=None) for one in drawn_of(pairs)]
    fresh = drawn_of(pairs[-30:])
    for drawn in ([], priceless, [*priceless[:381], *drawn_of(pairs[381:])], fresh):
        [found] = proposals(seen(pairs, drawn=drawn))
        assert found.saving is None
    free = [replace(one, costs_usd=(0.0, 0.0)) for one in drawn_of(pairs)]
    dearer = [replace(one, costs_usd=(0.01, 0.001)) for one in drawn_of(pairs)]
    assert proposals(seen(pairs, drawn=free)) == proposals(seen(pairs, drawn=dearer)) == []


def test_certificates_that_wait_are_proposed_with_what_they_would_save() -> None:
    pairs = a_log(11, 400, lambda score: 0.5 * score * score)
    route = a_route(rule=terms(auto="no"))
    look = seen(pairs, Route("first"), route)
    [series] = [one for one in look.state.current() if one.certificate is not None]
    assert series.certificate is not None
    easy = sum(one.facts.score < series.certificate.threshold for one in pairs)
    [found] = proposals(look)
    assert found.title == "route support: its certificates are honoured (evaluate.auto: false → true)"
    assert found.change == Change(("routes", 1, "evaluate", "auto"), value=True)
    [line] = found.evidence
    assert line.startswith("email, large → medium: the easiest ")
    assert "at most 5 % worse with 90 % confidence, 400 judged pairs, " in line
    assert found.saving is not None
    assert found.saving.pairs == easy
    assert proposals(seen(pairs, Route("first"), a_route())) == [], "it honours them already"
    late = changed(look, now_s=series.certificate.until_s)
    assert proposals(late) == [], "it ran out"


def test_the_rest_s_certificate_speaks_of_no_task_that_has_left_it() -> None:
    pairs = [*a_log(12, 150, none_needed), *a_log(12, 150, none_needed, "chat", first=150)]
    look = seen(pairs, a_route(rule=terms(auto="no")), tier=1)
    without = [replace(one, without=("email",)) for one in look.state.series]
    [found] = proposals(changed(look, state=replace(look.state, series=tuple(without))))
    assert found.evidence[0].startswith("all other tasks, large → medium: the easiest 100 %")
    assert found.saving is not None
    assert found.saving.pairs == 150


def test_is_bounded() -> None:
    pairs = a_log(13, 150, none_needed)
    look = seen(pairs, *(a_route(f"{ROUTE}{number}", terms(auto="no")) for number in range(12)), tier=1)
    [series] = [one for one in seen(pairs, tier=1).state.series if one.certificate is not None]
    names = [f"{ROUTE}{number}" for number in range(12)]
    state = State(
        series=tuple(replace(series, route=name, task="t" * 500 + str(n)) for name in names for n in range(40)),
        models=dict.fromkeys(names, series.model),
    )
    found = proposals(changed(look, state=state))
    assert len(found) == 10
    assert len(found[0].evidence) == MOST_LINES + 1
    assert found[0].evidence[-1] == "and 28 more"
    assert max(len(line) for line in found[0].evidence) < 250
