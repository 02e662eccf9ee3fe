"""What is proposed, doubted and missing, from sums of two replays and judged pairs."""

from collections import Counter
from typing import Any

import pytest

from gateway.core.judged import JudgedPair
from gateway.core.policy import Escalate, Evaluate, Policy, Route
from gateway.core.replay_sums import Sums
from gateway.core.tuner import (
    Automatic,
    Doubt,
    Findings,
    Lower,
    Missing,
    Money,
    Slices,
    Steer,
    Wanted,
    findings,
    wanted,
)
from tests.support.builders import a_world

RULE = Evaluate(share=0.02, against=2)
TASKS = {"email": 1, "chat": 0, "math": 2}
HOUR_S, DAY_S = 3_600.0, 86_400.0


def a_policy(*routes: Route, tasks: dict[str, int] | None = None) -> Policy:
    return a_world("alpha/m", task_tiers=tasks or TASKS, routes=routes or (Route("default", evaluate=RULE),)).policy


def pairs(count: int = 900, gain: float = -0.05, route: str = "default", task: str = "email") -> list[JudgedPair]:
    return [JudgedPair(float(n), route, task, 0, 0.5, "m", 0.02, gain, "people") for n in range(count)]


def sums(usd: float, **changes: Any) -> Sums:
    plain = {"requests": 10, "answered": 10, "same": 10, "priced": 10, "signals": Counter(feedback=1)}
    return Sums(**{**plain, "replayed_usd": usd, **changes})


def found(
    now: Slices, then: Slices, judged: list[JudgedPair], policy: Policy | None = None, span_s: float = DAY_S
) -> Findings:
    return findings(policy or a_policy(), now, then, judged, span_s)


EMAIL = ("default", "email")
NOW = {EMAIL: sums(10.0), ("default", "chat"): sums(1.0)}
THEN = {EMAIL: sums(8.0, moved=10), ("default", "chat"): sums(1.0)}


def test_a_certified_task_saves_what_the_replays_say() -> None:
    (lower,) = found(NOW, THEN, pairs()).lower
    assert isinstance(lower, Lower)
    assert (lower.task, lower.now, lower.then, lower.confidence) == ("email", "medium", "small", 0.95)
    assert [(bound.route, bound.pairs, bound.at_most) for bound in lower.bounds] == [("default", 800, 0.001)]
    assert lower.money == Money(10, 10, 10.0, 8.0, 1.0)
    assert (lower.money.saved_usd, lower.money.saved_share, lower.money.saved_usd_per_day) == (2.0, 0.2, 2.0)


def test_half_a_day_is_doubled_and_half_an_hour_is_no_day() -> None:
    half = found(NOW, THEN, pairs(), span_s=DAY_S / 2).lower[0].money
    short = found(NOW, THEN, pairs(), span_s=HOUR_S / 2).lower[0].money
    assert (half.saved_usd_per_day, short.saved_usd_per_day) == (4.0, None)
    assert Money(1, 1, 0.0, 0.0, None).saved_share is None


def test_a_route_without_a_rule_is_held_to_the_usual_one() -> None:
    policy = a_policy(Route("default"))
    assert len(found(NOW, THEN, pairs(), policy).lower) == 1
    gone = {("gone", "email"): sums(10.0)}, {("gone", "email"): sums(8.0, moved=10)}
    assert found(*gone, pairs(route="gone"), policy).lower[0].confidence == 0.95


@pytest.mark.parametrize(
    ("then", "judged", "why"),
    [
        (NOW, pairs(), "no request of the log would go elsewhere"),
        ({EMAIL: sums(8.0, moved=10, unserved=3)}, pairs(), "3 requests would have no endpoint"),
        (THEN, pairs(99), "route default has 99 judged pairs of it, and 100 are the least that say anything"),
        (THEN, pairs(400, 0.1), "on route default 400 judged pairs leave room for 1"),
        (THEN, pairs(100, 1.0), "on route default 100 judged pairs leave room for any loss; 2.0% is allowed"),
        ({EMAIL: sums(8.0, moved=10, priced=9)}, pairs(), "the price of some endpoints is unknown"),
        ({EMAIL: sums(10.0, moved=10)}, pairs(), "it is certified and would save nothing"),
    ],
)
def test_what_is_not_proposed_says_why(then: Slices, judged: list[JudgedPair], why: str) -> None:
    some = found(NOW, then, judged)
    assert some.lower == ()
    assert isinstance(some.missing[0], Missing)
    assert (some.missing[0].what, some.missing[0].why[: len(why)]) == ("email: medium -> small", why)


def test_each_of_two_routes_must_be_certified_with_half_of_what_may_be_wrong() -> None:
    now = {**NOW, ("desk", "email"): sums(5.0)}
    then = {**THEN, ("desk", "email"): sums(4.0, moved=10)}
    policy = a_policy(Route("default", evaluate=RULE), Route("desk", evaluate=Evaluate(0.1, 2, confidence=0.9)))
    even = sorted([*pairs(gain=0.0), *pairs(gain=0.0, route="desk")], key=lambda pair: pair.time_s)
    both, alone = found(now, then, even, policy), found(NOW, THEN, even, policy)
    assert [(bound.route, bound.at_most) for bound in both.lower[0].bounds] == [("default", 0.017), ("desk", 0.015)]
    assert [(bound.route, bound.at_most) for bound in alone.lower[0].bounds] == [("default", 0.015)]
    assert both.lower[0].confidence == 0.9
    assert found(now, then, pairs(), policy).missing[0].why.startswith("route desk has 0 judged pairs")


def test_certificates_that_wait_are_proposed_for_their_route() -> None:
    waits = Route("default", evaluate=Evaluate(0.02, 2, auto=False))
    policy = a_policy(Route("other", evaluate=RULE), waits, Route("third"))
    (automatic,) = found(NOW, NOW, pairs(), policy).automatic
    assert isinstance(automatic, Automatic)
    assert (automatic.route, automatic.number, automatic.max_loss) == ("default", 1, 0.02)
    assert [(one.task, one.pairs, one.share) for one in automatic.thresholds] == [("email", 800, 1.0), (None, 800, 1.0)]
    assert found(NOW, NOW, pairs(50), policy).automatic == ()


def test_a_task_that_does_badly_is_doubted_and_never_lowered() -> None:
    now = {EMAIL: sums(10.0, known=100, poor=30)}
    then = {EMAIL: sums(25.0, known=100, poor=30, moved=10)}
    tried = wanted(a_policy(), now, pairs())
    assert tried == Wanted(frozenset(), frozenset({"email"}))
    assert tried.applied(a_policy()).task_tiers == {**TASKS, "email": 2}
    missing = found(now, then, pairs()).missing
    assert [(one.what, one.why) for one in missing] == [
        ("email: medium -> small", "its answers are found bad where they are")
    ]
    (doubt,) = found(now, then, pairs()).doubts
    assert isinstance(doubt, Doubt)
    assert (doubt.now, doubt.above, doubt.judged, doubt.bad, doubt.of) == ("medium", "large", True, 30, 100)
    assert doubt.surely == pytest.approx(0.219, abs=0.001)
    assert doubt.money is not None
    assert doubt.money.saved_usd == -15.0


def test_signs_of_trouble_doubt_a_task_that_nobody_judged() -> None:
    (doubt,) = found({("default", "math"): sums(1.0, same=200, bad=30)}, {}, []).doubts
    assert (doubt.task, doubt.above, doubt.judged, doubt.money) == ("math", None, False, None)


@pytest.mark.parametrize("bad", [{"known": 19, "poor": 19}, {"known": 1_000, "poor": 100}, {"same": 1_000, "bad": 40}])
def test_few_or_ordinary_troubles_are_no_doubt(bad: dict[str, int]) -> None:
    assert found({EMAIL: sums(1.0, **bad)}, {}, []).doubts == ()


def test_escalation_by_feedback_goes_by_what_was_surely_bad() -> None:
    escalate = Escalate(0.2, 2, "feedback", {"chat": 0.3, "math": 0.1})
    policy = a_policy(Route("plain", escalate=Escalate(0.2, 2)), Route("default", escalate=escalate))
    judged = {
        EMAIL: sums(1.0, plain_known=200, plain_poor=30), ("default", "chat"): sums(1.0, plain_known=100, plain_poor=0),
        ("default", "math"): sums(1.0, plain_known=49, plain_poor=40), ("plain", "email"): sums(1.0, plain_known=200),
    }  # fmt: skip
    assert found(judged, judged, [], policy).steers == (
        Steer("default", 1, "chat", 0.3, 0.0, 0, 100),
        Steer("default", 1, "email", 0.0, 0.11, 30, 200),
    )
    near = Route("default", escalate=Escalate(0.2, 2, "feedback", {"email": 0.1}))
    assert found({EMAIL: judged[EMAIL]}, {}, [], a_policy(near)).steers == ()


def test_tells_what_nobody_has_gathered() -> None:
    silent = {EMAIL: sums(1.0, signals=Counter()), ("default", "math"): sums(1.0, signals=Counter())}
    unasked = [one.what for one in found(silent, silent, []).missing]
    assert unasked == ["certified changes", "how tasks do at their tiers"]
    unjudged = found({**NOW, ("default", "math"): sums(1.0)}, THEN, pairs()).missing
    assert [one.what for one in unjudged] == ["math: large -> medium"]
