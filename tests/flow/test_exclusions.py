"""Who fell out and why: one mapping for all requests of a kind, unless something is wrong with one of them."""

from gateway.core.decision import Considered
from gateway.core.extras import NO_EXTRAS
from gateway.core.plan import Health, Ill
from gateway.core.policy import Route
from gateway.flow.consider import Planner
from gateway.flow.stage import Client, Moment
from tests.support.builders import EPOCH_S, START_S, a_body, a_world, an_ask, an_endpoint

WORLD = a_world(an_endpoint("a/small", tier=0), "b/medium", "c/medium", routes=(Route("default", tier_min=1),))
BROKEN = Ill("breaker_open", START_S + 30.0, 2.0)


def considered(planner: Planner, text: str) -> Considered:
    return planner.consider(an_ask(a_body(text)), NO_EXTRAS, Client(None, {}), Moment(EPOCH_S, START_S))


def test_requests_of_one_kind_share_what_is_excluded() -> None:
    planner = Planner(WORLD, lambda _: Health(), frozenset)
    one, other = considered(planner, "Hello there"), considered(planner, "Hi, how are you?")
    assert one.excluded == {"a/small": ("tier",)}
    assert one.excluded is other.excluded


def test_who_is_ill_is_excluded_from_one_request_alone() -> None:
    sick = {"b/medium": BROKEN}
    planner = Planner(WORLD, lambda _: Health(dict(sick)), frozenset)
    assert considered(planner, "Hello there").excluded == {"a/small": ("tier",), "b/medium": ("breaker_open",)}
    sick.clear()
    assert considered(planner, "Hello there").excluded == {"a/small": ("tier",)}
