from gateway.core.breaker import Breaker, BreakerRules, State
from gateway.core.failure import FailureKind
from gateway.core.guards import EndpointGuard, Guards, Ticket, worse

RULES = BreakerRules()
PROVIDERS = {"a/one": "a", "a/two": "a", "b/one": "b"}


def fail(guard: EndpointGuard, kind: FailureKind, at_s: float) -> None:
    guard.failed(guard.enter_anyway(at_s), kind, at_s)


def standings(guards: Guards, at_s: float) -> dict[str, str]:
    return {endpoint: guard.standing(at_s).value for endpoint, guard in guards.items()}


def test_gives_the_worse_of_two_states() -> None:
    assert worse(State.CLOSED, State.HALF_OPEN) is State.HALF_OPEN
    assert worse(State.OPEN, State.HALF_OPEN) is State.OPEN
    assert worse(State.CLOSED, State.CLOSED) is State.CLOSED


def test_opens_the_endpoint_alone_where_it_fails_or_is_not_found() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.NOT_FOUND, 0.0)
    for _ in range(5):
        fail(guards["b/one"], FailureKind.SERVER_ERROR, 0.0)

    assert standings(guards, 1.0) == {"a/one": "open", "a/two": "closed", "b/one": "open"}


def test_opens_all_of_a_provider_where_our_key_or_balance_is_at_fault() -> None:
    for kind in (FailureKind.CREDENTIAL, FailureKind.BILLING):
        guards = Guards(PROVIDERS, RULES)
        fail(guards["a/one"], kind, 0.0)

        assert standings(guards, 1.0) == {"a/one": "open", "a/two": "open", "b/one": "closed"}
        assert guards["a/one"].own.breaker == Breaker(), "the fault is not the endpoint's"
        assert len(guards) == 3


def test_tries_a_provider_by_one_of_its_endpoints_and_closes_all() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.CREDENTIAL, 0.0)
    assert guards["a/two"].enter(29.0) is None

    trial = guards["a/two"].enter(30.0)

    assert trial == Ticket(own=0, provider=2)
    assert guards["a/one"].enter(30.0) is None
    assert trial is not None
    guards["a/two"].succeeded(trial, 31.0)
    assert standings(guards, 31.0) == {"a/one": "closed", "a/two": "closed", "b/one": "closed"}


def test_gives_the_providers_trial_back_where_it_proved_nothing() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.BILLING, 0.0)

    fail(guards["a/two"], FailureKind.OVERLOADED, 30.0)

    assert guards["a/one"].standing(30.0) is State.HALF_OPEN


def test_counts_a_success_for_the_endpoint() -> None:
    guards = Guards(PROVIDERS, RULES)
    ticket = guards["a/one"].enter(1.0)

    assert ticket == Ticket(0, 0)
    assert ticket is not None
    guards["a/one"].succeeded(ticket, 1.0)
    assert guards["a/one"].own.counts(1.0).ok == 1


def test_says_when_the_first_trial_may_be_let_through() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.NOT_FOUND, 0.0)
    fail(guards["a/two"], FailureKind.CREDENTIAL, 10.0)

    assert [guards[id_].retry_at_s(20.0) for id_ in ("a/one", "a/two", "b/one")] == [40.0, 40.0, 20.0]


def test_keeps_the_state_of_what_stays_configured() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.NOT_FOUND, 0.0)
    fail(guards["b/one"], FailureKind.CREDENTIAL, 0.0)

    after = guards.renewed({"a/one": "a", "b/two": "b", "c/one": "c"}, RULES)

    assert standings(after, 1.0) == {"a/one": "open", "b/two": "open", "c/one": "closed"}
    assert after["a/one"].own is guards["a/one"].own


def test_keeps_the_state_under_new_rules() -> None:
    guards = Guards(PROVIDERS, RULES)
    fail(guards["a/one"], FailureKind.NOT_FOUND, 0.0)
    rules = BreakerRules(half_open_probes=3)

    after = guards.renewed(PROVIDERS, rules)

    assert standings(after, 1.0) == {"a/one": "open", "a/two": "closed", "b/one": "closed"}
    assert after["a/one"].own.rules == rules
