"""What is handed over for evaluation once an answer has gone out, and what never is."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gateway.core.ask import Surface
from gateway.core.catalog import Privacy
from gateway.core.certificate import Certificate
from gateway.core.classify import Opinion
from gateway.core.evaluation import Half
from gateway.core.failure import FailureKind
from gateway.core.opinion import TaskOpinion
from gateway.core.policy import NOTHING_REQUIRED, Evaluate, Label, Requirement, Route
from gateway.flow.evaluate import Evaluator
from gateway.flow.keep import KEPT_BYTES
from gateway.flow.world import World
from tests.support.builders import EPOCH_S, TASK_TIERS, a_body, a_price, a_provider, a_world, an_endpoint
from tests.support.openai_scripts import ROLE, a_stream, an_answer, an_error, says
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import Script
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

LARGE = 2
EVALUATE = Evaluate(0.02, LARGE)
CERTIFICATE = Certificate(
    "default/chat/1", "default", "chat", 1, 0.9, 0.02, 0.05, 800, 0.6, 0.01, "rules", EPOCH_S - 1, EPOCH_S + 9_000
)
TIERS = {"cheap/s": 0, "mid/m": 1, "own/m": 1, "dear/l": 2, "best/l": 2}
PRICES = {name: a_price(usd) for name, usd in zip(TIERS, (0.1, 1.0, 2.0, 10.0, 20.0), strict=True)}


class PlayedJudge:
    fingerprint = "model-a"

    def __init__(self, score: float | None = 0.7) -> None:
        self.score = score

    def judge(self, prompt: str, step: int) -> Opinion | None:
        return None if self.score is None else Opinion(self.score, 0.9, 60, 3)

    def task(self, prompt: str) -> TaskOpinion:
        return TaskOpinion("chat", 0.9)


class Evaluating(Walking):
    """A walk whose evaluator hands over to a list."""

    def __init__(self, world: World, *scripts: Script, endpoint: str = "dear/l") -> None:
        super().__init__(world, {endpoint: list(scripts)})
        self.halves: list[Half] = []
        self.walk.evaluator = Evaluator(self.halves.append)

    @property
    def half(self) -> Half:
        (found,) = self.halves
        return found


def the_world(evaluate: Evaluate | None = EVALUATE, **changes: Any) -> World:
    """Five endpoints of three tiers, each with its own weights, and chat is a matter for the highest."""
    endpoints = [an_endpoint(name, tier=tier, base_model=name) for name, tier in TIERS.items()]
    tiers = {**TASK_TIERS, "chat": LARGE}
    given = {"routes": (Route("default", evaluate=evaluate),), "task_tiers": tiers, "prices": PRICES, **changes}
    return a_world(*endpoints, **given)


def certified(world: World) -> World:
    return world.certified([changed(CERTIFICATE, model=world.fingerprint())])


async def test_hands_over_question_and_answer_and_who_could_answer_below() -> None:
    walking = Evaluating(the_world(), an_answer("Hello"))
    sink = await walking.ask("Hello there", temperature=0.5)
    assert walking.half == Half(
        decision="0000000000000001",
        time_s=EPOCH_S,
        route="default",
        task="chat",
        step=1,
        score=walking.decisions[0].considered.difficulty,  # type: ignore[union-attr]
        model=walking.world.fingerprint(),
        probability=0.02,
        lower=False,
        certificate=None,
        surface="chat",
        request=a_body("Hello there", temperature=0.5),
        answer=sink.body.decode(),
        endpoint="dear/l",
        cost_usd=320e-6,
        others=("mid/m", "own/m", "dear/l", "best/l"),
        judges=(),
        budget_usd_per_day=5.0,
        keep_s=90 * 86_400.0,
        labels=(),
        require=NOTHING_REQUIRED,
    )


async def test_hands_over_the_headers_that_the_provider_was_asked_with_and_no_others() -> None:
    walking = Evaluating(the_world(), an_answer("Hello"), an_answer("Hello"), an_answer("Hello"))
    headers = {"anthropic-beta": "context-1m-2025-08-07", "authorization": "Bearer sk-client", "x-user": "ann"}
    await walking.send(a_body(max_tokens=100), surface=Surface.MESSAGES, headers=headers)
    await walking.send(a_body(), headers=headers)
    sent = (("anthropic-version", "2023-06-01"), ("anthropic-beta", "context-1m-2025-08-07"))
    assert [half.headers for half in walking.halves] == [sent, ()]
    await walking.send(a_body(max_tokens=100), surface=Surface.MESSAGES, headers={"anthropic-beta": "b\u00e9ta"})
    assert len(walking.halves) == 2, "nobody could be asked the same again"


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.MESSAGES])
async def test_of_a_stream_the_answer_is_every_event_that_the_client_got(surface: Surface) -> None:
    walking = Evaluating(the_world(), a_stream("Hel", "lo"))
    sink = await walking.send(a_body(stream=True, max_tokens=100), surface=surface)
    assert (sink.text, walking.half.answer, walking.half.surface) == ("Hello", sink.body.decode(), surface.value)


async def test_a_certificates_request_was_answered_below_and_the_tier_of_the_rules_is_asked() -> None:
    walking = Evaluating(certified(the_world()), an_answer(), endpoint="mid/m")
    await walking.ask()
    half = walking.half
    assert (half.lower, half.certificate, half.step, half.endpoint) == (True, "default/chat/1", 1, "mid/m")
    assert half.others == ("dear/l", "best/l")


async def test_the_answer_may_come_from_a_tier_that_both_would_have_asked() -> None:
    prices = {**PRICES, "dear/l": a_price(0.5)}
    walking = Evaluating(the_world(prices=prices), an_answer())
    await walking.ask()
    assert walking.half.others[0] == walking.half.endpoint == "dear/l"


async def test_the_score_is_the_models_where_there_is_one() -> None:
    walking = Evaluating(replace(the_world(), judge=PlayedJudge()), an_answer())
    await walking.ask()
    assert (walking.half.score, walking.half.model) == (0.7, walking.world.fingerprint())


async def test_what_nothing_was_learned_of_has_no_score_and_is_not_compared() -> None:
    walking = Evaluating(replace(the_world(), judge=PlayedJudge(None)), an_answer())
    await walking.ask()
    assert walking.halves == []


async def test_wishes_that_are_ours_are_left_out_of_the_request_and_kept_in_whom_they_allow() -> None:
    walking = Evaluating(the_world(), an_answer())
    await walking.ask(session_id="s-1", provider={"ignore": ["mid"]}, headers={"x-pointsman-tags": "team=kb"})
    assert (walking.half.request, walking.half.others[0]) == (a_body(), "own/m")


async def test_says_on_which_terms_the_texts_may_be_shown() -> None:
    labels = {name: Label(name) for name in ("public", "careful", "mine")}
    discreet = Privacy(trains_on_data=False, retention_days=0)
    providers = [a_provider(name.partition("/")[0], privacy=discreet) for name in TIERS]
    route = Route("default", sensitivity="careful", evaluate=EVALUATE)
    walking = Evaluating(the_world(labels=labels, providers=providers, routes=(route,)), an_answer())
    asked = {"zdr": True, "data_collection": "deny"}
    await walking.ask(provider=asked, headers={"x-pointsman-sensitivity": "mine"})
    assert walking.half.labels == ("careful", "mine")
    assert walking.half.require == Requirement(trains_on_data=False, retention_days=0)


async def test_a_cost_limit_binds_the_second_answer_too() -> None:
    walking = Evaluating(certified(the_world()), an_answer(), an_answer(), endpoint="mid/m")
    await walking.ask("Hello", max_tokens=100, headers={"x-pointsman-max-cost": "0.03"})
    assert walking.half.others == ("dear/l",)
    walking.halves.clear()
    await walking.ask("Hello", max_tokens=100, headers={"x-pointsman-max-cost": "0.01"})
    assert walking.halves == []  # the upper tier could not have answered


async def test_after_a_failover_it_is_the_answers_own_endpoint_and_cost() -> None:
    walking = Evaluating(the_world(), an_error(503))
    walking.upstream = type(walking.upstream)({"dear/l": [an_error(503)], "best/l": [an_answer()]})
    walking.walk.parts = walking.parts(walking.world)
    await walking.ask()
    assert walking.half.endpoint == "best/l"
    assert walking.half.cost_usd == pytest.approx(640e-6)


# -- who is not drawn ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "world",
    [
        the_world(None),
        the_world(Evaluate(0.02, 1)),
        the_world(task_tiers=TASK_TIERS),
        the_world(routes=(Route("default", evaluate=EVALUATE, tier_min=LARGE),)),
        the_world(routes=(Route("default", evaluate=EVALUATE, tier_max=1),)),
        the_world(
            routes=(Route("default", evaluate=EVALUATE, sensitivity="secret"),),
            labels={"secret": Label("secret", content_allowed=False)},
        ),
    ],
    ids=["not asked for", "another pair", "the lowest tier", "a floor", "a cap", "content: never"],
)
async def test_is_not_drawn_for_what_it_needs(world: World) -> None:
    walking = Evaluating(world)
    walking.upstream = type(walking.upstream)({name: [an_answer()] for name in TIERS})
    walking.walk.parts = walking.parts(world)
    assert ((await walking.ask()).status, walking.halves) == (200, [])


@pytest.mark.parametrize("fields", [{"n": 2}, {"model": "l"}, {"model": "tier:large"}, {"model": "dear/l"}])
async def test_is_not_drawn_for_what_it_asks(fields: dict[str, Any]) -> None:
    walking = Evaluating(the_world(), an_answer())
    assert ((await walking.ask(**fields)).status, walking.halves) == (200, [])


async def test_is_not_drawn_by_its_id() -> None:
    walking = Evaluating(the_world(), an_answer(), an_answer())
    for last_drawn, request_id in ((True, "051eb851" + "0" * 8), (False, "051eb852" + "0" * 8)):  # 2 % of 2**32
        walking.halves.clear()
        await walking.walk.answer(changed(walking.request(a_body()), id=request_id), RecordingSink())
        assert bool(walking.halves) is last_drawn


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([ROLE, says("Hel"), FailureKind.UNREACHABLE], "partial"),
        (an_error(400), "rejected"),
        (an_error(500), "failed"),
    ],
)
async def test_only_whole_answers_are_handed_over(script: Script, outcome: str) -> None:
    walking = Evaluating(the_world(routes=(Route("default", evaluate=EVALUATE),)), *[script] * 2)
    await walking.ask(stream=True, provider={"only": ["dear/l"]})
    assert (walking.row["outcome"], walking.halves) == (outcome, [])


async def test_nor_is_one_whose_client_left() -> None:
    walking = Evaluating(the_world(), [ROLE, says("Hel"), 60.0, *a_stream("lo")])
    asking = asyncio.create_task(walking.ask(stream=True))
    await asyncio.sleep(1.0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (walking.row["outcome"], walking.halves) == ("cancelled", [])


@pytest.mark.parametrize(("chars", "handed_over"), [(KEPT_BYTES // 2, 1), (KEPT_BYTES, 0)])
async def test_nor_one_that_is_too_long_to_be_kept(chars: int, handed_over: int) -> None:
    walking = Evaluating(the_world(), an_answer("x" * chars))
    sink = await walking.ask()
    assert (sink.status, len(sink.text), len(walking.halves)) == (200, chars, handed_over)


async def test_where_nobody_takes_them_no_answer_is_kept() -> None:
    walking = Evaluating(the_world(), an_answer())
    walking.walk.evaluator = None
    assert ((await walking.ask()).text, walking.halves) == ("Hello", [])


async def test_a_fault_of_the_evaluation_is_logged_and_the_answer_stands(caplog: pytest.LogCaptureFixture) -> None:
    def fails(half: Half) -> None:
        raise RuntimeError("no room")

    walking = Evaluating(the_world(), an_answer())
    walking.walk.evaluator = Evaluator(fails)
    with caplog.at_level(logging.ERROR):
        sink = await walking.ask()
    assert (sink.status, sink.text, walking.row["outcome"]) == (200, "Hello", "ok")
    assert "request 0000000000000001 was drawn for evaluation and cannot be handed over" in caplog.text


# -- who may judge -------------------------------------------------------------------------------------------------


async def judges(evaluate: Evaluate, keyless: Sequence[str] = (), **changes: Any) -> tuple[str, ...]:
    world = the_world(evaluate, **changes)
    walking = Evaluating(world, an_answer())
    walking.keys = type(walking.keys)(frozenset(keyless))
    walking.walk.parts = walking.parts(world)
    await walking.ask()
    return walking.half.judges


async def test_people_alone_are_no_endpoints() -> None:
    assert await judges(Evaluate(0.02, LARGE, judge="people")) == ()


async def test_a_model_judges_wherever_it_is_the_cheapest_first() -> None:
    assert await judges(Evaluate(0.02, LARGE, judge="model", judge_model="s")) == ("cheap/s",)
    assert await judges(Evaluate(0.02, LARGE, judge="model", judge_model="best/l")) == ("best/l",)


async def test_of_both_without_a_model_it_is_the_cheapest_of_the_upper_tier_that_has_not_answered() -> None:
    assert await judges(Evaluate(0.02, LARGE, judge="both")) == ("best/l",)


async def test_it_is_of_the_upper_tier_of_the_comparison_not_of_the_highest_there_is() -> None:
    walking = Evaluating(the_world(Evaluate(0.02, 1, judge="both"), task_tiers={**TASK_TIERS, "chat": 1}), an_answer(),
                         endpoint="mid/m")  # fmt: skip
    await walking.ask()
    assert walking.half.judges == ("own/m",)


async def test_nor_does_the_model_that_answered_judge_itself_elsewhere() -> None:
    weights = {"dear/l": "w", "best/l": "w", "third/l": "v"}
    endpoints = [an_endpoint(name, tier=LARGE, base_model=model) for name, model in weights.items()]
    world = a_world(
        an_endpoint("mid/m"), *endpoints, routes=(Route("default", evaluate=Evaluate(0.02, LARGE, judge="both")),),
        task_tiers={**TASK_TIERS, "chat": LARGE},
    )  # fmt: skip
    walking = Evaluating(world, an_answer())
    await walking.ask()
    assert walking.half.judges == ("third/l",)


async def test_who_answered_judges_only_where_nobody_else_can() -> None:
    both = Evaluate(0.02, LARGE, judge="both")
    assert await judges(both, keyless=["best"]) == ("dear/l",)
    same = [an_endpoint(name, tier=tier, base_model="w") for name, tier in TIERS.items()]
    world = a_world(
        *same, routes=(Route("default", evaluate=both),), task_tiers={**TASK_TIERS, "chat": LARGE}, prices=PRICES
    )
    walking = Evaluating(world, an_answer())
    await walking.ask()
    assert walking.half.judges == ("best/l",)  # the same weights elsewhere, rather than the endpoint itself


async def test_a_judge_whose_provider_has_no_key_here_is_none() -> None:
    assert await judges(Evaluate(0.02, LARGE, judge="model", judge_model="s"), keyless=["cheap"]) == ()
    assert await judges(Evaluate(0.02, LARGE, judge="model", judge_model="gone")) == ()


async def test_a_judge_must_be_allowed_to_see_what_it_judges() -> None:
    own = Privacy(trains_on_data=False)
    privacy = {"dear": own, "mid": own, "best": Privacy(trains_on_data=True)}
    providers = [a_provider(name, privacy=facts) for name, facts in privacy.items()]
    route = Route("default", sensitivity="careful", evaluate=Evaluate(0.02, LARGE, judge="both"))
    labels = {"careful": Label("careful", Requirement(trains_on_data=False))}
    assert await judges(EVALUATE, routes=(route,), providers=providers, labels=labels) == ("dear/l",)


async def test_a_judge_must_have_room_for_both_answers() -> None:
    endpoints = [an_endpoint(name, tier=tier, base_model=name) for name, tier in TIERS.items()]
    endpoints[0] = an_endpoint("cheap/s", tier=0, base_model="cheap/s", context=1_000)
    route = Route("default", evaluate=Evaluate(0.02, LARGE, judge="model", judge_model="s"))
    world = a_world(*endpoints, routes=(route,), task_tiers={**TASK_TIERS, "chat": LARGE}, prices=PRICES)
    walking = Evaluating(world, an_answer())
    await walking.ask()
    assert walking.half.judges == ()
