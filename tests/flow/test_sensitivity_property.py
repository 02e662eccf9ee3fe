"""Sensitivity is never violated: not for any configuration, request or health, and not in a panic."""

from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from re import compile as pattern
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.extras import read_extras
from gateway.core.plan import Health, Ill
from gateway.core.policy import Label, Match, NamedModel, Requirement, Route
from gateway.core.refusal import Refused
from gateway.core.scan import Scanner
from gateway.flow.consider import Planner
from gateway.flow.stage import Client, Moment
from gateway.flow.world import World
from gateway.formats.registry import surface as surface_named
from tests.support.builders import EPOCH_S, START_S, a_provider, a_world, an_endpoint
from tests.support.guarantees import TODAY, demands, facts, guarantees

PROVIDERS = ("p0", "p1", "p2")
LABELS = ("internal", "pii", "eu")
SECRET = "write to ada.berg@northwind-traders.com"


@cache
def scanner() -> Scanner:
    return Scanner.compile()


@dataclass(frozen=True)
class Case:
    world: World
    health: Health
    body: dict[str, Any]
    headers: dict[str, str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    providers = [a_provider(name, privacy=draw(facts)) for name in PROVIDERS]
    endpoints = [
        an_endpoint(f"{name}/{model}", base_model=model, tier=draw(st.none() | st.integers(0, 2)))
        for name in PROVIDERS for model in ("x", "y") if draw(st.booleans())
    ]  # fmt: skip
    labels = {name: Label(name, draw(demands), detect=draw(st.booleans())) for name in LABELS}
    routes = [
        Route(
            f"r{n}",
            draw(st.sampled_from([Match(), Match(headers=(("x-team", pattern(translate("a"))),))])),
            sensitivity=draw(st.none() | st.sampled_from(LABELS)),
            named_model=draw(st.sampled_from(NamedModel)),
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    world = a_world(*endpoints, providers=providers, labels=labels, routes=tuple(routes), scanner=scanner())
    ids = [endpoint.id for endpoint in endpoints]
    ill = {name: Ill(draw(st.sampled_from(["breaker_open", "rate_limited"]))) for name in ids if draw(st.booleans())}
    models = [name.partition("/")[2] for name in ids]
    names = st.sampled_from(["auto", "tier:small", f"auto:{routes[0].name}", *ids, *models])
    body: dict[str, Any] = {
        "model": draw(names),
        "models": draw(st.lists(names, max_size=2)),
        "messages": [{"role": "user", "content": draw(st.sampled_from(["plain", SECRET]))}],
        "metadata": {"note": draw(st.sampled_from(["plain", SECRET]))},
        "provider": {"allow_fallbacks": draw(st.none() | st.booleans()), "zdr": draw(st.booleans())},
    }
    headers = {}
    if draw(st.booleans()):
        headers["x-team"] = "a"
    if asked := draw(st.lists(st.sampled_from(LABELS), max_size=2)):
        headers["x-pointsman-sensitivity"] = ",".join(asked)
    if draw(st.booleans()):
        headers["x-pointsman-route"] = draw(st.sampled_from(routes)).name
    return Case(world, Health(ill), body, headers)


def demanded(case: Case) -> list[Requirement]:
    """What the case demands, told apart from the code under test."""
    policy = case.world.policy
    names = set(filter(None, case.headers.get("x-pointsman-sensitivity", "").split(",")))
    named = {case.headers.get("x-pointsman-route"), case.body["model"].removeprefix("auto:")}
    for route in policy.routes:
        fitting = not route.match.headers or case.headers.get("x-team") == "a"
        if route.sensitivity is not None and (fitting or route.name in named):
            names.add(route.sensitivity)
    if SECRET in (case.body["messages"][0]["content"], case.body["metadata"]["note"]):
        names.update(label.name for label in policy.labels.values() if label.detect)
    extra = [Requirement(retention_days=0)] if case.body["provider"]["zdr"] else []
    return [policy.labels[name].require for name in names] + extra


@settings(max_examples=300, deadline=None)
@given(cases())
def test_every_endpoint_that_may_be_tried_guarantees_all_that_is_required(case: Case) -> None:
    planner = Planner(case.world, lambda _: case.health, lambda: frozenset())
    extras, rest = read_extras(case.body, case.headers, case.world.policy)
    ask = surface_named(Surface.CHAT).parse(rest, 100, case.headers)
    try:
        found = planner.consider(ask, extras, Client(None, case.headers), Moment(EPOCH_S, START_S))
    except Refused:
        return
    for step in (*found.steps, *found.others):
        privacy = case.world.policy.catalog.providers[step.endpoint.provider].privacy
        assert all(guarantees(privacy, demand, TODAY) for demand in demanded(case))
        assert found.panic == (step.endpoint.id in case.health.ill)
