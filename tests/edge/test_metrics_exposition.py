"""Everything that Prometheus reads of a gateway after a few requests, line by line."""

import asyncio
from dataclasses import dataclass

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from gateway.core.breaker import State
from gateway.core.decision import Outcome
from gateway.core.policy import Label, Variant
from gateway.core.trace import Trace
from gateway.edge.kube.reflector import Tally
from gateway.edge.loop_lag import LoopLag
from gateway.edge.metrics import Metrics, registry
from gateway.edge.metrics_gauges import EndpointFacts, Gauges, ProviderUse, Unopened
from tests.support.builders import EPOCH_S
from tests.support.counted import BROKEN, CONSIDERED, DECISION, GOOD, REFUSED

EXCLUDED = {"alpha/s": ("tier",), "gamma/s": ("capability:tools", "tier"), "delta/s": ("capability:a_clients_own",)}
VARIED = replace(
    CONSIDERED, variant=Variant("b", 0.5), labels=(Label("internal"), Label("pii")), excluded=EXCLUDED, escalated=True,
    panic=True, tier_required=None,
)  # fmt: skip
TRACE = Trace("ab" * 16, "cd" * 8, None, 1, "", recorded=True)
DECISIONS = (
    replace(DECISION, baseline_cost_usd=1.0, saved_usd=0.75, trace=TRACE),
    replace(
        DECISION, considered=VARIED, attempts=(BROKEN, GOOD), ttft_ms=None, baseline_cost_usd=0.125, saved_usd=-0.125,
    ),
    replace(DECISION, considered=VARIED, attempts=(), endpoint=None, status=503, outcome=Outcome.REJECTED, usage=None),
    replace(REFUSED, trace=replace(TRACE, recorded=False)),
)


@dataclass
class Sink:
    delivered: int = 7
    dropped: int = 1
    retries: int = 2
    waiting: int = 3


def gauges() -> Gauges:
    return Gauges(
        states=lambda: {"alpha/m": State.OPEN, "beta/m": State.CLOSED},
        transitions=lambda: {("alpha/m", State.CLOSED, State.OPEN): 1},
        limited_until_epoch_s=lambda: {"alpha/m": EPOCH_S + 20.0},
        snapshot_age_s=lambda: 12.5,
        retry_budget_left=lambda: 10,
        records_dropped=lambda: 1,
        generation=lambda: "3f2a",
        inflight=lambda: 4,
        endpoints=lambda: [
            EndpointFacts("alpha/m", "alpha", "m", "medium", 0.25, 1.25), EndpointFacts("beta/m", "beta", "m", ""),
        ],
        providers=lambda: [
            ProviderUse("alpha", 2, 200, idle=3, busy=1, waiting=5, opened=9), ProviderUse("beta", 0, 10),
        ],
        door=lambda: Unopened(turned_away=6, timed_out=8),
        sinks=lambda: {"langfuse": Sink()},
        kube=lambda: Tally(up=True, lists=1, restarts={"end": 2}),
        lag=LoopLag(lambda: 0.0, asyncio.sleep),
    )  # fmt: skip


def a_registry() -> CollectorRegistry:
    metrics = Metrics("1.2.3")
    metrics.gauges = gauges()
    for decision in DECISIONS:
        metrics.observe(decision)
    return registry(metrics)


def lines(text: bytes) -> list[str]:
    """Samples of our own, but for the buckets of histograms."""
    return [line for line in text.decode().splitlines() if line.startswith("pointsman_") and "_bucket{" not in line]


EXPECTED = """\
pointsman_requests_total{code="200",outcome="ok",route="support",surface="chat"} 2.0
pointsman_requests_total{code="503",outcome="rejected",route="support",surface="chat"} 1.0
pointsman_requests_total{code="400",outcome="rejected",route="",surface="chat"} 1.0
pointsman_request_duration_seconds_count{route="support",surface="chat"} 3.0
pointsman_request_duration_seconds_sum{route="support",surface="chat"} 2.7
pointsman_request_duration_seconds_count{route="",surface="chat"} 1.0
pointsman_request_duration_seconds_sum{route="",surface="chat"} 0.0005
pointsman_escalated_requests_total{route="support"} 2.0
pointsman_panic_requests_total{route="support"} 2.0
pointsman_baseline_cost_usd_total{route="support"} 1.125
pointsman_saved_usd_total{route="support"} 0.75
pointsman_overspent_usd_total{route="support"} 0.125
pointsman_attempts_total{endpoint="beta/m",outcome="ok"} 2.0
pointsman_attempts_total{endpoint="alpha/m",outcome="server_error"} 1.0
pointsman_failovers_total{reason="server_error"} 1.0
pointsman_cost_usd_total{endpoint="beta/m",route="support"} 0.5
pointsman_tokens_total{endpoint="beta/m",type="input"} 240.0
pointsman_tokens_total{endpoint="beta/m",type="output"} 600.0
pointsman_time_to_first_token_seconds_count{endpoint="beta/m"} 1.0
pointsman_time_to_first_token_seconds_sum{endpoint="beta/m"} 0.31
pointsman_routed_requests_total{route="support",task="code",tier="medium"} 1.0
pointsman_routed_requests_total{route="support",task="code",tier=""} 2.0
pointsman_sensitivity_requests_total{label="internal"} 2.0
pointsman_sensitivity_requests_total{label="pii"} 2.0
pointsman_exclusions_total{reason="tier"} 4.0
pointsman_exclusions_total{reason="capability:tools"} 2.0
pointsman_exclusions_total{reason="capability:field"} 2.0
pointsman_variant_requests_total{outcome="ok",route="support",variant="b"} 1.0
pointsman_variant_requests_total{outcome="rejected",route="support",variant="b"} 1.0
pointsman_variant_cost_usd_total{route="support",variant="b"} 0.5
pointsman_variant_duration_seconds_count{route="support",variant="b"} 2.0
pointsman_variant_duration_seconds_sum{route="support",variant="b"} 1.8
pointsman_shed_requests_total{reason="overloaded"} 1.0
pointsman_shed_requests_total{reason="rate_limited"} 0.0
pointsman_shed_requests_total{reason="connections"} 6.0
pointsman_shed_requests_total{reason="slow_head"} 8.0
pointsman_unauthorized_requests_total 0.0
pointsman_config_reload_failures_total 0.0
pointsman_config_reloads_total 0.0
pointsman_build_info{version="1.2.3"} 1.0
pointsman_breaker_state{endpoint="alpha/m"} 2.0
pointsman_breaker_state{endpoint="beta/m"} 0.0
pointsman_breaker_transitions_total{endpoint="alpha/m",from="closed",to="open"} 1.0
pointsman_rate_limited_until_timestamp_seconds{endpoint="alpha/m"} 1.76400002e+09
pointsman_snapshot_age_seconds 12.5
pointsman_inflight_requests 4.0
pointsman_retry_budget_left 10.0
pointsman_records_dropped_total 1.0
pointsman_config_info{generation="3f2a"} 1.0
pointsman_endpoint_info{endpoint="alpha/m",model="m",provider="alpha",tier="medium"} 1.0
pointsman_endpoint_info{endpoint="beta/m",model="m",provider="beta",tier=""} 1.0
pointsman_price_usd_per_million_tokens{endpoint="alpha/m",type="input"} 0.25
pointsman_price_usd_per_million_tokens{endpoint="alpha/m",type="output"} 1.25
pointsman_provider_inflight_requests{provider="alpha"} 2.0
pointsman_provider_inflight_requests{provider="beta"} 0.0
pointsman_provider_inflight_limit{provider="alpha"} 200.0
pointsman_provider_inflight_limit{provider="beta"} 10.0
pointsman_upstream_connections{provider="alpha",state="idle"} 3.0
pointsman_upstream_connections{provider="alpha",state="busy"} 1.0
pointsman_upstream_connections{provider="beta",state="idle"} 0.0
pointsman_upstream_connections{provider="beta",state="busy"} 0.0
pointsman_upstream_connections_opened_total{provider="alpha"} 9.0
pointsman_upstream_connections_opened_total{provider="beta"} 0.0
pointsman_upstream_waiting_requests{provider="alpha"} 5.0
pointsman_upstream_waiting_requests{provider="beta"} 0.0
pointsman_sink_delivered_total{sink="langfuse"} 7.0
pointsman_sink_dropped_total{sink="langfuse"} 1.0
pointsman_sink_retries_total{sink="langfuse"} 2.0
pointsman_sink_waiting{sink="langfuse"} 3.0
pointsman_kube_api_up 1.0
pointsman_kube_list_total 1.0
pointsman_kube_watch_restarts_total{reason="end"} 2.0
pointsman_event_loop_lag_seconds_count 0.0
pointsman_event_loop_lag_seconds_sum 0.0
"""


def test_shows_what_happened_and_what_is() -> None:
    assert lines(generate_latest(a_registry())) == EXPECTED.splitlines()


def test_is_the_same_in_openmetrics() -> None:
    assert lines(openmetrics(a_registry())) == EXPECTED.splitlines()


def test_names_the_traced_requests_in_openmetrics_alone() -> None:
    found = a_registry()
    shared, at_s = f' # {{trace_id="{"ab" * 16}"}}', EPOCH_S
    shown = [line for line in openmetrics(found).decode().splitlines() if " # {" in line]
    assert shown == [
        f'pointsman_request_duration_seconds_bucket{{le="1.0",route="support",surface="chat"}} 3.0{shared} 0.9 {at_s}',
        f'pointsman_time_to_first_token_seconds_bucket{{endpoint="beta/m",le="0.5"}} 1.0{shared} 0.31 {at_s}',
    ]  # fmt: skip
    assert " # {" not in generate_latest(found).decode()


def test_adds_up_exclusions_once_however_often_it_is_read() -> None:
    found = a_registry()
    generate_latest(found)
    assert 'pointsman_exclusions_total{reason="tier"} 4.0' in lines(generate_latest(found))


def test_keeps_few_sets_of_exclusions_and_loses_none() -> None:
    metrics = Metrics("1")
    for number in range(1_000):
        metrics.observe(replace(DECISION, considered=replace(CONSIDERED, excluded={f"a/{number}": ("price",)})))
    assert len(metrics._kept) <= 128
    assert 'pointsman_exclusions_total{reason="price"} 1000.0' in lines(generate_latest(registry(metrics)))


def test_both_formats_can_be_read() -> None:
    found = a_registry()
    names = {family.name for family in found.collect()}
    assert {family.name for family in text_families(generate_latest(found).decode())} >= names
    assert {family.name for family in openmetrics_families(openmetrics(found).decode())} >= names
