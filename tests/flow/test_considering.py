"""From a parsed request to its plan, stage by stage."""

import asyncio
import re
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Operation
from gateway.core.decision import Considered
from gateway.core.escalation import Escalation
from gateway.core.extras import NO_EXTRAS, read_extras
from gateway.core.plan import Health, Ill
from gateway.core.policy import Escalate, Label, Limits, Match, NamedModel, Requirement, Route
from gateway.core.refusal import Refused
from gateway.core.scan import Scanner
from gateway.flow.consider import Planner
from gateway.flow.detect import detected_with_pauses
from gateway.flow.screening import MEMO_LIMIT
from gateway.flow.stage import Client, Moment
from gateway.flow.world import World
from gateway.formats.registry import surface as surface_named
from tests.support.builders import EPOCH_S, START_S, TASK_TIERS, a_body, a_price, a_world, an_endpoint

NOBODY: frozenset[str] = frozenset()
SMALL, MEDIUM, LARGE = an_endpoint("s/small", tier=0), an_endpoint("m/medium", tier=1), an_endpoint("l/large", tier=2)
CODE = "Refactor this function and write a unit test for the stack trace in the traceback."


def planned(
    world: World, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None,
    planner: Planner | None = None, surface: Surface = Surface.CHAT, health: Health | None = None,
) -> Considered:  # fmt: skip
    given = headers or {}
    extras, rest = read_extras(body or a_body(), given, world.policy)
    ask = surface_named(surface).parse(rest, len(repr(rest)), given)
    maker = planner or Planner(world, lambda _: health or Health(), lambda: NOBODY)
    return maker.consider(ask, extras, Client(None, given), Moment(EPOCH_S, START_S))


def plan(*args: Any, **kwargs: Any) -> list[str]:
    return [step.endpoint.id for step in planned(*args, **kwargs).steps]


# -- tier ------------------------------------------------------------------------------------------------------------


def tiered(**route: Any) -> World:
    return a_world(SMALL, MEDIUM, LARGE, task_tiers={**TASK_TIERS, "code": 2}, routes=(Route("default", **route),))


@pytest.mark.parametrize(
    ("body", "headers", "route", "expected"),
    [
        (a_body("Hello"), {}, {}, ["s/small", "m/medium", "l/large"]),
        (a_body(CODE), {}, {}, ["l/large"]),
        (a_body(CODE), {"x-pointsman-task": "chat"}, {}, ["s/small", "m/medium", "l/large"]),
        (a_body("Hello"), {"x-pointsman-task": "code"}, {}, ["l/large"]),
        (a_body("Hello"), {"x-pointsman-tier": "medium"}, {}, ["m/medium", "l/large"]),
        (a_body("Hello", model="tier:medium"), {}, {}, ["m/medium", "l/large"]),
        (a_body("Hello"), {}, {"tier_min": 1}, ["m/medium", "l/large"]),
        (a_body(CODE), {}, {"tier_max": 1}, ["m/medium", "l/large"]),
        (a_body("Hello"), {}, {"tier_max": 1}, ["s/small", "m/medium", "l/large"]),
        (a_body(CODE, model="small"), {}, {}, ["s/small"]),
        (a_body(CODE, model="medium"), {}, {"named_model": NamedModel.TIER}, ["m/medium", "l/large"]),
        (a_body("Hello", model="large"), {}, {"named_model": NamedModel.ANY}, ["s/small", "m/medium", "l/large"]),
        (a_body(CODE, model="large"), {}, {"named_model": NamedModel.ANY}, ["l/large"]),
    ],
)
def test_requires_the_tier(
    body: dict[str, Any], headers: dict[str, str], route: dict[str, Any], expected: list[str]
) -> None:
    assert plan(tiered(**route), body, headers) == expected


@pytest.mark.parametrize(("headers", "route"), [({"x-pointsman-tier": "large"}, {}), ({}, {"tier_min": 2})])
def test_a_tier_that_is_asked_for_holds_for_a_named_model_too(headers: dict[str, str], route: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        planned(tiered(**route), a_body(model="small"), headers)


def test_lets_unknown_and_deprecated_models_serve_only_when_named() -> None:
    world = a_world(SMALL, an_endpoint("x/unknown", tier=None), an_endpoint("y/old", deprecated=True))
    assert plan(world) == ["s/small"]
    assert (plan(world, a_body(model="unknown")), plan(world, a_body(model="old"))) == (["x/unknown"], ["y/old"])


def test_knows_no_model_that_is_as_good_as_one_of_unknown_tier() -> None:
    world = a_world(SMALL, an_endpoint("x/unknown", tier=None), routes=(Route("d", named_model=NamedModel.TIER),))
    assert plan(world, a_body(model="unknown")) == ["x/unknown"]


# -- names -----------------------------------------------------------------------------------------------------------

SAME = [an_endpoint(name, base_model="w") for name in ("alpha/w", "beta/w", "gamma/w")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (a_body(model="w"), ["alpha/w", "beta/w", "gamma/w"]),
        (a_body(model="beta/w"), ["beta/w"]),
        (a_body(model="beta/w", provider={"allow_fallbacks": True}), ["beta/w", "alpha/w", "gamma/w"]),
        (a_body(model="beta/w", models=["gamma/w", "other"]), ["beta/w", "gamma/w", "o/other"]),
        (a_body(model="other", models=["auto"]), ["o/other", "alpha/w", "beta/w", "gamma/w"]),
        (a_body(model="w", models=["w"]), ["alpha/w", "beta/w", "gamma/w"]),
        (a_body(model="w", provider={"order": ["gamma", "beta/w"]}), ["gamma/w", "beta/w", "alpha/w"]),
        (a_body(model="w", provider={"only": ["beta"]}), ["beta/w"]),
        (a_body(model="w", provider={"ignore": ["alpha", "gamma/w"]}), ["beta/w"]),
        (a_body(model="w", provider={"allow_fallbacks": False}), ["alpha/w"]),
        (a_body(model="w", provider={"max_price": {"prompt": 2}}), ["alpha/w", "beta/w"]),
    ],
)
def test_tries_what_the_request_names_in_its_order(body: dict[str, Any], expected: list[str]) -> None:
    assert plan(a_world(*SAME, "o/other"), body) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("price", ["a/m", "b/m"]), ("latency", ["b/m", "a/m"]), ("throughput", ["b/m", "a/m"])],
)
def test_sorts_as_the_request_wishes(sort: str, expected: list[str]) -> None:
    health = Health(ttft_p95_ms={"a/m": 900.0, "b/m": 90.0}, total_p50_ms={"a/m": 900.0, "b/m": 90.0})
    assert plan(a_world("a/m", "b/m"), a_body(provider={"sort": sort}), health=health) == expected


def test_does_not_count_as_excluded_what_another_name_lets_in() -> None:
    world = a_world(SMALL, LARGE)
    found = planned(world, a_body(model="large", models=["auto"]), {})
    assert (list(found.excluded), len(found.steps)) == ([], 2)


def test_keeps_the_plan_short_and_the_rest_behind_it() -> None:
    world = a_world(*(f"p{n}/m" for n in range(7)), routes=(Route("d", limits=Limits(attempts=3)),))
    found = planned(world)
    assert (len(found.steps), len(found.others), found.attempts) == (3, 4, 3)


def test_drops_hints_unless_the_request_requires_its_parameters() -> None:
    world = a_world(an_endpoint("a/m", api="anthropic"), "b/m")
    assert plan(world, a_body(seed=7)) == ["a/m", "b/m"]
    assert plan(world, a_body(seed=7, provider={"require_parameters": True})) == ["b/m"]


# -- routes and labels -----------------------------------------------------------------------------------------------


def test_the_floor_of_a_route_that_fits_stands_whichever_route_is_named() -> None:
    strict = Route("strict", Match(headers=(("x-team", re.compile("legal")),)), sensitivity="secret")
    world = a_world(
        "a/m", routes=(strict, Route("lax")), labels={"secret": Label("secret", Requirement(retention_days=0))}
    )
    for headers in ({"x-team": "legal", "x-pointsman-route": "lax"}, {"x-team": "legal"}):
        with pytest.raises(Refused) as caught:
            planned(world, a_body(model="auto"), headers)
        assert caught.value.refusal.details["excluded"] == {"sensitivity": 1}
    with pytest.raises(Refused):
        planned(world, a_body(model="auto:lax"), {"x-team": "legal"})
    assert plan(world, a_body(model="auto:lax")) == ["a/m"]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.compile()


def detecting(scanner: Scanner) -> World:
    labels = {"public": Label("public"), "pii": Label("pii", detect=True)}
    return a_world("a/m", scanner=scanner, labels=labels)


PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (a_body("Hello there"), False),
        (a_body("Write to jane.doe@example.com"), True),
        (a_body("Hello", metadata={"customer": "jane.doe@example.com"}), True),
        (a_body("Hello", user="jane.doe@example.com"), True),
        (a_body("Hello", prediction={"type": "content", "content": "card 4111 1111 1111 1111"}), True),
        (a_body("Hello", future_field=[{"deep": {"jane.doe@example.com": 1}}]), True),
        (a_body("x " * 50_000 + "jane.doe@example.com" + " x" * 50_000), True),
    ],
)
def test_finds_personal_data_wherever_in_the_body_it_stands(
    scanner: Scanner, body: dict[str, Any], found: bool
) -> None:
    labels = [label.name for label in planned(detecting(scanner), body).labels]
    assert labels == (["pii"] if found else [])


@pytest.mark.parametrize(("secret", "labels"), [("", []), ("jane.doe@example.com", ["pii"])])
async def test_lets_others_run_while_it_reads_a_large_request(scanner: Scanner, secret: str, labels: list[str]) -> None:
    planner = Planner(detecting(scanner), lambda _: Health(), lambda: NOBODY)
    body = a_body("1234.5678 9012.3456 " * 20_000 + secret)
    ask = surface_named(Surface.CHAT).parse(body, len(repr(body)), {})
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    found = await planner.considered(ask, NO_EXTRAS, Client(None, {}), Moment(EPOCH_S, START_S))
    running.cancel()
    assert [label.name for label in found.labels] == labels
    assert turns >= 6  # slices of 64 KiB


async def test_a_large_request_that_cannot_be_read_or_need_not_be_is_not_read(scanner: Scanner) -> None:
    image = {"model": "auto", "messages": [{"role": "user", "content": [PNG, {"type": "text", "text": "x " * 40_000}]}]}
    ask = surface_named(Surface.CHAT).parse(image, 80_000, {})
    assert await detected_with_pauses(scanner, ask)
    assert not await detected_with_pauses(None, ask)


def test_takes_what_it_cannot_read_for_personal_data(scanner: Scanner) -> None:
    labels = {"pii": Label("pii", detect=True)}
    seeing = an_endpoint("a/m", caps=frozenset({"vision"}))
    embedding = an_endpoint("e/e", operation=Operation.EMBEDDINGS)
    world = a_world(seeing, embedding, scanner=scanner, labels=labels)
    image = {"model": "auto", "messages": [{"role": "user", "content": [PNG]}]}
    assert [label.name for label in planned(world, image).labels] == ["pii"]
    tokens = {"model": "e", "input": [[1, 2, 3]]}
    assert [label.name for label in planned(world, tokens, surface=Surface.EMBEDDINGS).labels] == ["pii"]
    text = {"model": "e", "input": "plain"}
    assert planned(world, text, surface=Surface.EMBEDDINGS).labels == ()


# -- embeddings ------------------------------------------------------------------------------------------------------


def test_embeddings_keep_to_one_model_and_one_length_of_vectors_whoever_is_ill() -> None:
    rows = [
        an_endpoint("a/e", base_model="e", operation=Operation.EMBEDDINGS, dimensions=1_024),
        an_endpoint("b/e", base_model="e", operation=Operation.EMBEDDINGS, dimensions=512),
        an_endpoint("c/e", base_model="e", operation=Operation.EMBEDDINGS),
        an_endpoint("d/f", operation=Operation.EMBEDDINGS),
    ]
    world = a_world(*rows)
    body = {"model": "e", "input": "x"}
    assert plan(world, body, surface=Surface.EMBEDDINGS) == ["a/e", "c/e"]
    ill = Health({"a/e": Ill("breaker_open")})
    assert plan(world, body, surface=Surface.EMBEDDINGS, health=ill) == ["c/e"]
    shorter = {**body, "dimensions": 256}
    assert plan(world, shorter, surface=Surface.EMBEDDINGS) == ["a/e", "b/e", "c/e"]
    assert plan(world, {**body, "models": ["c/e"]}, surface=Surface.EMBEDDINGS) == ["a/e", "c/e"]


def test_embeddings_are_routed_where_the_route_pins_a_model() -> None:
    row = an_endpoint("a/e", operation=Operation.EMBEDDINGS)
    world = a_world(row, routes=(Route("d", models=("e",)),))
    found = planned(world, {"model": "auto", "input": "x"}, surface=Surface.EMBEDDINGS)
    assert ([step.endpoint.id for step in found.steps], found.task) == (["a/e"], "embeddings")


# -- escalation ------------------------------------------------------------------------------------------------------

ESCALATING = Route("default", escalate=Escalate(0.5, 2))


def test_escalates_its_share_of_auto_requests_and_of_no_others() -> None:
    world = a_world(SMALL, LARGE, routes=(ESCALATING,))
    planner = Planner(world, lambda _: Health(), lambda: NOBODY)
    found = [planned(world, planner=planner).escalated for _ in range(200)]
    assert 82 <= sum(found) <= 118
    named = [planned(world, a_body(model="small"), planner=planner).escalated for _ in range(50)]
    counted = [
        planned(world, a_body(max_tokens=5), planner=planner, surface=Surface.COUNT_TOKENS).escalated for _ in range(50)
    ]
    assert sum(named) == sum(counted) == 0


@pytest.mark.parametrize(("bad", "task"), [({}, "code"), ({"chat": 0.9}, "chat"), ({"factual": 0.9}, "code")])
def test_escalates_what_did_badly_before_what_only_looks_difficult(bad: dict[str, float], task: str) -> None:
    world = a_world(SMALL, LARGE, routes=(Route("default", escalate=Escalate(0.5, 2, "feedback", bad)),))
    planner = Planner(world, lambda _: Health(), lambda: NOBODY)
    texts = ("Hello there", "Write a Python function that sorts a list")
    found = [planned(world, a_body(texts[number % 2]), planner=planner) for number in range(200)]
    picked = [one.task for one in found if one.escalated]
    assert picked.count(task) > 0.9 * len(picked)
    assert {one.difficulty for one in found if one.task == "chat"} == {0.0}


def test_questions_take_nothing_of_the_share() -> None:
    world = a_world(SMALL, LARGE, routes=(ESCALATING,))
    asked, quiet = (Planner(world, lambda _: Health(), lambda: NOBODY) for _ in range(2))
    for _ in range(100):
        planned(world, planner=asked.aside())
        assert planned(world, planner=asked).escalated == planned(world, planner=quiet).escalated


def test_a_reload_keeps_the_account_of_a_route_whose_share_has_not_changed() -> None:
    before = {"default": Escalation(0.5), "gone": Escalation(0.1)}
    kept = Planner(a_world(SMALL, routes=(ESCALATING,)), lambda _: Health(), lambda: NOBODY, before)
    assert (list(kept.accounts), kept.accounts["default"]) == (["default"], before["default"])
    changed = (Route("default", escalate=Escalate(0.4, 2)),)
    fresh = Planner(a_world(SMALL, routes=changed), lambda _: Health(), lambda: NOBODY, before)
    assert fresh.accounts["default"] is not before["default"]


# -- sessions --------------------------------------------------------------------------------------------------------


def conversation(turns: int, opening: str = "Hello", ask: str = "Tell me more") -> dict[str, Any]:
    messages = [{"role": "system", "content": "You are kind. " * 50}, {"role": "user", "content": opening}]
    for _ in range(turns):
        messages += [{"role": "assistant", "content": "Well. " * 300}, {"role": "user", "content": ask}]
    return {"model": "auto", "messages": messages}


@pytest.mark.case("P3")
def test_every_turn_of_a_conversation_goes_to_the_same_endpoint_from_every_replica() -> None:
    names = [f"p{n}/m" for n in range(5)]
    prices = dict.fromkeys(names, a_price(1.0, cached_input=0.1))
    homes = set()
    for start in range(20):
        replicas = (a_world(*names, prices=prices), a_world(*names, prices=prices))
        tried = {plan(replicas[turn % 2], conversation(turn, opening=f"Question {start}"))[0] for turn in range(10)}
        assert len(tried) == 1
        homes |= tried
    assert len(homes) > 1


@pytest.mark.case("P3")
def test_a_conversation_stays_although_its_tasks_and_size_change_what_is_cheapest() -> None:
    """The home is where the first request went: judged by its own task, tier and length, not by the latest turn's."""
    world = a_world(
        an_endpoint("out/m", tier=1), an_endpoint("in/m", tier=1), an_endpoint("s/m", tier=0),
        prices={
            "out/m": a_price(1.0, 3.0, cached_input=0.1), "in/m": a_price(0.9, 4.0, cached_input=0.1),
            "s/m": a_price(0.88, 2.9, cached_input=0.1),
        },
        task_tiers={**TASK_TIERS, "code": 2}, routes=(Route("default", tier_max=1),),
    )  # fmt: skip
    tried = [plan(world, conversation(turn, opening=CODE, ask="Thanks a lot!"))[0] for turn in range(6)]
    assert tried == ["out/m"] * 6


def test_a_session_named_by_the_client_holds_across_conversations() -> None:
    names = [f"p{n}/m" for n in range(5)]
    world = a_world(*names, prices=dict.fromkeys(names, a_price(1.0)))
    by_body = {plan(world, a_body(f"Text {n}", session_id="s1"))[0] for n in range(20)}
    by_header = {plan(world, a_body(f"Text {n}"), {"x-pointsman-session": "s1"})[0] for n in range(20)}
    assert by_body == by_header
    assert len(by_body) == 1


# -- memo ------------------------------------------------------------------------------------------------------------


def test_remembers_equal_demands_and_forgets_when_there_are_too_many() -> None:
    world = a_world("a/m")
    planner = Planner(world, lambda _: Health(), lambda: NOBODY)
    for _ in range(3):
        planned(world, planner=planner)
    assert len(planner.screening) == 1
    for n in range(MEMO_LIMIT + 5):
        planned(world, a_body(model="m", provider={"ignore": [], "order": ["a"] * n}), planner=planner)
    assert len(planner.screening) <= MEMO_LIMIT


def test_a_provider_that_gets_its_key_is_in_at_once() -> None:
    missing = {"a"}
    world = a_world("a/m", "b/m")
    planner = Planner(world, lambda _: Health(), lambda: frozenset(missing))
    assert plan(world, planner=planner) == ["b/m"]
    missing.clear()
    assert plan(world, planner=planner) == ["a/m", "b/m"]
