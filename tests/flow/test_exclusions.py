"""Who fell out and why: one mapping for all requests of which the same is true."""

import pytest
from msgspec.structs import replace

from gateway.core.decision import Considered
from gateway.core.extras import NO_EXTRAS
from gateway.core.plan import Health, Ill
from gateway.core.policy import Route
from gateway.core.screen import Screened
from gateway.flow.consider import Planner
from gateway.flow.exclusions import KEPT, Exclusions
from gateway.flow.refuse import Unroutable
from gateway.flow.stage import Client, Moment
from tests.support.builders import EPOCH_S, START_S, a_body, a_world, an_ask, an_endpoint

WORLD = a_world(an_endpoint("a/small", tier=0), "b/medium", "c/medium", routes=(Route("default", tier_min=1),))
BROKEN = Ill("breaker_open", START_S + 30.0, 2.0)


def considered(planner: Planner, text: str, models: tuple[str, ...] = ()) -> Considered:
    ask = an_ask(a_body(text, *models[:1]))
    return planner.consider(ask, replace(NO_EXTRAS, models=models[1:]), Client(None, {}), Moment(EPOCH_S, START_S))


def test_requests_of_one_kind_share_what_is_excluded() -> None:
    planner = Planner(WORLD, lambda _: Health(), frozenset)
    one, other = considered(planner, "Hello there"), considered(planner, "Hi, how are you?")
    assert one.excluded == {"a/small": ("tier",)}
    assert one.excluded is other.excluded


def test_an_outage_is_told_by_one_mapping_until_it_changes() -> None:
    sick = {"b/medium": BROKEN}
    planner = Planner(WORLD, lambda _: Health(dict(sick)), frozenset)
    one, other = considered(planner, "Hello there"), considered(planner, "Hi, how are you?")
    assert one.excluded == {"a/small": ("tier",), "b/medium": ("breaker_open",)}
    assert one.excluded is other.excluded
    sick["c/medium"] = Ill("rate_limited", None, 3.5)
    sick["b/medium"] = Ill("rate_limited", START_S + 30.0, 3.5)
    with pytest.raises(Unroutable) as caught:
        considered(planner, "Hello there")
    assert caught.value.considered.excluded == {
        "a/small": ("tier",), "b/medium": ("rate_limited",), "c/medium": ("rate_limited",),
    }  # fmt: skip
    sick.clear()
    assert considered(planner, "Hello there").excluded == {"a/small": ("tier",)}
    assert one.excluded == {"a/small": ("tier",), "b/medium": ("breaker_open",)}


def test_what_several_names_exclude_is_told_together() -> None:
    planner = Planner(WORLD, lambda _: Health({"b/medium": BROKEN}), frozenset)
    found = considered(planner, "Hello there", models=("c/medium", "b/medium", "a/small"))
    assert [step.endpoint.id for step in found.steps] == ["c/medium"]
    assert found.excluded == {"b/medium": ("breaker_open",), "a/small": ("tier",)}


def test_remembers_few_groups() -> None:
    exclusions, kept = Exclusions(), []
    for number in range(3 * KEPT):
        screened = Screened((), {"a/m": ("tier",)})
        kept.append(screened)
        assert exclusions.of(screened, {f"b/{number}": "price"}) == {"a/m": ("tier",), f"b/{number}": ("price",)}
    assert len(exclusions._latest) <= KEPT
