"""What a route says of models: which `auto` means, and which come when the one that is named cannot serve."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Operation
from gateway.core.extras import Extras, read_extras
from gateway.core.plan import Health
from gateway.core.policy import Limits, Match, NamedModel, Route, Variant
from gateway.core.refusal import Refused
from gateway.flow.consider import Planner
from gateway.flow.stage import Client, Moment
from gateway.flow.world import World
from gateway.formats.registry import surface as surface_named
from tests.support.builders import EPOCH_S, START_S, a_body, a_world, an_ask, an_endpoint

CHEAP, MIDDLE, DEAR = "a/cheap", "b/middle", "c/dear"
VECTORS = an_endpoint("v/e", operation=Operation.EMBEDDINGS)
OTHER_VECTORS = an_endpoint("w/f", operation=Operation.EMBEDDINGS)
NOBODY: frozenset[str] = frozenset()


def plan(world: World, body: dict[str, Any], surface: Surface = Surface.CHAT) -> list[str]:
    extras, rest = read_extras(body, {}, world.policy)
    planner = Planner(world, lambda _: Health(), lambda: NOBODY)
    ask = surface_named(surface).parse(rest, 100, {})
    considered = planner.consider(ask, extras, Client(None, {}), Moment(EPOCH_S, START_S))
    return [step.endpoint.id for step in considered.steps]


def embedding(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "input": "x", **fields}


# -- what auto means -------------------------------------------------------------------------------------------------


def test_auto_is_the_cheapest_of_the_models_of_the_route() -> None:
    world = a_world(CHEAP, MIDDLE, DEAR, routes=(Route("d", models=("dear", "b/middle")),))
    assert plan(world, a_body()) == [MIDDLE, DEAR]
    assert plan(world, a_body(model="cheap")) == [CHEAP]


def test_a_model_that_a_route_names_serves_whatever_its_tier_and_age() -> None:
    old = an_endpoint("a/old", tier=None, deprecated=True)
    assert plan(a_world(old, DEAR, routes=(Route("d", models=("old",)),)), a_body()) == ["a/old"]


def test_every_name_is_one_of_the_models_of_a_route_where_names_mean_nothing() -> None:
    route = Route("d", named_model=NamedModel.ANY, models=(MIDDLE,), split=(Variant("a", 1, (DEAR,)),))
    world = a_world(CHEAP, MIDDLE, DEAR, routes=(route,))
    assert plan(world, a_body(model="cheap")) == [MIDDLE]
    assert plan(world, a_body(model="gpt-that-nobody-has")) == [MIDDLE]


def test_an_unknown_name_is_refused_where_names_mean_something() -> None:
    anything = Route("any", match=Match(), named_model=NamedModel.ANY)
    world = a_world(CHEAP, routes=(Route("d"), anything))
    with pytest.raises(Refused):
        plan(world, a_body(model="nothing"))
    assert plan(a_world(CHEAP, routes=(anything,)), a_body(model="nothing")) == [CHEAP]


def test_a_split_orders_the_models_of_the_route() -> None:
    split = (Variant("only", 1, (DEAR, CHEAP)),)
    world = a_world(CHEAP, MIDDLE, DEAR, routes=(Route("d", models=("cheap", "dear"), split=split),))
    assert plan(world, a_body()) == [DEAR, CHEAP]


def test_models_count_for_what_they_can_be_asked_alone() -> None:
    world = a_world(CHEAP, MIDDLE, VECTORS, OTHER_VECTORS, routes=(Route("d", models=("f", "e", "middle")),))
    assert plan(world, a_body()) == [MIDDLE]
    assert plan(world, embedding("auto"), Surface.EMBEDDINGS) == ["w/f"]
    vectors_alone = a_world(CHEAP, VECTORS, routes=(Route("d", models=("e",)),))
    assert plan(vectors_alone, a_body()) == [CHEAP]
    with pytest.raises(Refused) as caught:
        plan(a_world(CHEAP, VECTORS, routes=(Route("d", models=("cheap",)),)), embedding("auto"), Surface.EMBEDDINGS)
    assert caught.value.refusal.param == "model"


# -- what comes after ------------------------------------------------------------------------------------------------


def test_fallbacks_of_the_route_come_behind_what_is_named() -> None:
    world = a_world(CHEAP, MIDDLE, DEAR, routes=(Route("d", fallbacks=("middle", "a/cheap")),))
    assert plan(world, a_body(model="dear")) == [DEAR, MIDDLE, CHEAP]


def test_the_requests_own_models_take_the_place_of_the_routes() -> None:
    world = a_world(CHEAP, MIDDLE, DEAR, routes=(Route("d", fallbacks=("middle",)),))
    assert plan(world, a_body(model="dear", models=["cheap"])) == [DEAR, CHEAP]
    assert plan(world, a_body(model="dear", provider={"allow_fallbacks": False})) == [DEAR]


def test_vectors_never_fall_back_to_another_model() -> None:
    same = an_endpoint("x/e2", base_model="e", operation=Operation.EMBEDDINGS)
    world = a_world(VECTORS, OTHER_VECTORS, same, routes=(Route("d", fallbacks=("f", "x/e2")),))
    assert plan(world, embedding("v/e"), Surface.EMBEDDINGS) == ["v/e", "x/e2"]
    with pytest.raises(Refused):
        plan(world, embedding("e", models=["f"]), Surface.EMBEDDINGS)


# -- how often -------------------------------------------------------------------------------------------------------


def tried(world: World, tries: int | None, **fields: Any) -> tuple[list[str], list[str], int]:
    """The plan, those behind it, and the attempts."""
    planner = Planner(world, lambda _: Health(), lambda: NOBODY)
    extras = Extras(models=("cheap",), tries=tries)
    found = planner.consider(an_ask(**fields), extras, Client(None, {}), Moment(EPOCH_S, START_S))
    return [step.endpoint.id for step in found.steps], [step.endpoint.id for step in found.others], found.attempts


TWINS = tuple(an_endpoint(f"{name}/m", base_model="m") for name in ("x", "y", "z"))


@pytest.mark.parametrize(
    ("tries", "most", "plan", "behind"),
    [
        (None, 4, ["x/m", "y/m", "z/m", CHEAP], []),
        (1, 4, ["x/m", CHEAP], ["y/m", "z/m"]),
        (2, 4, ["x/m", "y/m", CHEAP], ["z/m"]),
        (9, 4, ["x/m", "y/m", "z/m", CHEAP], []),
        (2, 2, ["x/m", "y/m"], [CHEAP, "z/m"]),
    ],
)
def test_each_model_has_its_tries_before_the_next_and_never_more_than_the_route_allows(
    tries: int | None, most: int, plan: list[str], behind: list[str]
) -> None:
    world = a_world(*TWINS, CHEAP, routes=(Route("d", limits=Limits(attempts=most)),))
    assert tried(world, tries, model="m") == (plan, behind, min(most, max(len(plan), 1)) if tries else most)


def test_a_single_model_has_its_tries_alone() -> None:
    planner = Planner(a_world(*TWINS), lambda _: Health(), lambda: NOBODY)
    found = planner.consider(an_ask(model="m"), Extras(tries=2), Client(None, {}), Moment(EPOCH_S, START_S))
    assert ([step.endpoint.id for step in found.steps], found.attempts) == (["x/m", "y/m"], 2)
