"""Which route a request takes, and which arm of its split."""

import re
from collections import Counter
from fnmatch import translate

import pytest

from gateway.core.policy import Match, Policy, Route, Variant
from gateway.core.routes import Taken, draw_of, fits, take, variant_of
from tests.support.builders import a_catalog, a_policy


def glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)


SUPPORT = Route(
    "support",
    Match(headers=(("x-team", glob("support")),), keys=(glob("kb-*"),), models=(glob("auto"), glob("gpt-*"))),
    sensitivity="pii",
)
LEGAL = Route("legal", Match(headers=(("x-team", glob("*")),)), sensitivity="internal")
LAX = Route("lax")
DEFAULT = Route("default")


def a_routed_policy() -> Policy:
    return a_policy(a_catalog("alpha/m"), routes=(SUPPORT, LEGAL, LAX, DEFAULT))


@pytest.mark.parametrize(
    ("headers", "key_id", "model", "fitting"),
    [
        ({"x-team": "support"}, "kb-search", "gpt-4o", True),
        ({"x-team": "Support"}, "KB-1", "AUTO", True),
        ({"x-team": "sales"}, "kb-search", "gpt-4o", False),
        ({}, "kb-search", "gpt-4o", False),
        ({"x-team": "support"}, "web", "gpt-4o", False),
        ({"x-team": "support"}, None, "gpt-4o", False),
        ({"x-team": "support"}, "kb-search", "claude", False),
    ],
)
def test_fits_when_every_condition_does(headers: dict[str, str], key_id: str | None, model: str, fitting: bool) -> None:
    assert fits(SUPPORT.match, headers, key_id, model) is fitting


def test_takes_the_first_that_fits_and_every_floor() -> None:
    taken = take(a_routed_policy(), {"x-team": "support"}, "kb-1", "auto", None)
    assert taken == Taken(SUPPORT, ("pii", "internal"))


def test_keeps_the_floors_of_fitting_routes_when_a_lax_one_is_named() -> None:
    taken = take(a_routed_policy(), {"x-team": "support"}, "kb-1", "auto", "lax")
    assert taken == Taken(LAX, ("pii", "internal"))


def test_adds_the_floor_of_a_named_route_that_does_not_fit() -> None:
    assert take(a_routed_policy(), {}, None, "auto", "support") == Taken(SUPPORT, ("pii",))


def test_takes_the_last_route_where_none_fits() -> None:
    policy = a_policy(a_catalog("alpha/m"), routes=(SUPPORT,))
    assert take(policy, {}, None, "auto", None) == Taken(SUPPORT, ("pii",))


SPLIT = Route("ab", split=(Variant("control", 90), Variant("candidate", 10)))


def test_has_no_variant_without_a_split() -> None:
    assert variant_of(DEFAULT, "s1") is None


def test_puts_the_same_session_into_the_same_arm_and_shares_sessions_by_weight() -> None:
    arms = [variant_of(SPLIT, f"session {n}") for n in range(10_000)]
    assert arms == [variant_of(SPLIT, f"session {n}") for n in range(10_000)]
    counts = Counter(arm.name for arm in arms if arm is not None)
    assert 850 < counts["candidate"] < 1_150


def test_takes_the_last_arm_where_weights_round_to_less_than_the_draw() -> None:
    assert variant_of(Route("zero", split=(Variant("a", 0), Variant("b", 0))), "s") == Variant("b", 0)


def test_draws_from_half_an_emoji() -> None:
    assert 0 <= draw_of("\ud83d") < 1
