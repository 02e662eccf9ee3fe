"""What Prometheus reads of a monitor after some minutes, line by line; and which endpoints count as not covered."""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway.core.catalog import ProbeRules
from gateway.core.failure import FailureKind
from gateway.core.outcomes import EndpointOutcomes, Outcomes
from gateway.core.prices import HeldBack
from gateway.edge.loop_lag import LoopLag
from monitor.metrics import Cluster, MonitorCollector, registry
from monitor.price_sources import Source
from tests.support.builders import a_price
from tests.support.monitoring import Stage, a_clock, a_watchlist, failing

pytestmark = pytest.mark.virtual_time

DOWN = failing(FailureKind.UNREACHABLE)


@dataclass
class Publisher:
    size_bytes: int = 2_048
    shed: int = 1
    failures: dict[str, int] = field(default_factory=lambda: {"409": 2})


@dataclass
class Teller:
    told: int = 3
    dropped: int = 4


@dataclass
class Shared:
    publisher: Publisher = field(default_factory=Publisher)
    teller: Teller = field(default_factory=Teller)

    def replicas(self) -> int:
        return 2

    def lease_age_s(self) -> float | None:
        return 4.5


def collector(stage: Stage, cluster: Cluster | None = None) -> MonitorCollector:
    assert stage.monitor is not None
    return MonitorCollector(stage.monitor, a_clock(), "1.2.3", LoopLag(lambda: 0.0, asyncio.sleep), cluster)


def lines(stage: Stage, cluster: Cluster | None = None) -> list[str]:
    text = generate_latest(registry(collector(stage, cluster))).decode()
    return sorted(line for line in text.splitlines() if line.startswith("pointsman_") and "_bucket{" not in line)


def family(stage: Stage, name: str) -> list[str]:
    return [line.removeprefix(name) for line in lines(stage) if line.startswith(name)]


EXPECTED = """\
pointsman_breaker_state{endpoint="a/m"} 0.0
pointsman_breaker_state{endpoint="b/m"} 2.0
pointsman_breaker_transitions_total{endpoint="b/m",from="closed",to="open"} 1.0
pointsman_build_info{version="1.2.3"} 1.0
pointsman_config_reload_failures_total 0.0
pointsman_config_reloads_total 0.0
pointsman_endpoint_ok_ratio{endpoint="a/m"} 1.0
pointsman_endpoint_ok_ratio{endpoint="b/m"} 0.0
pointsman_endpoint_total_seconds{endpoint="a/m",quantile="0.5"} 0.7
pointsman_endpoint_total_seconds{endpoint="a/m",quantile="0.95"} 0.7
pointsman_endpoint_total_seconds{endpoint="a/m",quantile="0.99"} 0.7
pointsman_endpoint_ttfb_seconds{endpoint="a/m",quantile="0.5"} 0.31
pointsman_endpoint_ttfb_seconds{endpoint="a/m",quantile="0.95"} 0.31
pointsman_endpoint_ttfb_seconds{endpoint="a/m",quantile="0.99"} 0.31
pointsman_event_loop_lag_seconds_count 0.0
pointsman_event_loop_lag_seconds_sum 0.0
pointsman_gateways_heard 0.0
pointsman_monitor_endpoints 2.0
pointsman_monitor_shards 32.0
pointsman_monitor_takeovers_total 32.0
pointsman_price_source_up{source="openrouter"} 0.0
pointsman_prices_held_back 0.0
pointsman_prices_unknown 0.0
pointsman_probe_budget_left_usd{provider="a"} 1.999872
pointsman_probe_budget_left_usd{provider="b"} 2.0
pointsman_probe_budget_usd{provider="a"} 2.0
pointsman_probe_budget_usd{provider="b"} 2.0
pointsman_probe_cost_usd_total{provider="a"} 0.000128
pointsman_probe_cost_usd_total{provider="b"} 0.0
pointsman_probe_lag_seconds 0.0
pointsman_probes_total{finding="failed",means="completion",provider="b"} 3.0
pointsman_probes_total{finding="failed",means="models",provider="b"} 8.0
pointsman_probes_total{finding="ok",means="completion",provider="a"} 4.0
pointsman_probes_total{finding="ok",means="models",provider="a"} 4.0
pointsman_snapshot_publish_failures_total 0.0
pointsman_snapshot_published_timestamp_seconds 1.76400009e+09
pointsman_snapshots_published_total 9.0
pointsman_unprobed_endpoints 0.0
"""
IN_A_CLUSTER = """\
pointsman_kube_events_dropped_total 4.0
pointsman_kube_events_total 3.0
pointsman_kube_publish_failures_total{status="409"} 2.0
pointsman_lease_age_seconds 4.5
pointsman_monitor_replicas 2.0
pointsman_snapshot_bytes 2048.0
pointsman_snapshot_shed_total 1.0
"""


async def test_shows_what_it_found_and_what_it_published() -> None:
    stage = Stage(a_watchlist("a/m", "b/m", probe=ProbeRules(budget_usd_per_day=2.0)), sources=(Source.OPENROUTER,))
    stage.prober.results = {"b": DOWN, "b/m": DOWN}
    await stage.play(until_s=95.0)
    assert lines(stage) == EXPECTED.splitlines()
    assert lines(stage, Shared()) == sorted((EXPECTED + IN_A_CLUSTER).splitlines())


async def test_can_be_read_in_openmetrics() -> None:
    stage = await Stage(a_watchlist("a/m")).play(until_s=35.0)
    found = registry(collector(stage, Shared()))
    names = {family.name for family in found.collect()}
    assert {family.name for family in text_string_to_metric_families(openmetrics(found).decode())} >= names


async def test_counts_every_change_that_was_published() -> None:
    stage = Stage(a_watchlist("a/m"))

    def ill() -> None:
        stage.prober.results = {"a": DOWN, "a/m": DOWN}

    await stage.play((5.0, ill), (200.0, lambda: well(stage)), until_s=400.0)
    assert family(stage, "pointsman_breaker_transitions_total") == [
        '{endpoint="a/m",from="closed",to="open"} 1.0',
        '{endpoint="a/m",from="open",to="closed"} 1.0',  # its trial is begun and over within the second
    ]


def well(stage: Stage) -> None:
    stage.prober.results = {}


async def test_names_the_endpoints_whose_live_price_is_not_believed() -> None:
    stage = await Stage(a_watchlist("a/m", "b/m", prices={"a/m": a_price(), "b/m": None})).play(until_s=1.0)
    assert stage.monitor is not None
    doubt = HeldBack("a/m", "input", 1.0, 9.0, "openrouter")
    stage.monitor.book = replace(stage.monitor.book, held_back=(doubt, replace(doubt, field="output")))
    assert family(stage, "pointsman_price_held_back") == ['{endpoint="a/m"} 1.0']
    assert family(stage, "pointsman_prices_held_back") == [" 2.0"]
    assert family(stage, "pointsman_prices_unknown") == [" 1.0"]


# -- coverage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "keyless", "expected"),
    [
        (ProbeRules(), frozenset(), 2),
        (ProbeRules(every_s=60.0), frozenset(), 0),  # within two periods
        (ProbeRules(by="none"), frozenset(), 0),  # not to be probed
        (ProbeRules(), frozenset({"a"}), 0),  # nobody can use it
    ],
)
async def test_counts_endpoints_of_which_nothing_was_heard_for_two_periods(
    rules: ProbeRules, keyless: frozenset[str], expected: int
) -> None:
    stage = Stage(a_watchlist("a/m", "a/n", probe=rules))
    stage.prober.takes_s, stage.prober.keyless = 1e6, keyless
    await stage.play(until_s=65.0)
    assert family(stage, "pointsman_unprobed_endpoints") == [f" {expected:.1f}"]


async def test_a_probe_of_the_provider_speaks_for_its_endpoints() -> None:
    stage = await Stage(a_watchlist("a/m", "a/n", probe=ProbeRules(by="models"))).play(until_s=200.0)
    assert family(stage, "pointsman_unprobed_endpoints") == [" 0.0"]


async def test_live_traffic_speaks_for_its_endpoint_alone() -> None:
    stage = Stage(a_watchlist("a/m", "a/n"))
    stage.prober.takes_s = 1e6
    reports = [Outcomes("g", {"a/m": EndpointOutcomes(ok=number)}) for number in range(4)]
    scenes = [(29.0 * number, partial(hear, stage, report)) for number, report in enumerate(reports)]
    await stage.play(*scenes, until_s=95.0)
    assert family(stage, "pointsman_unprobed_endpoints") == [" 1.0"]


def hear(stage: Stage, report: Outcomes) -> None:
    stage.gateways.reports = [report]
