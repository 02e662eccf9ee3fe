"""What Prometheus and people see of certificates: in force, being watched, withdrawn, and not there yet."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.edge.shown import iso
from monitor.evaluation.certify import VALID_S
from monitor.evaluation.keeper import Keeper
from monitor.evaluation.metrics import families
from monitor.evaluation.shown import evaluation, promise
from tests.support.certifying import BEGIN_S, MODEL, ROUTE, a_log, terms
from tests.support.keeping import DAY_S, Rig, always_needed, none_needed

pytestmark = pytest.mark.virtual_time

TIERS = ("small", "medium", "large")


class Shown(Collector):
    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper

    def collect(self) -> list[Metric]:
        return list(families(self._keeper))


def lines(keeper: Keeper | None) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Shown(keeper))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def of(name: str, keeper: Keeper) -> list[str]:
    return [line for line in lines(keeper) if line.startswith(f"{name}{{")]


async def in_force() -> Rig:
    """150 pairs, and 20 more that were judged since."""
    rig = Rig(a_log(1, 150, none_needed))
    await rig.tend()
    assert rig.books is not None
    rig.books.pairs += a_log(1, 20, none_needed, first=150)
    await rig.tend()
    return rig


async def test_a_certificate_in_force_and_how_it_is_watched() -> None:
    rig = await in_force()
    [one] = rig.keeper.in_force()
    labels = 'route="support",step="1",task=""'
    assert [line for line in lines(rig.keeper) if line.startswith("pointsman_certificate_")] == [
        f"pointsman_certificate_published{{{labels}}} 1.0",
        f"pointsman_certificate_threshold{{{labels}}} {one.threshold}",
        f"pointsman_certificate_share{{{labels}}} {one.share}",
        f"pointsman_certificate_loss{{{labels}}} {one.loss}",
        f"pointsman_certificate_watched_loss{{{labels}}} -0.15",
        f"pointsman_certificate_max_loss{{{labels}}} 0.05",
        f"pointsman_certificate_pairs{{{labels}}} 150.0",
        f"pointsman_certificate_until_timestamp_seconds{{{labels}}} {one.until_s:.9e}",
        'pointsman_certificate_alarms_total{route="support",task="email"} 0.0',
        'pointsman_certificate_alarms_total{route="support",task=""} 0.0',
    ]


async def test_pairs_by_state_and_what_they_cost_today() -> None:
    rig = await in_force()
    assert of("pointsman_evaluation_pairs", rig.keeper) == [
        'pointsman_evaluation_pairs{route="support",state="waiting"} 3.0',
        'pointsman_evaluation_pairs{route="support",state="given_up"} 1.0',
        'pointsman_evaluation_pairs{route="support",state="unjudged"} 2.0',
        'pointsman_evaluation_pairs{route="support",state="people"} 170.0',
        'pointsman_evaluation_pairs{route="support",state="model"} 0.0',
        'pointsman_evaluation_pairs{route="support",state="same"} 0.0',
    ]
    assert of("pointsman_evaluation_spend_usd_total", rig.keeper) == [
        'pointsman_evaluation_spend_usd_total{route="support"} 5.5'
    ]


async def test_an_alarm_is_counted_and_the_certificate_gone() -> None:
    rig = await in_force()
    assert rig.books is not None
    rig.books.pairs += a_log(1, 60, always_needed, first=170)
    await rig.tend()
    assert of("pointsman_certificate_alarms_total", rig.keeper) == [
        'pointsman_certificate_alarms_total{route="support",task="email"} 0.0',
        'pointsman_certificate_alarms_total{route="support",task=""} 1.0',
    ]
    assert of("pointsman_certificate_alarm_timestamp_seconds", rig.keeper) == [
        f'pointsman_certificate_alarm_timestamp_seconds{{route="support",task=""}} {BEGIN_S + DAY_S + rig.now_s:.9e}'
    ]
    assert of("pointsman_certificate_threshold", rig.keeper) == []


async def test_one_that_waits_for_a_person_is_not_published() -> None:
    rig = Rig(a_log(1, 150, none_needed))
    rig.terms = {ROUTE: terms(auto="no")}
    await rig.tend()
    assert of("pointsman_certificate_published", rig.keeper) == [
        'pointsman_certificate_published{route="support",step="1",task=""} 0.0'
    ]
    [proposed, _] = evaluation(rig.keeper, TIERS)["certificates"]
    assert proposed["certificate"]["in_force"] is False


async def test_where_there_is_none_the_families_are_empty() -> None:
    assert lines(None) == []


async def test_people_see_the_promise_what_was_measured_and_how_long_it_lasts() -> None:
    rig = await in_force()
    [one] = rig.keeper.in_force()
    found = evaluation(rig.keeper, TIERS)
    [certified, collecting] = found["certificates"]
    assert certified == {
        "route": ROUTE,
        "task": None,
        "from": "large",
        "to": "medium",
        "without": (),
        "promise": "at most 5 % worse, with 90 % confidence",
        "max_loss": 0.05,
        "confidence": 0.9,
        "judged": 170,
        "due": 300,
        "looks": 1,
        "alarms": 0,
        "watched": 20,
        "watched_loss": -0.15,
        "certificate": {
            "id": one.id,
            "in_force": True,
            "pairs": 150,
            "threshold": one.threshold,
            "share": one.share,
            "loss": one.loss,
            "model": MODEL,
            "since": iso(one.since_s),
            "until": iso(one.since_s + VALID_S),
        },
    }
    assert (collecting["task"], collecting["judged"], collecting["due"], collecting["certificate"]) == (
        "email", 170, 300, None,
    )  # fmt: skip
    assert found["looked_at"] == iso(BEGIN_S + DAY_S + rig.now_s)
    assert found["pairs"] == [
        {"route": ROUTE, "task": "email", "waiting": 3, "given_up": 1, "complete": 172, "judged": 170}
    ]
    assert found["spent_today_usd"] == {ROUTE: 5.5}
    assert found["alarms"] == []


async def test_people_see_what_was_withdrawn_the_latest_first() -> None:
    rig = await in_force()
    [one] = rig.keeper.in_force()
    assert rig.books is not None
    rig.books.pairs += a_log(1, 60, always_needed, first=170)
    await rig.tend()
    [alarm] = evaluation(rig.keeper, ("small", "medium"))["alarms"]
    assert (alarm["id"], alarm["task"], alarm["from"], alarm["to"]) == (one.id, None, "2", "medium")
    assert alarm["loss"] > alarm["max_loss"] == 0.05
    assert alarm["at"] == iso(BEGIN_S + DAY_S + rig.now_s)


def test_promises_are_words() -> None:
    assert promise(0.02, 0.05) == "at most 2 % worse, with 95 % confidence"
    assert promise(0.005, 0.001) == "at most 0.5 % worse, with 99.9 % confidence"
