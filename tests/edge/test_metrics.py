"""What Prometheus reads after some requests."""

from msgspec.structs import replace
from prometheus_client import generate_latest

from gateway.core import catalog, screen
from gateway.core.catalog import ASSUMED_CAPS, Operation
from gateway.core.decision import Decision, Outcome
from gateway.core.usage import Usage
from gateway.edge.metrics import Metrics, registry
from gateway.edge.metrics_families import reason_label
from tests.support.counted import BROKEN, CONSIDERED, DECISION, GOOD, REFUSED


def shown(*decisions: Decision, family: str) -> set[str]:
    """The samples of a family, without the times of their making."""
    metrics = Metrics("1")
    for decision in decisions:
        metrics.observe(decision)
    lines = generate_latest(registry(metrics)).decode().splitlines()
    return {line for line in lines if line.startswith(family) and "_created" not in line}


def test_counts_requests_by_how_they_ended() -> None:
    assert shown(DECISION, DECISION, REFUSED, family="pointsman_requests") == {
        'pointsman_requests_total{code="200",outcome="ok",route="support",surface="chat"} 2.0',
        'pointsman_requests_total{code="400",outcome="rejected",route="",surface="chat"} 1.0',
    }


def test_sums_durations_over_outcomes() -> None:
    failed = replace(DECISION, outcome=Outcome.FAILED, status=502, latency_ms=400_000.0)
    durations = shown(DECISION, failed, family="pointsman_request_duration_seconds")
    labels = 'route="support",surface="chat"'
    assert {line for line in durations if 'le="0.5"' in line or 'le="1.0"' in line or 'le="300.0"' in line} == {
        f'pointsman_request_duration_seconds_bucket{{le="0.5",{labels}}} 0.0',
        f'pointsman_request_duration_seconds_bucket{{le="1.0",{labels}}} 1.0',
        f'pointsman_request_duration_seconds_bucket{{le="300.0",{labels}}} 1.0',
    }
    assert {line for line in durations if "_bucket" not in line} == {
        f"pointsman_request_duration_seconds_count{{{labels}}} 2.0",
        f"pointsman_request_duration_seconds_sum{{{labels}}} 400.9",
    }


def test_counts_attempts_and_why_the_next_candidate_was_tried() -> None:
    moved = replace(DECISION, attempts=(BROKEN, BROKEN, GOOD))
    assert shown(moved, replace(DECISION, attempts=(BROKEN,)), family="pointsman_attempts") == {
        'pointsman_attempts_total{endpoint="alpha/m",outcome="server_error"} 3.0',
        'pointsman_attempts_total{endpoint="beta/m",outcome="ok"} 1.0',
    }
    assert shown(moved, replace(DECISION, attempts=(BROKEN,)), family="pointsman_failovers") == {
        'pointsman_failovers_total{reason="server_error"} 2.0'
    }


def test_sums_cost_where_it_is_known_and_counts_answers_where_it_is_not() -> None:
    unknown = replace(DECISION, attempts=(replace(GOOD, endpoint="gamma/m", cost_usd=None),))
    assert shown(DECISION, DECISION, unknown, family="pointsman_cost") == {
        'pointsman_cost_usd_total{endpoint="beta/m",route="support"} 0.5'
    }
    assert shown(DECISION, unknown, family="pointsman_unpriced") == {
        'pointsman_unpriced_requests_total{endpoint="gamma/m"} 1.0'
    }


def test_keeps_savings_and_excess_apart_since_counters_only_rise() -> None:
    decisions = [replace(DECISION, saved_usd=usd) for usd in (0.5, -0.25, 0.5, None)]
    assert shown(*decisions, family="pointsman_saved") == {'pointsman_saved_usd_total{route="support"} 1.0'}
    assert shown(*decisions, family="pointsman_overspent") == {'pointsman_overspent_usd_total{route="support"} 0.25'}
    assert shown(DECISION, family="pointsman_saved") == set()


def test_counts_tokens_by_type_and_leaves_out_types_that_never_came() -> None:
    cached = replace(DECISION, usage=Usage(input=10, cached_input=4, output=6, reasoning=5))
    assert shown(DECISION, cached, family="pointsman_tokens") == {
        'pointsman_tokens_total{endpoint="beta/m",type="input"} 130.0',
        'pointsman_tokens_total{endpoint="beta/m",type="output"} 306.0',
        'pointsman_tokens_total{endpoint="beta/m",type="cached_input"} 4.0',
        'pointsman_tokens_total{endpoint="beta/m",type="reasoning"} 5.0',
    }
    assert shown(replace(DECISION, usage=None), family="pointsman_tokens") == set()


def test_times_the_first_token_of_streams_only() -> None:
    whole = replace(DECISION, ttft_ms=None)
    assert 'pointsman_time_to_first_token_seconds_sum{endpoint="beta/m"} 0.31' in shown(
        DECISION, whole, family="pointsman_time_to_first_token_seconds"
    )
    assert shown(whole, family="pointsman_time_to_first_token_seconds") == set()


def test_counts_requests_sent_to_a_higher_tier() -> None:
    higher = replace(DECISION, considered=replace(CONSIDERED, escalated=True))
    assert shown(DECISION, higher, family="pointsman_escalated") == {
        'pointsman_escalated_requests_total{route="support"} 1.0'
    }


def test_counts_requests_sent_lower_on_a_certificate_by_task() -> None:
    lower = replace(DECISION, considered=replace(CONSIDERED, certificate="7c1d"))
    assert shown(DECISION, lower, family="pointsman_certified") == {
        f'pointsman_certified_requests_total{{route="support",task="{CONSIDERED.task}"}} 1.0'
    }


def test_counts_answers_that_lack_the_form_that_was_asked_for_and_none_where_none_was() -> None:
    formed, broken = replace(DECISION, format_ok=True), replace(DECISION, format_ok=False)
    assert shown(DECISION, formed, broken, formed, REFUSED, family="pointsman_json_answers") == {
        'pointsman_json_answers_total{endpoint="beta/m",form="ok",route="support"} 2.0',
        'pointsman_json_answers_total{endpoint="beta/m",form="broken",route="support"} 1.0',
    }


def test_adds_up_for_the_page() -> None:
    metrics = Metrics("1")
    for decision in (replace(DECISION, attempts=(BROKEN, GOOD), saved_usd=-0.5), REFUSED):
        metrics.observe(decision)
    assert metrics.totals() == {"requests": 2, "attempts": 2, "cost_usd": 0.25, "saved_usd": -0.5}


def test_tells_every_reason_code_by_its_own_name_and_fields_of_requests_by_one() -> None:
    codes = {value for name, value in vars(screen).items() if name.isupper() and isinstance(value, str)}
    capabilities = {screen.capability(one) for one in (*ASSUMED_CAPS, catalog.VISION, catalog.TRANSLATION, *Operation)}
    assert {code: reason_label(code) for code in codes | capabilities} == {code: code for code in codes | capabilities}
    assert reason_label("capability:a_clients_own") == "capability:field"
