"""What a record proves of its request, whatever the configuration."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.policy import Match, Route
from gateway.core.replay import AS_RECORDED, Evidence, Kind, Log, Out, evidence_of, route_of, tier_of
from gateway.core.replay_sums import Sums
from tests.support.builders import a_catalog, a_policy

AUTO = Kind("chat", "auto", route="default", task="chat", tier="small", able=("a/m", "b/m"))
SEEN = frozenset({"a/m", "b/m", "c/m", "d/m"})


def proved(excluded: dict[str, int | None], *out: Out, **changes: Any) -> Evidence:
    return evidence_of(replace(AUTO, excluded=excluded, out=out, **changes), SEEN)


def test_what_was_needed_is_known_from_who_lacked_it() -> None:
    found = proved({"capability:vision": 1, "tier": 1}, Out("c/m", ("capability:vision", "tier")))
    assert found == Evidence(frozenset({"vision"}), {}, {}, frozenset(), partial=False)


@pytest.mark.parametrize("why", ["capability:logprobs", "capability:signed_reasoning", "not_allowed", "price"])
def test_what_the_request_itself_ruled_out_stays_out(why: str) -> None:
    found = proved({why: 1}, Out("c/m", (why,)))
    assert (dict(found.unable), found.partial) == ({"c/m": why}, False)


@pytest.mark.parametrize("why", ["tier", "sensitivity", "context", "cost_limit"])
def test_what_the_configuration_ruled_out_is_judged_anew(why: str) -> None:
    assert proved({why: 3}, Out("c/m", (why,))) == Evidence(frozenset(), {}, {}, frozenset(), partial=False)


def test_who_was_ill_and_who_had_no_key_is_known() -> None:
    found = proved({"breaker_open": 1, "no_key": 1}, Out("c/m", ("breaker_open",)), Out("d/m", ("no_key",)))
    assert (dict(found.ill), found.keyless, dict(found.unable)) == ({"c/m": "breaker_open"}, {"d"}, {})


@pytest.mark.parametrize("why", ["breaker_open", "not_allowed", "no_key"])
def test_who_is_only_counted_counts_as_out(why: str) -> None:
    found = proved({why: 2}, Out("c/m", (why,)))
    assert found.partial
    assert found.unable["d/m"] == AS_RECORDED
    assert {"a/m", "b/m"}.isdisjoint(found.unable)


def test_in_a_panic_the_ill_were_asked_and_nobody_is_missing() -> None:
    assert not proved({"breaker_open": 2}, panic=True).partial


def test_a_column_that_other_rows_have_says_nothing() -> None:
    assert proved({"breaker_open": None, "capability:vision": None}) == proved({})


POLICY = a_policy(a_catalog("a/m"))


def test_who_needed_a_higher_tier_than_others_like_it_asked_for_it() -> None:
    higher, named = replace(AUTO, tier="large"), replace(AUTO, model="m", tier="medium")
    certified = replace(AUTO, task="code", tier="small", certified=True)
    code = replace(certified, tier="large", certified=False)
    log = Log.of([AUTO, higher, named, certified, code, replace(AUTO, route=None)], POLICY)
    assert (log.seen, log.routes) == ({"a/m", "b/m"}, {"default"})
    asked = [log.asked_tier(kind, POLICY) for kind in (AUTO, higher, named, certified, code, replace(AUTO, task="x"))]
    assert asked == [None, 2, None, None, None, None]
    assert log.asked_tier(replace(AUTO, model="tier:medium", tier="medium"), POLICY) == 1
    assert tier_of(replace(AUTO, tier="huge"), POLICY) is None


KB = (re.compile("kb-.*"),)


def a_route(name: str, **match: Any) -> Route:
    return Route(name, match=Match(**match))


@pytest.mark.parametrize(
    ("routes", "taken"),
    [
        ((a_route("support"), a_route("default")), "default"),
        ((a_route("new", keys=KB), a_route("default")), "new"),
        ((a_route("new", models=(re.compile("gpt-.*"),)), a_route("default")), "default"),
        ((a_route("new", keys=KB, headers=(("x", re.compile("y")),)), a_route("default")), "default"),
        ((a_route("old", keys=KB), a_route("default")), "default"),
        ((a_route("other"),), None),
    ],
)
def test_takes_the_recorded_route_or_a_new_one_before_it(routes: tuple[Route, ...], taken: str | None) -> None:
    policy = a_policy(a_catalog("a/m"), routes=routes)
    found = route_of(replace(AUTO, key_id="kb-1"), policy, frozenset({"default", "old"}))
    assert (found and found.name) == taken


def test_sums_add_up_and_say_what_is_known() -> None:
    whole = Sums(requests=2, answered=2)
    one = Sums(requests=3, answered=2, known=2, good=1, priced=1, recorded_usd=2.0, replayed_usd=0.5)
    one.moves["a/m", "b/m"] = 2
    whole.add(one)
    told = whole.json()
    assert (told["requests"], told["cost"]["difference_usd"], told["quality"]["good_share"]) == (5, -1.5, 0.5)
    assert told["quality"]["known_share"] == 0.5
    assert told["moves"] == [{"from": "a/m", "to": "b/m", "requests": 2}]
    nothing = Sums().json()["quality"]
    assert (nothing["known_share"], nothing["good_share"], nothing["good_interval_95"]) == (None, None, None)
