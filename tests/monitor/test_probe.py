from dataclasses import replace

import pytest

from gateway.core.catalog import ProbeRules
from gateway.core.failure import Failure, FailureKind
from gateway.core.pricing import Price, Rates
from gateway.core.usage import Usage
from monitor.budget import charged, opened
from monitor.probe import (
    Finding,
    Means,
    ProbeResult,
    Standing,
    Wanted,
    bound_usd,
    check_finding,
    check_means,
    completion_finding,
    spent_usd,
    wanted,
)

WELL = ProbeResult(None, 700.0, 310.0, Usage(input=12, output=5))
AUTO, INSISTED = ProbeRules(), ProbeRules(by="completion")
PURSE = opened(1.0, 0.0)
PRICE = Price(Rates(input=2.5, output=10.0))
IDLE = Standing(now_s=1_000.0, served_s=None, misconfigured_s=None, trial=False)


def ended(kind: FailureKind, status: int | None = None) -> ProbeResult:
    return ProbeResult(Failure(kind, "so it goes", status), 5.0)


def test_asks_for_the_list_of_models_unless_it_is_not_for_us() -> None:
    assert [check_means(AUTO, True), check_means(AUTO, False), check_means(ProbeRules(by="tcp"), True)] == [
        Means.MODELS,
        Means.TCP,
        Means.TCP,
    ]


def test_finds_in_a_completion_what_it_says_of_the_endpoint() -> None:
    found = {kind: completion_finding(ended(kind)) for kind in FailureKind}

    assert completion_finding(WELL) is Finding.OK
    assert {kind for kind, finding in found.items() if finding is Finding.MISCONFIGURED} == {
        FailureKind.REJECTED,
        FailureKind.CONTEXT_LENGTH,
        FailureKind.TOO_LARGE,
    }
    assert {kind for kind, finding in found.items() if finding is Finding.REFUSED} == {
        FailureKind.CREDENTIAL,
        FailureKind.BILLING,
        FailureKind.NOT_FOUND,
    }
    assert {kind for kind, finding in found.items() if finding is Finding.VOID} == {
        FailureKind.CANCELLED,
        FailureKind.INTERNAL,
        FailureKind.TOTAL_TIMEOUT,
        FailureKind.SHUTDOWN,
    }
    assert found[FailureKind.RATE_LIMITED] is Finding.RATE_LIMITED
    assert found[FailureKind.FIRST_TOKEN_TIMEOUT] is found[FailureKind.SERVER_ERROR] is Finding.FAILED


@pytest.mark.parametrize(
    ("result", "finding"),
    [
        (WELL, Finding.OK),
        (ended(FailureKind.CREDENTIAL, 401), Finding.REFUSED),
        (ended(FailureKind.CREDENTIAL, 403), Finding.MISCONFIGURED),  # a key for completions only
        (ended(FailureKind.NOT_FOUND, 404), Finding.MISCONFIGURED),
        (ended(FailureKind.RATE_LIMITED, 429), Finding.VOID),
        (ended(FailureKind.BILLING, 402), Finding.VOID),
        (ended(FailureKind.INTERNAL), Finding.VOID),
        (ended(FailureKind.UNREACHABLE), Finding.FAILED),
        (ended(FailureKind.SERVER_ERROR, 500), Finding.FAILED),
    ],
)
def test_finds_in_a_check_what_it_says_of_the_provider(result: ProbeResult, finding: Finding) -> None:
    assert check_finding(result, Means.MODELS) is finding


def test_takes_a_refused_connection_for_a_failure_whatever_its_kind() -> None:
    assert check_finding(ended(FailureKind.NOT_FOUND), Means.TCP) is Finding.FAILED


def test_wants_a_completion_where_nothing_else_proves_the_endpoint() -> None:
    assert wanted(AUTO, IDLE, 0.001, PURSE) is Wanted.YES


@pytest.mark.parametrize(("served_s", "expected"), [(970.0, Wanted.PROVEN), (969.9, Wanted.YES)])
def test_takes_live_traffic_of_the_last_period_for_proof(served_s: float, expected: Wanted) -> None:
    assert wanted(AUTO, replace(IDLE, served_s=served_s), 0.001, PURSE) is expected
    assert wanted(INSISTED, replace(IDLE, served_s=served_s), 0.001, PURSE) is Wanted.YES
    assert wanted(AUTO, replace(IDLE, served_s=served_s, trial=True), 0.001, PURSE) is Wanted.YES


def test_takes_live_traffic_for_proof_until_the_gateways_are_read_again() -> None:
    hasty, slow = ProbeRules(every_s=5.0), ProbeRules(every_s=60.0)

    assert wanted(hasty, replace(IDLE, served_s=971.0), 0.001, PURSE) is Wanted.PROVEN
    assert wanted(slow, replace(IDLE, served_s=941.0), 0.001, PURSE) is Wanted.PROVEN


@pytest.mark.parametrize(("misconfigured_s", "expected"), [(-2_599.0, Wanted.PAUSED), (-2_600.0, Wanted.YES)])
def test_leaves_an_endpoint_that_refuses_the_probe_alone_for_an_hour(misconfigured_s: float, expected: Wanted) -> None:
    assert wanted(AUTO, replace(IDLE, misconfigured_s=misconfigured_s), 0.001, PURSE) is expected


def test_spends_nothing_on_what_has_no_price_unless_told_to() -> None:
    assert wanted(AUTO, IDLE, None, PURSE) is Wanted.UNPRICED
    assert wanted(INSISTED, IDLE, None, PURSE) is Wanted.YES


def test_stays_within_the_purse_and_within_the_day_for_a_trial() -> None:
    empty = charged(PURSE, 0.05)
    spent = charged(PURSE, 1.0)

    assert wanted(AUTO, IDLE, 0.001, empty) is Wanted.BUDGET
    assert wanted(INSISTED, IDLE, 0.001, empty) is Wanted.BUDGET
    assert wanted(AUTO, replace(IDLE, trial=True), 0.001, empty) is Wanted.YES
    assert wanted(AUTO, replace(IDLE, trial=True), 0.001, spent) is Wanted.BUDGET


def test_probes_for_nothing_where_completions_are_free() -> None:
    assert wanted(AUTO, IDLE, 0.0, charged(PURSE, 1.0)) is Wanted.YES


def test_bounds_the_cost_of_a_probe_by_its_cap() -> None:
    assert bound_usd(PRICE, 0.0) == pytest.approx((64 * 2.5 + 16 * 10.0) / 1e6)
    assert bound_usd(None, 0.0) is None


def test_charges_what_the_usage_says_and_the_bound_where_there_is_none() -> None:
    assert spent_usd(WELL, PRICE, 0.0) == pytest.approx((12 * 2.5 + 5 * 10.0) / 1e6)
    assert spent_usd(replace(WELL, usage=Usage(input=12, output=950)), PRICE, 0.0) == pytest.approx(0.00953)
    assert spent_usd(replace(WELL, usage=None), PRICE, 0.0) == bound_usd(PRICE, 0.0)
    assert spent_usd(ended(FailureKind.OVERLOADED), PRICE, 0.0) == 0.0
    assert spent_usd(WELL, None, 0.0) == 0.0
