"""What the page is told of a split's variants."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core import experiment
from gateway.core.decision import Decision, Outcome
from gateway.core.policy import Route, Variant
from gateway.core.record import record
from gateway.formats import codec
from gateway.web import variants as module
from gateway.web.recent import Recent
from gateway.web.variants import Variants
from tests.support.decisions import ANSWERED, CONSIDERED, REFUSED
from tests.support.running_gateway import gateway_with

SPLIT = (Variant("control", 80), Variant("candidate", 20))
ROUTE = Route("support", split=SPLIT)


def ended(number: int, variant: str | None = "candidate", route: str = "support", **changes: Any) -> Decision:
    """A request of a session of its own."""
    arm = None if variant is None else Variant(variant, 1)
    considered = replace(CONSIDERED, route=Route(route), variant=arm, session=f"{number:x}")
    return replace(ANSWERED, id=f"{number:016x}", considered=considered, **changes)


def seen(*decisions: Decision, routes: tuple[Route, ...] = (ROUTE,)) -> Variants:
    variants = Variants()
    variants.reconfigure(routes, 1_700_000_000.0)
    for decision in decisions:
        variants.add(decision)
    return variants


def a_day(requests: int = 3_000) -> list[Decision]:
    """The candidate costs four tenths."""
    dice = random.Random(5)
    found = []
    for number in range(requests):
        name = "candidate" if dice.random() < 0.2 else "control"
        usd = dice.uniform(0.5, 1.5) * 1e-3 * (0.4 if name == "candidate" else 1.0)
        found.append(ended(number, name, cost_usd=usd, latency_ms=dice.uniform(100, 900)))
    return found


def test_routes_without_a_split_have_no_experiment() -> None:
    assert seen(ended(1), routes=(Route("support"), Route("default", split=(Variant("all", 1),)))).told() == []


def test_tells_each_variant_with_intervals_and_what_to_do() -> None:
    (told,) = seen(*a_day()).told()
    arms = told["variants"]
    assert (told["route"], told["since"]) == ("support", "2023-11-14T22:13:20Z")
    assert told["weights"] == {"control": 80, "candidate": 20}
    assert sum(arm["requests"] for arm in arms.values()) == sum(arm["sessions"] for arm in arms.values()) == 3_000
    assert arms["candidate"]["cost_usd"]["interval"][1] < arms["control"]["cost_usd"]["interval"][0]
    assert told["sample_ratio"]["refuted"] is False
    assert (told["stop"], told["why"].partition(";")[0]) == (False, "candidate is cheaper")


def test_says_so_where_sessions_do_not_come_as_configured() -> None:
    (told,) = seen(*(ended(number) for number in range(200))).told()
    assert (told["sample_ratio"]["refuted"], told["stop"]) == (True, False)


@pytest.mark.parametrize(
    "other",
    [
        REFUSED,
        ended(1, None),
        ended(1, route="elsewhere"),
        ended(1, outcome=Outcome.CANCELLED),
        ended(1, outcome=Outcome.REJECTED),
        ended(1, "gone"),
    ],
)
def test_what_says_nothing_of_a_variant_is_left_out(other: Decision) -> None:
    (told,) = seen(other).told()
    assert {arm["requests"] for arm in told["variants"].values()} == {0}
    assert {arm["sessions"] for arm in told["variants"].values()} == {0}


def test_sessions_are_counted_once_and_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSIONS", 5)
    (told,) = seen(*(ended(number // 2) for number in range(40))).told()
    assert (told["variants"]["candidate"]["requests"], told["variants"]["candidate"]["sessions"]) == (40, 5)


def test_a_split_that_changes_begins_anew_and_others_go_on() -> None:
    other = Route("other", split=SPLIT)
    variants = seen(ended(1), ended(2, route="other"), routes=(ROUTE, other))
    even = Route("support", split=(Variant("control", 50), Variant("candidate", 50)))
    variants.reconfigure((even, other), 1_800_000_000.0)
    support, kept = variants.told()
    assert (support["since"][:4], support["variants"]["candidate"]["requests"]) == ("2027", 0)
    assert (kept["since"][:4], kept["variants"]["candidate"]["requests"]) == ("2023", 1)


def test_feedback_counts_where_the_request_is_among_the_last_ones() -> None:
    day = a_day(200)
    variants, recent = seen(*day), Recent()
    for decision in (*day[-20:], ended(500, None), ended(501, route="elsewhere")):
        recent.add(codec.dumps(record(decision)))
    for name in (day[-1].id, day[-2].id, day[0].id, f"{500:016x}", f"{501:016x}", "no such one"):
        variants.judged({"type": "feedback", "decision": name, "score": 1.0}, recent)
    (told,) = variants.told()
    assert sum(arm["feedback"]["count"] for arm in told["variants"].values()) == 2
    Variants().judged({"decision": day[-1].id, "score": 1.0}, recent)


async def test_a_gateway_counts_its_requests_and_their_feedback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "CALIBRATION", 1)
    arms = [{"name": "control", "weight": 1}, {"name": "candidate", "weight": 1}]
    async with gateway_with("sim-cheap", routes=[{"name": "default", "split": arms}]) as running:
        async with running.chat() as response:
            await response.read()
            decision = response.headers["x-pointsman-decision"]
        await running.row(1)
        async with running.post("/v1/feedback", {"decision": decision, "score": 1.0}) as response:
            assert response.status < 300
        async with running.http.get(f"{running.admin_url}/api/overview") as response:
            (told,) = codec.loads(await response.read())["experiments"]
    assert sum(arm["requests"] for arm in told["variants"].values()) == 1
    assert sum(arm["feedback"]["count"] for arm in told["variants"].values()) == 1
