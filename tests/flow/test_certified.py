"""A tier lower than the rules ask: only as far as a certificate carries the score, the model's or the rules'."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gateway.core.ask import Ask
from gateway.core.certificate import Certificate
from gateway.core.classify import Opinion
from gateway.core.extras import NO_EXTRAS, Extras
from gateway.core.opinion import TaskOpinion
from gateway.core.plan import Health
from gateway.core.policy import Escalate, Evaluate, Route
from gateway.flow.consider import Planner
from gateway.flow.world import World
from tests.support.builders import EPOCH_S, TASK_TIERS, a_body, a_request, a_world, an_ask, an_endpoint

SMALL, MEDIUM, LARGE = 0, 1, 2
PLAIN = Route("default", evaluate=Evaluate(0.02, LARGE))
MATH = "Prove that the derivative of this integral equation is positive."


@dataclass(frozen=True)
class PlayedJudge:
    score: float = 0.1
    fingerprint: str = "model-a"

    def judge(self, prompt: str, step: int) -> Opinion | None:
        return Opinion(self.score, 0.9, 60, 3)

    def task(self, prompt: str) -> TaskOpinion:
        return TaskOpinion("chat", 0.9)


class SilentJudge(PlayedJudge):
    def judge(self, prompt: str, step: int) -> Opinion | None:
        return None


def certified(**fields: Any) -> Certificate:
    values: dict[str, Any] = {
        "id": "default/math/1", "route": "default", "task": "math", "step": 1, "threshold": 0.4, "alpha": 0.02,
        "delta": 0.05, "judged": 800, "share": 0.6, "loss": 0.01, "model": "model-a", "since_s": EPOCH_S - 1,
        "until_s": EPOCH_S + 1,
    }  # fmt: skip
    return Certificate(**values | fields)


def a_world_with(judge: PlayedJudge | None, *certificates: Certificate, route: Route = PLAIN) -> World:
    endpoints = [an_endpoint(name, tier=tier) for tier, name in enumerate(("cheap/s", "mid/m", "dear/l"))]
    by, tiers = "rules+learned" if judge else "rules", {**TASK_TIERS, "math": LARGE}
    world = a_world(*endpoints, classify_by=by, routes=(route,), task_tiers=tiers)
    world = replace(world, judge=judge)
    own = world.fingerprint()
    issued = [changed(one, model=own) if own.startswith(one.model) else one for one in certificates]
    return world.certified(issued)


def considered(world: World, ask: Ask | None = None, extras: Extras = NO_EXTRAS) -> Any:
    request = a_request(ask or an_ask(text=MATH), extras=extras)
    planner = Planner(world, lambda _: Health(), frozenset)
    return planner.consider(request.ask, request.extras, request.client, request.moment)


def told(world: World, **asked: Any) -> tuple[int | None, str | None, str]:
    found = considered(world, **asked)
    return found.tier_required, found.certificate, found.steps[0].endpoint.id


def test_a_certificate_sends_what_lies_below_its_threshold_one_tier_lower() -> None:
    world = a_world_with(PlayedJudge(0.1), certified())
    assert told(world) == (MEDIUM, "default/math/1", "mid/m")
    assert considered(world).opinion == Opinion(0.1, 0.9, 60, 3)


@pytest.mark.parametrize("score", [0.4, 2.0])
def test_what_lies_above_it_stays(score: float) -> None:
    assert told(a_world_with(PlayedJudge(score), certified())) == (LARGE, None, "dear/l")


@pytest.mark.parametrize(
    "certificates",
    [
        (),
        (certified(model="model-b"),),
        (certified(task="email"),),
        (certified(step=0),),
        (certified(until_s=EPOCH_S),),
        (certified(route="other"),),
    ],
)
def test_without_grounds_no_score_lowers_a_tier(certificates: tuple[Certificate, ...]) -> None:
    assert told(a_world_with(PlayedJudge(-9.0), *certificates)) == (LARGE, None, "dear/l")


def test_without_a_model_its_certificate_says_nothing() -> None:
    assert told(a_world_with(None, certified())) == (LARGE, None, "dear/l")
    found = considered(a_world_with(None))
    assert (found.opinion, found.certificate, found.step) == (None, None, MEDIUM)


def test_a_certificate_of_the_rules_goes_by_their_difficulty() -> None:
    difficulty = considered(a_world_with(None)).difficulty
    above, below = certified(model="rules", threshold=difficulty), certified(model="rules", threshold=difficulty + 0.01)
    assert told(a_world_with(None, above)) == (LARGE, None, "dear/l")
    assert told(a_world_with(None, below)) == (MEDIUM, "default/math/1", "mid/m")
    assert told(a_world_with(PlayedJudge(-9.0), below)) == (LARGE, None, "dear/l")


def test_nothing_was_learned_of_the_step() -> None:
    assert told(a_world_with(SilentJudge(), certified())) == (LARGE, None, "dear/l")


@pytest.mark.parametrize("evaluate", [None, Evaluate(0.02, LARGE, auto=False), Evaluate(0.02, MEDIUM)])
def test_where_nothing_is_compared_or_the_operator_decides_nothing_is_certified(evaluate: Evaluate | None) -> None:
    world = a_world_with(PlayedJudge(-9.0), certified(), route=replace(PLAIN, evaluate=evaluate))
    assert told(world) == (LARGE, None, "dear/l")


@pytest.mark.parametrize("body", [a_body(MATH, n=2), a_body(MATH, model="tier:large"), a_body(MATH, model="l")])
def test_a_kind_of_request_that_is_not_drawn_is_not_certified(body: dict[str, Any]) -> None:
    world = a_world_with(PlayedJudge(-9.0), certified())
    plain, found = considered(world), considered(world, ask=an_ask(body))
    assert (plain.certificate, plain.step) == ("default/math/1", MEDIUM)
    assert (found.certificate, found.step) == (None, None)


def test_a_floor_stands_whatever_is_certified() -> None:
    floored = replace(PLAIN, tier_min=LARGE)
    assert told(a_world_with(PlayedJudge(-9.0), certified(), route=floored)) == (LARGE, None, "dear/l")
    asked = Extras(tier=LARGE)
    assert told(a_world_with(PlayedJudge(-9.0), certified()), extras=asked) == (LARGE, None, "dear/l")


def test_what_was_escalated_is_not_lowered_again() -> None:
    route = replace(PLAIN, escalate=Escalate(1.0, LARGE, "score"))
    assert told(a_world_with(PlayedJudge(-9.0), certified(), route=route)) == (LARGE, None, "dear/l")


def test_the_difficulty_is_the_models() -> None:
    assert considered(a_world_with(PlayedJudge())).difficulty == pytest.approx(0.1)
