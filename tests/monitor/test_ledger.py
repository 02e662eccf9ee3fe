"""Probes and live news, as they show in the published entries."""

import pytest

from gateway.core.breaker import BreakerRules, State
from gateway.core.failure import Failure, FailureKind
from gateway.core.health import EndpointSnapshot
from gateway.core.outcomes import EndpointOutcomes, Sample
from gateway.core.window import Quantiles
from monitor.ledger import LONGEST_LIMIT_S, Ledger
from monitor.probe import Finding, ProbeResult, Standing

RULES = BreakerRules()
OFFSET_S = 1_764_000_000.0
WELL = ProbeResult(None, 700.0, 310.0)


def a_ledger(rules: BreakerRules = RULES) -> Ledger:
    return Ledger({"a/x": "a", "a/y": "a", "b/z": "b"}, rules, 0.0)


def ended(kind: FailureKind, retry_after_s: float | None = None) -> ProbeResult:
    return ProbeResult(Failure(kind, "so it goes", retry_after_s=retry_after_s), 5.0)


DOWN = ended(FailureKind.SERVER_ERROR)
REFUSED = ended(FailureKind.BILLING)


def states(ledger: Ledger, now_s: float) -> dict[str, str]:
    return {id_: state.value for id_, state in ledger.states(now_s).items()}


def entry(ledger: Ledger, now_s: float, id_: str = "a/x") -> EndpointSnapshot:
    return ledger.entry(id_, now_s, OFFSET_S)


def test_knows_nothing_at_first() -> None:
    assert entry(a_ledger(), 10.0) == EndpointSnapshot(State.CLOSED, since_s=OFFSET_S)


def test_shows_what_completions_took() -> None:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.OK, WELL, 10.0)
    ledger.checked("a", Finding.OK, ProbeResult(None, 30.0), 11.0)

    assert entry(ledger, 20.0) == EndpointSnapshot(
        since_s=OFFSET_S,
        ok_ratio=1.0,
        ttfb_ms=Quantiles(310, 310, 310, 310),
        total_ms=Quantiles(700, 700, 700, 700),
        ttfb_1h_ms=Quantiles(310, 310, 310, 310),
        total_1h_ms=Quantiles(700, 700, 700, 700),
        probes=2,
    )


def test_opens_after_five_failed_completions_and_closes_after_a_good_one() -> None:
    ledger = a_ledger()
    for second in range(5):
        ledger.probed("a/x", Finding.FAILED, DOWN, float(second))

    assert states(ledger, 5.0) == {"a/x": "open", "a/y": "closed", "b/z": "closed"}
    assert entry(ledger, 5.0) == EndpointSnapshot(
        State.OPEN, OFFSET_S + 4, ok_ratio=0.0, consecutive_failures=5, probes=5, last_error="server_error: so it goes"
    )

    ledger.probed("a/x", Finding.OK, WELL, 10.0)

    assert states(ledger, 10.0)["a/x"] == "closed"
    assert (entry(ledger, 10.0).consecutive_failures, entry(ledger, 10.0).last_error) == (0, None)
    assert entry(ledger, 10.0).ok_ratio == 0.167


def test_opens_all_of_a_provider_that_cannot_be_reached() -> None:
    ledger = a_ledger()
    for second in range(5):
        ledger.checked("a", Finding.FAILED, ended(FailureKind.UNREACHABLE), float(second))

    assert states(ledger, 5.0) == {"a/x": "open", "a/y": "open", "b/z": "closed"}
    assert entry(ledger, 5.0).last_error == "unreachable: so it goes"
    assert (ledger.reach("a"), ledger.reach("b")) == (State.OPEN, State.CLOSED)

    ledger.checked("a", Finding.OK, WELL, 6.0)

    assert states(ledger, 6.0)["a/x"] == "closed"
    assert entry(ledger, 6.0).last_error is None


def test_opens_all_of_a_provider_that_refuses_our_key_to_a_check() -> None:
    ledger = a_ledger()
    ledger.checked("a", Finding.REFUSED, ended(FailureKind.CREDENTIAL), 1.0)

    assert states(ledger, 1.0) == {"a/x": "open", "a/y": "open", "b/z": "closed"}


@pytest.mark.parametrize("finding", [Finding.RATE_LIMITED, Finding.VOID])
def test_does_not_count_a_check_that_says_nothing(finding: Finding) -> None:
    ledger = a_ledger()
    for second in range(9):
        ledger.checked("a", finding, ended(FailureKind.RATE_LIMITED), float(second))

    assert states(ledger, 9.0)["a/x"] == "closed"
    assert ledger.lists_models("a")


def test_remembers_that_a_list_of_models_is_not_for_us_until_the_configuration_changes() -> None:
    ledger = a_ledger()
    ledger.checked("a", Finding.MISCONFIGURED, ended(FailureKind.NOT_FOUND), 1.0)

    assert (ledger.lists_models("a"), ledger.lists_models("b")) == (False, True)
    assert states(ledger, 1.0)["a/x"] == "closed"
    ledger.reconfigure({"a/x": "a"}, RULES, 2.0)
    assert ledger.lists_models("a")


def test_opens_one_endpoint_alone_whose_model_is_not_found() -> None:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.REFUSED, ended(FailureKind.NOT_FOUND), 1.0)

    assert states(ledger, 1.0) == {"a/x": "open", "a/y": "closed", "b/z": "closed"}


def test_does_not_let_a_free_check_close_what_an_empty_balance_has_opened() -> None:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.REFUSED, REFUSED, 1.0)
    assert states(ledger, 1.0) == {"a/x": "open", "a/y": "open", "b/z": "closed"}
    assert entry(ledger, 1.0, "a/y").last_error == "billing: so it goes"

    ledger.checked("a", Finding.OK, WELL, 2.0)
    assert states(ledger, 2.0)["a/y"] == "open"

    ledger.probed("a/y", Finding.OK, WELL, 3.0)
    assert states(ledger, 3.0) == {"a/x": "closed", "a/y": "closed", "b/z": "closed"}


def test_does_not_call_down_what_refuses_the_probe_itself() -> None:
    ledger = a_ledger()
    for second in range(9):
        ledger.probed("a/x", Finding.MISCONFIGURED, ended(FailureKind.REJECTED), float(second))

    assert entry(ledger, 9.0) == EndpointSnapshot(
        since_s=OFFSET_S, probes=9, last_error="misconfigured probe: rejected: so it goes"
    )
    assert ledger.standing("a/x", 9.0) == Standing(9.0, None, 8.0, trial=False)

    ledger.probed("a/x", Finding.OK, WELL, 10.0)
    assert ledger.standing("a/x", 10.0).misconfigured_s is None


def test_does_not_count_a_completion_that_says_nothing() -> None:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.VOID, ended(FailureKind.INTERNAL), 1.0)

    assert entry(ledger, 1.0) == EndpointSnapshot(since_s=OFFSET_S, probes=1)


def test_publishes_a_rate_limit_until_it_has_passed_and_within_bounds() -> None:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.RATE_LIMITED, ended(FailureKind.RATE_LIMITED, retry_after_s=20.5), 1.0)

    assert entry(ledger, 2.0).rate_limited_until_s == OFFSET_S + 22
    assert entry(ledger, 2.0).breaker is State.CLOSED
    assert entry(ledger, 21.5).rate_limited_until_s is None

    ledger.lived("a/x", EndpointOutcomes(rate_limited=1, rate_limited_for_s=1e9), 30.0)
    assert entry(ledger, 30.0).rate_limited_until_s == OFFSET_S + 30 + LONGEST_LIMIT_S


def test_ignores_what_is_not_configured() -> None:
    ledger = a_ledger()
    ledger.checked("c", Finding.OK, WELL, 1.0)
    ledger.probed("c/x", Finding.OK, WELL, 1.0)
    ledger.lived("c/x", EndpointOutcomes(ok=1), 1.0)
    ledger.restore("c/x", EndpointSnapshot(State.OPEN), 1.0, OFFSET_S)

    assert set(ledger.states(1.0)) == {"a/x", "a/y", "b/z"}


# -- live traffic ---------------------------------------------------------------


def test_takes_live_successes_for_proof_of_endpoint_and_provider() -> None:
    ledger = a_ledger()
    for second in range(5):
        ledger.checked("a", Finding.FAILED, DOWN, float(second))
    news = EndpointOutcomes(ok=90, failed=2, samples=(Sample(644.0), Sample(702.0, 310.5)))

    ledger.lived("a/x", news, 10.0)

    assert states(ledger, 10.0) == {"a/x": "closed", "a/y": "closed", "b/z": "closed"}
    assert ledger.standing("a/x", 10.0).served_s == 10.0
    found = entry(ledger, 10.0)
    assert (found.ok_ratio, found.ttfb_ms, found.last_error) == (0.978, Quantiles(310, 310, 310, 310), None)
    assert found.total_ms is not None
    assert found.total_ms.p99 == 700


@pytest.mark.parametrize(
    "news",
    [
        EndpointOutcomes(ok=80, failed=20, last_error="overloaded: no"),
        EndpointOutcomes(ok=80, rate_limited=20, last_error="overloaded: no"),
        EndpointOutcomes(ok=500, failed=5, consecutive_failures=5, last_error="overloaded: no"),
    ],
)
def test_opens_where_live_traffic_breaks_the_rules(news: EndpointOutcomes) -> None:
    ledger = a_ledger()
    ledger.lived("a/x", news, 10.0)

    assert states(ledger, 10.0) == {"a/x": "open", "a/y": "closed", "b/z": "closed"}
    assert entry(ledger, 10.0).last_error == "overloaded: no"
    assert entry(ledger, 10.0).consecutive_failures == news.consecutive_failures
    assert ledger.standing("a/x", 10.0).served_s is None


def test_counts_live_failures_in_the_row() -> None:
    ledger = a_ledger()
    ledger.lived("a/x", EndpointOutcomes(ok=7, failed=3, consecutive_failures=3, last_error="truncated: half"), 10.0)
    assert (entry(ledger, 10.0).consecutive_failures, entry(ledger, 10.0).last_error) == (3, "truncated: half")

    ledger.probed("a/x", Finding.FAILED, DOWN, 11.0)
    ledger.probed("a/x", Finding.FAILED, DOWN, 12.0)

    assert states(ledger, 12.0)["a/x"] == "open"


def test_does_not_open_on_a_few_429s() -> None:
    ledger = a_ledger()
    ledger.lived("a/x", EndpointOutcomes(rate_limited=3, last_error="rate_limited: slow down"), 10.0)

    assert (states(ledger, 10.0)["a/x"], entry(ledger, 10.0).ok_ratio) == ("closed", 0.0)


# -- trials ---------------------------------------------------------------


def an_open_one() -> Ledger:
    ledger = a_ledger()
    ledger.probed("a/x", Finding.REFUSED, ended(FailureKind.NOT_FOUND), 0.0)
    return ledger


def test_wants_a_trial_of_what_has_been_open_long_enough() -> None:
    ledger = an_open_one()
    assert (list(ledger.trials(29.9)), ledger.standing("a/x", 29.9).trial) == ([], False)

    assert (list(ledger.trials(30.0)), ledger.standing("a/x", 30.0).trial) == (["a/x"], True)


def test_is_half_open_to_the_gateways_while_nobody_tries_it() -> None:
    assert states(an_open_one(), 30.0)["a/x"] == "half_open"


def test_stays_open_to_the_gateways_while_the_monitor_tries_it() -> None:
    ledger = an_open_one()
    ledger.enter("a/x", 30.0)

    assert (states(ledger, 31.0)["a/x"], list(ledger.trials(31.0))) == ("open", [])

    ledger.probed("a/x", Finding.FAILED, DOWN, 32.0)
    assert states(ledger, 32.0 + 59.9)["a/x"] == "open"
    assert list(ledger.trials(32.0 + 60.0)) == ["a/x"]


def test_takes_live_traffic_for_the_trial() -> None:
    good, bad = an_open_one(), an_open_one()
    good.lived("a/x", EndpointOutcomes(ok=1), 40.0)
    bad.lived("a/x", EndpointOutcomes(failed=1, consecutive_failures=1, last_error="not_found: no"), 40.0)

    assert states(good, 40.0)["a/x"] == "closed"
    assert states(bad, 99.9)["a/x"] == "open"


def test_tries_a_refused_account_by_one_endpoint() -> None:
    ledger = a_ledger()
    ledger.probed("a/y", Finding.REFUSED, REFUSED, 0.0)

    assert list(ledger.trials(30.0)) == ["a/x"]
    assert ledger.standing("a/y", 30.0).trial

    ledger.enter("a/x", 30.0)
    assert list(ledger.trials(30.0)) == []
    ledger.probed("a/x", Finding.FAILED, DOWN, 31.0)  # proves nothing of the account
    assert states(ledger, 31.0) == {"a/x": "half_open", "a/y": "half_open", "b/z": "closed"}


def test_wants_a_check_as_the_trial_of_a_provider_that_could_not_be_reached() -> None:
    ledger = a_ledger()
    ledger.checked("a", Finding.REFUSED, ended(FailureKind.CREDENTIAL), 0.0)
    assert (list(ledger.checks(29.0)), list(ledger.checks(30.0))) == ([], ["a"])

    ledger.enter_check("a", 30.0)

    assert list(ledger.checks(30.0)) == []
    assert states(ledger, 30.0)["a/x"] == "open"


# -- configuration and take-over ---------------------------------------------------------------


def test_keeps_the_history_of_what_stays_configured() -> None:
    ledger = an_open_one()
    ledger.checked("b", Finding.OK, WELL, 1.0)

    ledger.reconfigure({"a/x": "a", "c/new": "c"}, BreakerRules(open_for_s=10.0), 5.0)

    assert states(ledger, 5.0) == {"a/x": "open", "c/new": "closed"}
    assert ledger.entry("c/new", 5.0, OFFSET_S).since_s == OFFSET_S + 5


def test_takes_over_open_breakers_alone() -> None:
    ledger = a_ledger()
    published = EndpointSnapshot(State.OPEN, OFFSET_S - 10, consecutive_failures=7, last_error="overloaded: no")
    ledger.restore("a/x", published, 0.0, OFFSET_S)
    ledger.restore("a/y", EndpointSnapshot(State.CLOSED, OFFSET_S - 99, consecutive_failures=2), 0.0, OFFSET_S)

    assert entry(ledger, 0.0) == published
    assert states(ledger, 0.0) == {"a/x": "open", "a/y": "closed", "b/z": "closed"}
    assert list(ledger.trials(20.0)) == ["a/x"]


def test_dates_a_state_by_the_worst_breaker_and_of_equals_by_the_latest() -> None:
    ledger = an_open_one()
    assert entry(ledger, 1.0).since_s == OFFSET_S

    ledger.checked("a", Finding.REFUSED, ended(FailureKind.CREDENTIAL), 10.0)
    assert [entry(ledger, 11.0, id_).since_s - OFFSET_S for id_ in ("a/x", "a/y", "b/z")] == [10, 10, 0]
